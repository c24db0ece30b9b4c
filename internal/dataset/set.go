package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Set is the usable examples of all sources, in reading order, and what is
// to be said about the others.
type Set struct {
	Heads     []string // the heads that Example.Labels are for
	Examples  []Example
	RowErrors []*RowError
	Warnings  []Warning
}

// LabelsOf returns the labels that examples have for the head of that number,
// ascending.
func LabelsOf(examples []Example, head int) []string {
	var labels []string
	for _, ex := range examples {
		if l := ex.Labels[head]; l != "" {
			labels = append(labels, l)
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// A WarningKind says what a warning is about.
type WarningKind string

// The kinds of warnings, in the order in which a Set has them. Rows with empty
// text or without any label are left out of Set.Examples. Repeated rows stay:
// counts of two files, merged, must equal the counts of the two files read
// together.
const (
	EmptyText         WarningKind = "empty text"         // white space at most
	NoLabel           WarningKind = "no label"           // in any head
	DuplicateText     WarningKind = "duplicate text"     // towards the same target, labels agree
	ConflictingLabels WarningKind = "conflicting labels" // the same, but labels disagree
	DuplicateID       WarningKind = "duplicate id"
	UnusedColumns     WarningKind = "unused columns" // one warning a file
)

// A Warning reports something that does not prevent use of the data.
type Warning struct {
	Kind  WarningKind
	Count int    // rows, or columns for UnusedColumns
	Cases []Case // the first few
}

// A Case is one instance of a warning. Where a row repeats another, Places
// names the earlier one first.
type Case struct {
	Places []Place
	Detail string // what the places do not say, such as the labels that disagree
}

// A Place is a row; Line is 0 when the whole file is meant.
type Place struct {
	File string
	Line int
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

func (c Case) String() string {
	places := make([]string, len(c.Places))
	for i, p := range c.Places {
		places[i] = p.String()
	}
	s := strings.Join(places, " and ")
	if c.Detail != "" {
		s += " (" + c.Detail + ")"
	}
	return s
}

// maxCases is how many cases a warning keeps.
const maxCases = 5

// String is the warning on one line.
func (w Warning) String() string {
	cases := make([]string, len(w.Cases))
	for i, c := range w.Cases {
		cases[i] = c.String()
	}
	list := strings.Join(cases, "; ")
	if w.Kind == UnusedColumns {
		return fmt.Sprintf("%s: %s", w.Kind, list)
	}
	if w.Count > len(w.Cases) {
		list += fmt.Sprintf("; and %d more", w.Count-len(w.Cases))
	}
	return fmt.Sprintf("%s in %s: %s", w.Kind, count(w.Count, "row"), list)
}

// ReadAll reads all rows of all sources. Bad rows are in Set.RowErrors (if all
// are bad the Set has nothing else); the
// error is the first final one of any source. Without Options.Heads the heads
// are "topic" and "stance", each when any source has it. A head (or none of
// those two), or a column named in Options.Columns, that no source has is a
// *ColumnError.
func ReadAll(srcs []Source, opts Options) (*Set, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	if len(srcs) == 0 {
		return nil, errors.New("no files to read")
	}
	c := newCollector()
	var done []*reader
	for _, src := range srcs {
		r, err := c.read(src, opts)
		if err != nil {
			return nil, err
		}
		done = append(done, r)
	}
	if len(c.rowErrors) > 0 && len(c.examples)+c.empty.Count+c.noLabel.Count == 0 {
		return &Set{RowErrors: c.rowErrors}, nil // no row is fit to tell which columns there are
	}
	keep, err := presentHeads(done, opts)
	if err != nil {
		return nil, err
	}
	if err := checkNamed(done); err != nil {
		return nil, err
	}
	return c.set(done, opts, keep), nil
}

// presentHeads returns which heads of opts some source has.
func presentHeads(done []*reader, opts Options) ([]int, error) {
	heads := opts.heads()
	var keep []int
	for i, h := range heads {
		switch {
		case slices.ContainsFunc(done, func(r *reader) bool { return r.heads[i].has }):
			keep = append(keep, i)
		case len(opts.Heads) > 0:
			return nil, nowhere(done, "label", h)
		}
	}
	if len(keep) == 0 && len(heads) > 0 {
		return nil, nowhere(done, "label", heads...)
	}
	return keep, nil
}

// checkNamed wants every column that was named explicitly in some source.
func checkNamed(done []*reader) error {
	for i, c := range done[0].named {
		if !slices.ContainsFunc(done, func(r *reader) bool { return r.named[i].has }) {
			return nowhere(done, c.role, c.name)
		}
	}
	return nil
}

// nowhere is the error for a column that no source has.
func nowhere(done []*reader, role string, wanted ...string) error {
	e := done[0].columnError(role, wanted...)
	e.Others = len(done) - 1
	return e
}

// A collector gathers examples, and warnings about them by comparing each with
// those before it.
type collector struct {
	examples  []Example
	rowErrors []*RowError
	empty     Warning
	noLabel   Warning
	duplicate Warning
	conflict  Warning
	twiceID   Warning

	texts map[textKey]int // index of the first example
	ids   map[string]int
}

// A textKey is what labels are given to: a stance towards one target does not
// conflict with that towards another.
type textKey struct{ text, target string }

func newCollector() *collector {
	return &collector{
		empty:     Warning{Kind: EmptyText},
		noLabel:   Warning{Kind: NoLabel},
		duplicate: Warning{Kind: DuplicateText},
		conflict:  Warning{Kind: ConflictingLabels},
		twiceID:   Warning{Kind: DuplicateID},
		texts:     make(map[textKey]int),
		ids:       make(map[string]int),
	}
}

// read adds the rows of one source.
func (c *collector) read(src Source, opts Options) (*reader, error) {
	r, err := open(src, opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	for ex, err := range r.rows {
		if bad, ok := err.(*RowError); ok {
			c.rowErrors = append(c.rowErrors, bad)
		} else if err != nil {
			return nil, err
		} else {
			c.add(ex, opts)
		}
	}
	return r, nil
}

// add keeps one example, or says why not.
func (c *collector) add(ex Example, opts Options) {
	switch {
	case strings.TrimSpace(ex.Text) == "":
		c.empty.add("", ex)
		return
	case !opts.NoLabels && !slices.ContainsFunc(ex.Labels, func(l string) bool { return l != "" }):
		c.noLabel.add("", ex)
		return
	}
	if i, ok := c.ids[ex.ID]; ok {
		c.twiceID.add(fmt.Sprintf("%q", ex.ID), c.examples[i], ex)
	} else if ex.ID != "" {
		c.ids[ex.ID] = len(c.examples)
	}
	key := textKey{ex.Text, ex.Target}
	if i, ok := c.texts[key]; !ok {
		c.texts[key] = len(c.examples)
	} else if clash := disagreement(opts.heads(), c.examples[i], ex); clash != "" {
		c.conflict.add(clash, c.examples[i], ex)
	} else {
		c.duplicate.add("", c.examples[i], ex)
	}
	c.examples = append(c.examples, ex)
}

// add counts a case, the last of exs being the row that the warning is about.
func (w *Warning) add(detail string, exs ...Example) {
	w.Count++
	if len(w.Cases) == maxCases {
		return
	}
	var places []Place
	for _, ex := range exs {
		places = append(places, Place{ex.File, ex.Line})
	}
	w.Cases = append(w.Cases, Case{places, detail})
}

// disagreement tells the heads in which two rows have different labels.
func disagreement(heads []string, a, b Example) string {
	var parts []string
	for i, h := range heads {
		if la, lb := a.Labels[i], b.Labels[i]; la != "" && lb != "" && la != lb {
			parts = append(parts, fmt.Sprintf("%s %q and %q", h, la, lb))
		}
	}
	return strings.Join(parts, ", ")
}

// set makes the Set, with the labels of the heads in keep.
func (c *collector) set(done []*reader, opts Options, keep []int) *Set {
	s := &Set{Examples: c.examples, RowErrors: c.rowErrors}
	for _, i := range keep {
		s.Heads = append(s.Heads, opts.heads()[i])
	}
	for i := range s.Examples {
		ex := &s.Examples[i]
		for to, from := range keep {
			ex.Labels[to] = ex.Labels[from] // keep ascends: from >= to
		}
		ex.Labels = ex.Labels[:len(keep):len(keep)]
	}
	for _, w := range []Warning{c.empty, c.noLabel, c.duplicate, c.conflict, c.twiceID} {
		if w.Count > 0 {
			s.Warnings = append(s.Warnings, w)
		}
	}
	for _, r := range done {
		if w := unused(r); w.Count > 0 {
			s.Warnings = append(s.Warnings, w)
		}
	}
	return s
}

// unused lists the columns of one source that nobody wants.
func unused(r *reader) Warning {
	names, more := r.table.list(func(c *column) bool { return !c.wanted })
	detail := quoteJoin(names, ", ")
	if more > 0 {
		detail += fmt.Sprintf(" and %d more", more)
	}
	return Warning{UnusedColumns, len(names) + more, []Case{{[]Place{{File: r.name}}, detail}}}
}
