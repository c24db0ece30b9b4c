package retrain

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// Input is what the rows of a run are made of. The same input gives the same
// rows, in whatever order Base is.
type Input struct {
	Base      []dataset.Example // rows of the base files, labels in the order of BaseHeads
	BaseHeads []string
	// Heads are those to train; empty: BaseHeads, then ascending those of the
	// ledger that have two labels or more.
	Heads      []string
	Resolution *ledger.Resolution // what the ledger says; nil: there is none
	Tombstones *ledger.Tombstones // of forgotten texts; nil: none
	SourceCap  int                // see Rows.cap
}

// Rows are the labelled texts of a run, sorted by a hash of what they say.
type Rows struct {
	Heads []string
	List  []Row
	// Forgotten is how many base rows were left out as their texts are forgotten.
	Forgotten int
	Capped    []Capped
}

// A Row is a labelled text.
type Row struct {
	dataset.Example       // labels in the order of Rows.Heads
	TextID          int64 // in the ledger; 0 for a text of base files alone
	Given           []Given
}

// A Given says where a label comes from, for each head.
type Given struct {
	Base       bool    // a base file has a label of this text
	Seqs       []int64 // events of the ledger that say it; none: a base file alone does
	Annotators []string
	Sources    []string
	Selection  ledger.Selection
	Sure       bool // said by two annotators, adjudicated or confirmed
	Time       time.Time
}

func (g *Given) byLedger() bool { return len(g.Seqs) > 0 }

// correction reports whether somebody said so as a model had it wrong.
func (g *Given) correction() bool { return g.byLedger() && g.Selection == ledger.Correction }

// newest is the newest of the events that say the label, 0 for none.
func (g *Given) newest() int64 {
	if len(g.Seqs) == 0 {
		return 0
	}
	return slices.Max(g.Seqs)
}

// fair reports whether a text with a label so given is in the sample that
// verdicts rest on: base rows are, and texts that were drawn at random for the
// ledger. What a model was unsure of, or had wrong, says nothing of the others.
func (g *Given) fair() bool { return g.Base || g.Selection == ledger.Random }

// errNoRows: base files and ledger have no label for any head.
var errNoRows = errors.New("neither the base files nor the ledger have a labelled text: there is nothing to train on")

// Gather merges the base files and the ledger: remaps apply to base labels,
// forgotten texts are left out, and a label of the ledger takes the place of the
// base label of the same text, target and head.
func Gather(in Input) (*Rows, error) {
	g := gatherer{Input: in, rows: &Rows{Heads: in.heads()}, at: map[textKey][]int{}}
	if len(g.rows.Heads) == 0 {
		return nil, errNoRows
	}
	g.base()
	g.ledger()
	g.dropUnlabelled()
	g.rows.sort()
	g.rows.cap(in.SourceCap, len(in.Base) > 0)
	if len(g.rows.List) == 0 {
		return nil, errNoRows
	}
	return g.rows, nil
}

// heads are those to train.
func (in *Input) heads() []string {
	if len(in.Heads) > 0 {
		return in.Heads
	}
	heads := slices.Clone(in.BaseHeads)
	if in.Resolution == nil {
		return heads
	}
	labels := map[string][]string{}
	for _, r := range in.Resolution.Rows {
		for head, s := range r.Labels {
			if !slices.Contains(labels[head], s.Label) {
				labels[head] = append(labels[head], s.Label)
			}
		}
	}
	var more []string
	for head, list := range labels {
		if len(list) > 1 && !slices.Contains(heads, head) {
			more = append(more, head)
		}
	}
	slices.Sort(more)
	return append(heads, more...)
}

// A textKey is what labels are about.
type textKey struct{ text, target string }

func keyOf(text, target string) textKey { return textKey{text, model.CanonicalTarget(target)} }

// A gatherer is the state of Gather.
type gatherer struct {
	Input
	rows *Rows
	at   map[textKey][]int // the rows of a text
}

func (g *gatherer) add(r Row) {
	k := keyOf(r.Text, r.Target)
	g.at[k] = append(g.at[k], len(g.rows.List))
	g.rows.List = append(g.rows.List, r)
}

// base adds the rows of the base files.
func (g *gatherer) base() {
	var rename *renaming
	if g.Resolution != nil {
		rename = newRenaming(g.Resolution.Remaps, 0)
	}
	for _, ex := range g.Base {
		if g.Tombstones != nil && g.Tombstones.Has(ex.Text) {
			g.rows.Forgotten++
			continue
		}
		r := Row{Example: ex, Given: make([]Given, len(g.rows.Heads))}
		r.Labels, r.Kept = make([]string, len(g.rows.Heads)), nil
		for i, head := range g.rows.Heads {
			if from := slices.Index(g.BaseHeads, head); from >= 0 {
				r.Labels[i] = rename.of(head, ex.Labels[from])
				r.Given[i].Base = r.Labels[i] != ""
			}
		}
		g.add(r)
	}
}

// ledgerFile is what rows of the ledger have for a file; the line is the text's
// number.
const ledgerFile = "ledger"

// ledger adds what the ledger says.
func (g *gatherer) ledger() {
	if g.Resolution == nil {
		return
	}
	for _, t := range g.Resolution.Rows {
		if g.Tombstones != nil && g.Tombstones.Has(t.Text) {
			continue
		}
		known := g.at[keyOf(t.Text, t.Target)]
		if len(known) == 0 {
			ex := dataset.Example{
				Text: t.Text, ID: t.ID, Group: t.Group, Target: t.Target, Labels: make([]string, len(g.rows.Heads)),
				File: ledgerFile, Line: int(t.TextID),
			}
			known = []int{len(g.rows.List)}
			g.add(Row{Example: ex, Given: make([]Given, len(g.rows.Heads))})
		}
		for _, i := range known {
			g.label(&g.rows.List[i], &t)
		}
	}
}

// label gives a row the labels of a text of the ledger.
func (g *gatherer) label(r *Row, t *ledger.Row) {
	r.TextID, r.Group = t.TextID, cmp.Or(r.Group, t.Group)
	for i, head := range g.rows.Heads {
		s, given := t.Labels[head]
		if !given || s.Label == "" {
			continue
		}
		r.Labels[i] = s.Label
		r.Given[i] = Given{
			Base: r.Given[i].Base, Seqs: s.Seqs, Annotators: s.Annotators, Sources: s.Sources, Selection: s.Selection,
			Sure: s.Adjudicated || s.Confirmed || len(s.Annotators) > 1, Time: s.Time,
		}
	}
}

// dropUnlabelled leaves out rows that have no label left.
func (g *gatherer) dropUnlabelled() {
	g.rows.List = slices.DeleteFunc(g.rows.List, func(r Row) bool {
		return !slices.ContainsFunc(r.Labels, func(l string) bool { return l != "" })
	})
}

// sort brings the rows into the order of their content; of equal ones those of
// base files come first.
func (r *Rows) sort() {
	type sorted struct {
		sum [32]byte
		row Row
	}
	list := make([]sorted, len(r.List))
	for i, row := range r.List {
		list[i] = sorted{train.ContentSum(row.Example), row}
	}
	slices.SortStableFunc(list, func(a, b sorted) int {
		return cmp.Or(bytes.Compare(a.sum[:], b.sum[:]), cmp.Compare(a.row.TextID, b.row.TextID))
	})
	for i, s := range list {
		r.List[i] = s.row
	}
}

// examples are the rows as train takes them.
func (r *Rows) examples() []dataset.Example {
	list := make([]dataset.Example, len(r.List))
	for i, row := range r.List {
		list[i] = row.Example
	}
	return list
}
