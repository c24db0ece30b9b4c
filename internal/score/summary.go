package score

import "slices"

// A Summary counts what a run has written, what it wrote before it was resumed
// included.
type Summary struct {
	Rows      int64            `json:"rows"`                // errors included
	Errors    int64            `json:"errors"`              // error rows
	Kinds     map[string]int64 `json:"kinds,omitempty"`     // of errors
	Heads     []HeadCount      `json:"heads,omitempty"`     // in the order of the heads
	Revisions []string         `json:"revisions,omitempty"` // ids, the first that answered first
}

// A HeadCount counts what one head said.
type HeadCount struct {
	Head      string           `json:"head"`
	Labels    map[string]int64 `json:"labels"`
	Abstained map[string]int64 `json:"abstained,omitempty"` // by decision
}

// add counts a row; kind is that of its error.
func (s *Summary) add(r *Row, kind string) {
	s.Rows++
	if r.Err != nil {
		if s.Kinds == nil {
			s.Kinds = map[string]int64{}
		}
		s.Errors++
		s.Kinds[kind]++
		return
	}
	if n := len(s.Revisions); (n == 0 || s.Revisions[n-1] != r.Revision) && !slices.Contains(s.Revisions, r.Revision) {
		s.Revisions = append(s.Revisions, r.Revision)
	}
	for i := range r.Predictions {
		s.head(i, r.Predictions[i].Head).add(&r.Predictions[i])
	}
}

// head returns the counts of a head, which are most often at place i.
func (s *Summary) head(i int, name string) *HeadCount {
	if i >= len(s.Heads) || s.Heads[i].Head != name {
		i = slices.IndexFunc(s.Heads, func(h HeadCount) bool { return h.Head == name })
	}
	if i < 0 {
		i = len(s.Heads)
		s.Heads = append(s.Heads, HeadCount{name, map[string]int64{}, map[string]int64{}})
	}
	return &s.Heads[i]
}

func (h *HeadCount) add(p *Prediction) {
	if p.Decision == "LABELED" {
		h.Labels[p.Label]++
	} else {
		h.Abstained[p.Decision]++
	}
}

// Add counts what another summary counts too.
func (s *Summary) Add(other Summary) {
	s.Rows, s.Errors = s.Rows+other.Rows, s.Errors+other.Errors
	s.Kinds = plus(s.Kinds, other.Kinds)
	for i, h := range other.Heads {
		own := s.head(i, h.Head)
		own.Labels, own.Abstained = plus(own.Labels, h.Labels), plus(own.Abstained, h.Abstained)
	}
	for _, id := range other.Revisions {
		if !slices.Contains(s.Revisions, id) {
			s.Revisions = append(s.Revisions, id)
		}
	}
}

// plus adds the counts of b to a, which may be nil.
func plus(a, b map[string]int64) map[string]int64 {
	if a == nil && len(b) > 0 {
		a = map[string]int64{}
	}
	for key, n := range b {
		a[key] += n
	}
	return a
}
