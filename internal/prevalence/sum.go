package prevalence

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Report estimates the shares of the rows that were added. Equal counts give
// equal reports.
func (s *Summariser) Report() (*Report, error) {
	r := &Report{Rows: s.counts.Rows, Errors: s.counts.Failed, By: []Split{}, Notes: s.allNotes()}
	if n := len(s.options.Audit); n > 0 {
		r.Audit = &Audit{n, len(s.counts.Found)}
		if len(s.counts.Found) == 0 {
			return nil, fmt.Errorf("none of the %d audited rows has the id of a row that was scored", n)
		}
	}
	var todo []func()
	plan := func(g *group, into *Group, name string) {
		todo = append(todo, func() { *into = s.sumUp(g, into.Value, name) })
	}
	plan(s.counts.All, &r.All, "")
	for i, reader := range s.readers {
		split := Split{Column: reader.by.Column, Unit: reader.by.Unit}
		names := s.ordered(i)
		split.Groups = make([]Group, len(names))
		for k, name := range names {
			split.Groups[k].Value = name
			plan(s.counts.Columns[i].Groups[name], &split.Groups[k], reader.by.String()+"\x00"+name)
		}
		r.By = append(r.By, split)
	}
	inParallel(todo)
	s.compare(&r.All)
	r.Assumptions = r.assumptions()
	return r, nil
}

// inParallel runs functions that do not touch the same memory.
func inParallel(list []func()) {
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(list))
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(list); i += workers {
				list[i]()
			}
		})
	}
	wait.Wait()
}

// ordered lists the values of a column: dates in their order, others by falling
// rows; the rest and those without a value last.
func (s *Summariser) ordered(column int) []string {
	groups := s.counts.Columns[column].Groups
	names := sortedKeys(groups)
	last := func(name string) int { return slices.Index([]string{nothing, others}, name) }
	slices.SortStableFunc(names, func(a, b string) int {
		byRows := 0
		if s.readers[column].by.Unit == "" {
			byRows = cmp.Compare(groups[b].Rows, groups[a].Rows)
		}
		return cmp.Or(cmp.Compare(last(a), last(b)), byRows)
	})
	return names
}

// allNotes are what a reader should know of the figures.
func (s *Summariser) allNotes() []string {
	notes := append([]string{}, s.notes...)
	for _, m := range s.measures {
		if len(m.heads) > 1 {
			continue
		}
		if m.why != "" {
			notes = append(notes, fmt.Sprintf("%s: %s: its answers are taken for right, and the intervals know of the sample alone", m.name, m.why))
		}
		if len(m.few) > 0 {
			named := m.few[:min(len(m.few), 5)]
			notes = append(notes, fmt.Sprintf("%s: labels with less than %d texts in the cross-validation, whose shares are hardly known: %s%s", m.name, fewTexts, strings.Join(named, ", "), andMore(len(m.few)-len(named))))
		}
	}
	for i, reader := range s.readers {
		if d := s.counts.Columns[i].Dates; d.Bad > 0 {
			notes = append(notes, fmt.Sprintf("--by %s: %d values are no dates, such as %q: their rows are under %s", reader.by, d.Bad, d.Sample, nothing))
		}
		if s.counts.Columns[i].Groups[others] != nil {
			notes = append(notes, fmt.Sprintf("--by %s: only the first %d values have figures of their own", reader.by, MaxValues))
		}
	}
	if len(s.heads) > 1 {
		notes = append(notes, "crossed shares take it that the two heads err independently of one another on texts of the same pair of labels; their sums may differ a little from the shares of each head")
	}
	return notes
}

func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// assumptions lists those that figures of the report rest on.
func (r *Report) assumptions() []Assumption {
	used := map[string]bool{}
	note := func(g *Group) {
		for _, s := range slices.Concat(g.Heads, g.Crossed) {
			used[s.RestsOn] = true
		}
	}
	note(&r.All)
	for i := range r.By {
		for k := range r.By[i].Groups {
			note(&r.By[i].Groups[k])
		}
	}
	return slices.DeleteFunc(slices.Clone(assumptions), func(a Assumption) bool { return !used[a.Name] })
}

// sumUp estimates the shares of a group.
func (s *Summariser) sumUp(g *group, value, name string) Group {
	out := Group{Value: value, Rows: g.Rows, Errors: g.Failed, Heads: []Shares{}, Crossed: []Shares{}}
	for i, m := range s.measures {
		shares := s.shares(m, g.Counts[i], sortedAudit(g.Audit[i]), m.name+"\x00"+name)
		if len(m.heads) > 1 {
			out.Crossed = append(out.Crossed, shares)
			continue
		}
		h := g.Heads[m.heads[0]]
		shares.Withheld, shares.NoEvidence, shares.OutOfDomain = h.Withheld, h.NoEvidence, h.OutOfDomain
		out.Heads = append(out.Heads, shares)
	}
	return out
}

// shares estimates by the best of the methods that there are data for.
func (s *Summariser) shares(m *measure, rows map[int]float64, audit []audited, name string) Shares {
	c := counts{}
	for _, k := range sortedKeys(rows) {
		c.cells, c.rows, c.total = append(c.cells, k), append(c.rows, rows[k]), c.total+rows[k]
	}
	counted := classified(len(m.labels), m.levels, c)
	out := Shares{Judged: int64(c.total), Audited: len(audit), Method: ClassifyAndCount, RestsOn: RightAnswers, Why: m.why, Labels: []Share{}}
	for _, h := range m.heads {
		out.Heads = append(out.Heads, s.heads[h].Name)
	}
	var e estimate
	switch {
	case c.total == 0: // there is nothing to estimate
		return out
	case len(audit) >= fewAudited:
		out.Method, out.RestsOn, out.Why = PredictionPowered, RandomAudit, ""
		e = estimateAudited(len(m.labels), m.predictions(c), c, audit)
	case m.response != nil:
		out.Method, out.RestsOn = Mixture, LabelShift
		e = estimateMixture(m.response, c, name)
	default:
		e = estimateCounted(counted, c.total)
	}
	for l := range m.labels {
		out.Labels = append(out.Labels, Share{
			Labels: m.labels[l], Names: s.names(m, l), Share: rounded(e.shares[l]),
			Interval: e.source[l].rounded(), RowsInterval: e.rows[l].rounded(), Classified: rounded(counted[l]),
		})
	}
	return out
}

// predictions are what a cell says of the labels: their probabilities at the
// shares of a mixture, or the answer.
func (m *measure) predictions(c counts) []float64 {
	n := len(m.labels)
	if m.response != nil {
		shares := uniform(n)
		mixture(shares, m.response.p, c, emSteps)
		return m.response.predict(shares)
	}
	p := make([]float64, n*m.levels*n)
	for k := range n * m.levels {
		p[k*n+k/m.levels] = 1
	}
	return p
}

// names are what the heads call a label.
func (s *Summariser) names(m *measure, l int) []string {
	var names []string
	for i, h := range m.heads {
		name := m.labels[l][i]
		if at, found := slices.BinarySearch(s.heads[h].Labels, name); found && len(s.heads[h].Names) > 0 {
			name = s.heads[h].Names[at]
		}
		names = append(names, name)
	}
	return names
}

// compare adds the other estimates of all rows.
func (s *Summariser) compare(all *Group) {
	for h := range all.Heads {
		labels := all.Heads[h].Labels
		if len(labels) == 0 {
			continue
		}
		if m := s.measures[h]; m.response != nil {
			r := newResponse(len(labels), &s.heads[h].Errors.Outcomes, true)
			counted := make([]float64, len(labels))
			for l := range labels {
				counted[l] = labels[l].Classified
			}
			if q := adjusted(counted, r.p); q != nil {
				set(labels, q, func(s *Share) **float64 { return &s.Adjusted })
			}
		}
		if t := s.counts.Stated[h]; t != nil {
			set(labels, t.probabilistic(), func(s *Share) **float64 { return &s.Probabilistic })
			set(labels, t.expectation(s.heads[h].Prior), func(s *Share) **float64 { return &s.Expectation })
		}
	}
}

func set(labels []Share, values []float64, field func(*Share) **float64) {
	for l := range labels {
		v := rounded(values[l])
		*field(&labels[l]) = &v
	}
}
