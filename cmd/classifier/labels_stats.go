package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsStatsCmd is "classifier labels stats".
type labelsStatsCmd struct {
	At int64 `default:"0" placeholder:"SEQ" help:"What the ledger said at this event, 0 for now."`
}

// A labelStats counts what a ledger says. An annotator or source is counted for a
// label that it gave and that stands.
type labelStats struct {
	Ledger      string      `json:"ledger_id"`
	Position    int64       `json:"position"`
	Texts       int         `json:"texts"` // with a label
	Forgotten   int         `json:"forgotten"`
	Heads       []headStats `json:"heads"`
	Conflicts   int         `json:"conflicts"`
	Quarantined int         `json:"quarantined"`
	Warnings    []string    `json:"warnings"`
}

// headStats are those of a head; lists are by count, then name.
type headStats struct {
	Head       string       `json:"head"`
	Labels     []labelCount `json:"labels"`
	Annotators []labelCount `json:"annotators"`
	Sources    []labelCount `json:"sources"`
	Selections []labelCount `json:"selections"`
}

type labelCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Run counts.
func (c *labelsStatsCmd) Run(e *env, l *labelsCmd) error {
	return l.with(e, func(led *ledger.Ledger) error {
		r, err := led.Resolve(e.ctx, c.At)
		if err != nil {
			return err
		}
		gone, err := led.Tombstones(e.ctx)
		if err != nil {
			return err
		}
		s := newLabelStats(r)
		s.Ledger, s.Forgotten = led.ID(), len(gone.List())
		return l.write(e, s, s.text)
	})
}

// newLabelStats counts a resolution.
func newLabelStats(r *ledger.Resolution) *labelStats {
	s := &labelStats{Position: r.Position, Heads: []headStats{}, Conflicts: len(r.Conflicts), Quarantined: len(r.Quarantined), Warnings: []string{}}
	texts := map[int64]bool{}
	heads := map[string]*[4]map[string]int{}
	for i := range r.Rows {
		for head, label := range r.Rows[i].Labels {
			texts[r.Rows[i].TextID] = true
			h := heads[head]
			if h == nil {
				h = &[4]map[string]int{{}, {}, {}, {}}
				heads[head] = h
			}
			h[0][label.Label]++
			for _, a := range label.Annotators {
				h[1][a]++
			}
			for _, source := range label.Sources {
				h[2][source]++
			}
			h[3][string(label.Selection)]++
		}
	}
	s.Texts = len(texts)
	for _, head := range slices.Sorted(maps.Keys(heads)) {
		h := heads[head]
		stats := headStats{head, counted(h[0]), counted(h[1]), counted(h[2]), counted(h[3])}
		s.Heads, s.Warnings = append(s.Heads, stats), append(s.Warnings, stats.unbalanced()...)
	}
	return s
}

func counted(m map[string]int) []labelCount {
	list := []labelCount{}
	for name, n := range m {
		list = append(list, labelCount{name, n})
	}
	slices.SortFunc(list, func(a, b labelCount) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return list
}

const (
	fewLabels = 10 // of one kind: too few to learn from or to judge by
	unequal   = 10 // times as many of the most frequent label as of the rarest
)

// unbalanced warns of labels that are rare.
func (h *headStats) unbalanced() (warnings []string) {
	if len(h.Labels) == 0 {
		return nil
	}
	first, last := h.Labels[0], h.Labels[len(h.Labels)-1]
	if len(h.Labels) == 1 {
		return []string{fmt.Sprintf("%s: all labels are %q: a model needs two", h.Head, first.Name)}
	}
	if few := slices.IndexFunc(h.Labels, func(c labelCount) bool { return c.Count < fewLabels }); few >= 0 {
		warnings = append(warnings, fmt.Sprintf("%s: %s with less than %d texts, %q with %d the rarest",
			h.Head, plural(len(h.Labels)-few, "label"), fewLabels, last.Name, last.Count))
	}
	if first.Count >= unequal*last.Count {
		warnings = append(warnings, fmt.Sprintf("%s: %q has %d texts, %q only %d", h.Head, first.Name, first.Count, last.Name, last.Count))
	}
	return warnings
}

func (s *labelStats) text(w io.Writer) {
	fmt.Fprintf(w, "ledger %s, position %d: %s with labels, %d forgotten, %s, %d quarantined\n",
		s.Ledger, s.Position, plural(s.Texts, "text"), s.Forgotten, plural(s.Conflicts, "conflict"), s.Quarantined)
	for _, h := range s.Heads {
		fmt.Fprintf(w, "\n%s\n", beginning(h.Head, 40))
		for _, part := range []struct {
			what string
			list []labelCount
		}{{"label", h.Labels}, {"annotator", h.Annotators}, {"source", h.Sources}, {"selection", h.Selections}} {
			for _, c := range part.list {
				fmt.Fprintf(w, "  %s\t%s\t%d\n", part.what, dash(beginning(c.Name, 40)), c.Count)
			}
		}
	}
	for i, warning := range s.Warnings {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "warning: %s\n", beginning(warning, 200))
	}
}
