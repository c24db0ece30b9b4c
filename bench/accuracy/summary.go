package main

import "github.com/parley-nlp/parley/internal/judge"

// A summary is about all sets that have a peer.
type summary struct {
	Sets     int             `json:"sets"`
	MeanLead float64         `json:"mean_lead"`
	Interval *judge.Interval `json:"mean_lead_interval,omitempty"` // when all sets have predictions

	Ahead       int `json:"ahead"`
	SurelyAhead int `json:"surely_ahead"` // the interval lies above 0
	Level       int `json:"level"`
	LevelPoints int `json:"level_by_points"` // of those level, the ones that lag by 0.05 points at most
	Behind      int `json:"behind"`
	FarBehind   int `json:"far_behind"` // the interval lies below -0.7 points
}

// summarise returns nil when no set has a peer.
func summarise(results []result) *summary {
	var s summary
	lead := make([]float64, bootstrapDraws)
	paired := true
	for _, r := range results {
		c := r.Comparison
		if c == nil {
			continue
		}
		s.Sets++
		s.MeanLead += c.Difference
		s.count(c)
		paired = paired && c.draws != nil
		for d, difference := range c.draws {
			lead[d] += difference
		}
	}
	if s.Sets == 0 {
		return nil
	}
	s.MeanLead /= float64(s.Sets)
	if paired {
		for d := range lead {
			lead[d] /= float64(s.Sets)
		}
		i := percentiles(lead)
		s.Interval = &i
	}
	return &s
}

// count counts how Parley stands on one set.
func (s *summary) count(c *comparison) {
	switch c.Standing {
	case ahead:
		s.Ahead++
	case level:
		s.Level++
		if c.Difference >= -levelWithin {
			s.LevelPoints++
		}
	case behind:
		s.Behind++
	}
	if c.Interval != nil && c.Interval.Low > 0 {
		s.SurelyAhead++
	}
	if c.Interval != nil && c.Interval.High < -farBehind {
		s.FarBehind++
	}
}
