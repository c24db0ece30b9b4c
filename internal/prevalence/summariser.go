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
	// Part is the number, from 1, of the part of the rows that is counted, when the
	// Counts of several are to be added; 0: all rows.
	Part int64
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
	readers  []*bucketer // per column
	counts   Counts
}

// New returns a Summariser of rows that the heads answer.
func New(heads []Head, o Options) *Summariser {
	s := &Summariser{heads: heads, options: o, counts: Counts{Found: map[string]bool{}}}
	for i, h := range heads {
		s.measures = append(s.measures, newMeasure(i, h))
		if len(h.Labels) <= maxAdjusted {
			s.counts.Stated = append(s.counts.Stated, newStated(len(h.Labels)))
		} else {
			s.counts.Stated = append(s.counts.Stated, nil)
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
	s.counts.All = s.newGroup()
	for _, by := range o.By {
		s.counts.Columns = append(s.counts.Columns, columnCounts{map[string]*group{}, dateCounts{By: by}})
		s.readers = append(s.readers, &bucketer{by: by, lenient: o.Part > 0})
	}
	return s
}

func (s *Summariser) newGroup() *group {
	g := &group{Heads: make([]headCounts, len(s.heads)), Audit: make([][]audited, len(s.measures))}
	for range s.measures {
		g.Counts = append(g.Counts, map[int]float64{})
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
	if known && s.counts.Found[r.ID] {
		return errTwice(r.ID)
	}
	if known {
		s.counts.Found[r.ID] = true
	}
	s.counts.Rows++
	if r.Failed {
		s.counts.Failed++
	}
	at := position{s.options.Part, s.counts.Rows}
	s.state(r, places)
	s.count(s.counts.All, r, places, audit, known)
	for i, reader := range s.readers {
		column := &s.counts.Columns[i]
		name, err := reader.bucket(&column.Dates, r.By[i], r.ID, at)
		if err != nil {
			return err
		}
		g, err := s.group(column, name, at)
		if err != nil {
			return err
		}
		s.count(g, r, places, audit, known)
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
		case p.label < 0 || s.counts.Stated[h] == nil:
		case r.Heads[h].Scores == nil:
			s.counts.Stated[h] = nil
		default:
			s.counts.Stated[h].add(p.label, r.Heads[h].Scores)
		}
	}
}

func (s *Summariser) count(g *group, r Row, places []place, audit Audited, known bool) {
	g.Rows++
	if r.Failed {
		g.Failed++
		return
	}
	for h := range places {
		switch r.Heads[h].Decision {
		case NoEvidence:
			g.Heads[h].NoEvidence++
		case OutOfDomain:
			g.Heads[h].OutOfDomain++
		case Withheld:
			g.Heads[h].Withheld++
		}
	}
	for i, m := range s.measures {
		cell := m.cell(s.heads, places)
		if cell < 0 {
			continue
		}
		g.Counts[i][cell]++
		if !known {
			continue
		}
		if truth, ok := m.truth(s.heads, audit.Labels); ok {
			g.Audit[i] = append(g.Audit[i], audited{cell, truth, 1 / audit.Probability})
		}
	}
}

// group returns the group of a value, that of all others when there are too many.
// Of a part, which are too many is only known when all parts are.
func (s *Summariser) group(c *columnCounts, name string, at position) (*group, error) {
	if c.Groups[name] == nil {
		switch {
		case s.options.Part > 0 && len(c.Groups) >= MaxPartValues:
			return nil, errManyValues(c.Dates.By)
		case s.options.Part == 0 && len(c.Groups) >= MaxValues:
			name = others
		}
		if c.Groups[name] == nil {
			c.Groups[name] = s.newGroup()
			c.Groups[name].First = at
		}
	}
	return c.Groups[name], nil
}

// others is the name of the group of the values that are too many.
const others = "(other values)"

// nothing is the name of the group of rows without a value.
const nothing = "(none)"
