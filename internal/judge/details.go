package judge

import (
	"cmp"
	"slices"
)

// Details show where the figures of Metrics come from.
type Details struct {
	Reliability []Bin           `json:"reliability"` // by rising confidence
	Coverage    []CoveragePoint `json:"coverage"`    // by falling coverage
	LabelCurves []LabelCurve    `json:"label_curves"`
	// ConfidentErrors are wrong answers, the most confident first.
	ConfidentErrors []Case `json:"confident_errors"`
	// LikelyLabelErrors are rows whose own label the model finds least likely
	// beside another, after Northcutt et al., "Confident Learning" (2021).
	LikelyLabelErrors []Case         `json:"likely_label_errors"`
	Sources           []GroupMetrics `json:"sources,omitempty"` // by Row.Group, most rows first
	Targets           []GroupMetrics `json:"targets,omitempty"` // by Row.Target, in ascending order
}

// A Bin of the reliability diagram holds answers of similar confidence.
type Bin struct {
	Examples         int      `json:"examples"`
	Confidence       float64  `json:"confidence"` // mean stated probability of the answer
	Accuracy         float64  `json:"accuracy"`
	AccuracyInterval Interval `json:"accuracy_interval"`
}

// A CoveragePoint says how good the answers are when those below a threshold
// are withheld.
type CoveragePoint struct {
	Threshold        float64  `json:"threshold"`
	Coverage         float64  `json:"coverage"` // share of rows answered
	Accuracy         float64  `json:"accuracy"` // of those answered
	AccuracyInterval Interval `json:"accuracy_interval"`
	MacroF1          float64  `json:"macro_f1"` // of those answered
}

// GroupMetrics are those of a part of the rows.
type GroupMetrics struct {
	Name             string   `json:"name"`
	Examples         int      `json:"examples"`
	Accuracy         float64  `json:"accuracy"`
	AccuracyInterval Interval `json:"accuracy_interval"`
	MacroF1          float64  `json:"macro_f1"`
	Confidence       float64  `json:"confidence"` // mean stated probability of the answers
}

// A LearningPoint is the quality reached with a part of the training data.
type LearningPoint struct {
	Examples int     `json:"examples"`
	Accuracy float64 `json:"accuracy"`
	MacroF1  float64 `json:"macro_f1"`
}

// Detail takes apart what Measure sums up, with at most n cases in each list of
// them. Abstained does not matter to it. Intervals are those of proportions
// whose trials are the effective number of answers.
func Detail(labels []string, list []Judgement, n int) Details {
	r := newRanking(list)
	all := make(proportion, r.sources)
	for _, a := range r.answers {
		all.add(a.source, a.right)
	}
	within := all.correlation()
	return Details{
		Reliability:       r.reliability(within),
		Coverage:          r.coverage(len(labels), within),
		LabelCurves:       labelCurves(labels, list),
		ConfidentErrors:   confidentErrors(labels, list, r, n),
		LikelyLabelErrors: likelyLabelErrors(labels, list, n),
		Sources:           byGroup(len(labels), list),
		Targets:           byTarget(len(labels), list, within),
	}
}

// reliability makes the bins of the expected calibration error visible.
func (r *ranking) reliability(correlation float64) []Bin {
	bins := []Bin{}
	n := len(r.answers)
	for b := range calibrationBins {
		in := r.answers[binStart(b, n):binStart(b+1, n)]
		if len(in) == 0 {
			continue
		}
		bin, right := Bin{Examples: len(in)}, make(proportion, r.sources)
		for _, a := range in {
			bin.Confidence += a.confidence / float64(len(in))
			right.add(a.source, a.right)
		}
		bin.Accuracy, bin.AccuracyInterval = right.share(), right.interval(correlation)
		bins = append(bins, bin)
	}
	return bins
}

// coveragePoints is about how many points a coverage curve has.
const coveragePoints = 50

// coverage lets in one answer after the other, the most confident first.
// Answers of equal confidence come together: no threshold parts them.
func (r *ranking) coverage(labels int, correlation float64) []CoveragePoint {
	points := []CoveragePoint{}
	t, right := make(tally, labels), make(proportion, r.sources)
	n := len(r.answers)
	next := 1 // in steps of 1/coveragePoints
	for i := n - 1; i >= 0; i-- {
		a := &r.answers[i]
		t.add(a.truth, a.predicted, 1)
		right.add(a.source, a.right)
		answered := n - i
		if answered*coveragePoints < next*n || i > 0 && r.answers[i-1].confidence == a.confidence {
			continue
		}
		points = append(points, CoveragePoint{
			Threshold: a.confidence, Coverage: ratio(answered, n),
			Accuracy: right.share(), AccuracyInterval: right.interval(correlation), MacroF1: t.macroF1(),
		})
		next = answered*coveragePoints/n + 1
	}
	slices.Reverse(points)
	return points
}

// maxGroups is how many groups are listed.
const maxGroups = 50

// byGroup measures the rows of each group: a group is judged by its rows, since
// there is nothing beyond them to draw other sources from.
func byGroup(labels int, list []Judgement) []GroupMetrics {
	groups := partition(list, func(r *Row) string { return r.Group })
	slices.SortStableFunc(groups, func(a, b part) int { return cmp.Compare(len(b.rows), len(a.rows)) })
	var metrics []GroupMetrics
	for _, p := range groups[:min(len(groups), maxGroups)] {
		g := p.measure(labels)
		g.AccuracyInterval = wilson(g.Accuracy, float64(g.Examples))
		metrics = append(metrics, g)
	}
	return metrics
}

// byTarget measures the rows towards each target.
func byTarget(labels int, list []Judgement, correlation float64) []GroupMetrics {
	var metrics []GroupMetrics
	for _, p := range partition(list, func(r *Row) string { return r.Target }) {
		g := p.measure(labels)
		source, sources := number(p.rows)
		right := make(proportion, sources)
		for i := range p.rows {
			right.add(source[i], p.rows[i].right())
		}
		g.AccuracyInterval = right.interval(correlation)
		metrics = append(metrics, g)
	}
	return metrics
}

// A part is the rows that share a name.
type part struct {
	name string
	rows []Judgement
}

// partition divides rows by name, in ascending order; those without one are
// left out.
func partition(list []Judgement, name func(*Row) string) []part {
	named := map[string][]Judgement{}
	for i := range list {
		if n := name(&list[i].Row); n != "" {
			named[n] = append(named[n], list[i])
		}
	}
	parts := make([]part, 0, len(named))
	for n, rows := range named {
		parts = append(parts, part{n, rows})
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.name, b.name) })
	return parts
}

// measure leaves out the interval.
func (p part) measure(labels int) GroupMetrics {
	g := GroupMetrics{Name: p.name, Examples: len(p.rows)}
	t := make(tally, labels)
	for i := range p.rows {
		j := &p.rows[i]
		t.add(j.Truth, j.Predicted, 1)
		g.Confidence += j.confidence() / float64(len(p.rows))
	}
	g.Accuracy, g.MacroF1 = t.accuracy(), t.macroF1()
	return g
}
