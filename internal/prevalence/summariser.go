package prevalence

import (
	"fmt"
	"slices"
)

// Limits of what is kept: memory does not grow with the rows beyond them.
const (
	MaxValues  = 1000    // different values of a column that get figures of their own
	MaxAudited = 1 << 20 // audited rows
	maxValue   = 200     // bytes of a value that are shown
)

// Options says what to sum up.
type Options struct {
	By []By
	// Audit are true labels by row id.
	Audit map[string]Audited
}

// Audited are the true labels of a row, in the order of the heads, "" for none
// known. Probability is that with which the row was drawn for the audit, 1 when
// all are alike.
type Audited struct {
	Labels      []string
	Probability float64
}

// A Summariser counts rows. Equal rows in any order give equal reports, apart
// from columns with more than MaxValues values, of which the first keep figures of
// their own.
type Summariser struct {
	heads    []Head
	options  Options
	measures []*measure
	notes    []string
	all      *group
	groups   []map[string]*group // per column
	readers  []*bucketer         // per column
	stated   []*statedSums       // per head; nil when a row had no scores
	found    map[string]bool     // ids of audited rows that came
	rows     int64
	failed   int64
}

// A group is the rows that share a value.
type group struct {
	rows, failed int64
	heads        []headCounts
	counts       []map[int]float64 // per measure: rows by cell
	audit        [][]audited       // per measure
}

type headCounts struct{ withheld, noEvidence, outOfDomain int64 }

// New returns a Summariser of rows that the heads answer.
func New(heads []Head, o Options) *Summariser {
	s := &Summariser{heads: heads, options: o, found: map[string]bool{}}
	for i, h := range heads {
		s.measures = append(s.measures, newMeasure(i, h))
		if len(h.Labels) <= maxAdjusted {
			s.stated = append(s.stated, newStated(len(h.Labels)))
		} else {
			s.stated = append(s.stated, nil)
		}
	}
	for i := range heads {
		for j := i + 1; j < len(heads); j++ {
			if m, ok := crossed(i, j, heads[i], heads[j]); ok {
				s.measures = append(s.measures, m)
			} else {
				s.notes = append(s.notes, fmt.Sprintf("%s and %s have more than %d pairs of labels: they are not crossed", heads[i].Name, heads[j].Name, maxCrossed))
			}
		}
	}
	s.all = s.newGroup()
	for _, by := range o.By {
		s.groups, s.readers = append(s.groups, map[string]*group{}), append(s.readers, &bucketer{by: by})
	}
	return s
}

func (s *Summariser) newGroup() *group {
	g := &group{heads: make([]headCounts, len(s.heads)), audit: make([][]audited, len(s.measures))}
	for range s.measures {
		g.counts = append(g.counts, map[int]float64{})
	}
	return g
}

// Add counts a row. It fails where a column of dates begins with what is no
// date, an audited id comes twice, or a label is not one of the head's.
func (s *Summariser) Add(r Row) error {
	places, err := s.places(r)
	if err != nil {
		return err
	}
	audit, known := s.options.Audit[r.ID]
	if known && s.found[r.ID] {
		return fmt.Errorf("two rows have the id %q, which is that of an audited row", r.ID)
	}
	if known {
		s.found[r.ID] = true
	}
	s.rows++
	if r.Failed {
		s.failed++
	}
	s.state(r, places)
	s.count(s.all, r, places, audit, known)
	for i, reader := range s.readers {
		name, err := reader.bucket(r.By[i], r.ID)
		if err != nil {
			return err
		}
		s.count(s.group(i, name), r, places, audit, known)
	}
	return nil
}

// places finds the labels and levels of the answers.
func (s *Summariser) places(r Row) ([]place, error) {
	places := make([]place, len(s.heads))
	for h := range places {
		places[h] = place{label: -1}
		if r.Failed || !r.Heads[h].Decision.counts() {
			continue
		}
		a := &r.Heads[h]
		at, found := slices.BinarySearch(s.heads[h].Labels, a.Label)
		if !found {
			return nil, fmt.Errorf("row %q: head %q answers %q, a label that the model does not have: these rows are of another model", r.ID, s.heads[h].Name, a.Label)
		}
		places[h] = place{at, s.heads[h].Errors.Level(a.Probability)}
	}
	return places, nil
}

// state adds up stated probabilities.
func (s *Summariser) state(r Row, places []place) {
	for h, p := range places {
		switch {
		case p.label < 0 || s.stated[h] == nil:
		case r.Heads[h].Scores == nil:
			s.stated[h] = nil
		default:
			s.stated[h].add(p.label, r.Heads[h].Scores)
		}
	}
}

func (s *Summariser) count(g *group, r Row, places []place, audit Audited, known bool) {
	g.rows++
	if r.Failed {
		g.failed++
		return
	}
	for h := range places {
		switch r.Heads[h].Decision {
		case NoEvidence:
			g.heads[h].noEvidence++
		case OutOfDomain:
			g.heads[h].outOfDomain++
		case Withheld:
			g.heads[h].withheld++
		}
	}
	for i, m := range s.measures {
		cell := m.cell(s.heads, places)
		if cell < 0 {
			continue
		}
		g.counts[i][cell]++
		if !known {
			continue
		}
		if truth, ok := m.truth(s.heads, audit.Labels); ok {
			g.audit[i] = append(g.audit[i], audited{cell, truth, 1 / audit.Probability})
		}
	}
}

// group returns the group of a value, that of all others when there are too many.
func (s *Summariser) group(column int, name string) *group {
	groups := s.groups[column]
	if groups[name] == nil {
		if len(groups) >= MaxValues {
			name = others
		}
		if groups[name] == nil {
			groups[name] = s.newGroup()
		}
	}
	return groups[name]
}

// others is the name of the group of the values that are too many.
const others = "(other values)"

// nothing is the name of the group of rows without a value.
const nothing = "(none)"
