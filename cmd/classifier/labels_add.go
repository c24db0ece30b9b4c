package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsAddCmd is "classifier labels add".
type labelsAddCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"Labelled files (JSONL, CSV, TSV, also .gz or .zst, or Parquet), folders of them, or - for standard input. Rows may have columns annotator, source, selection, selection_probability and time, which win over the flags."`
	dataFlags
	Head []string `sep:"none" placeholder:"NAME" help:"Column of labels; repeat for several. Default: topic and stance, those that are there. With --label: the label's head."`
	annotatorFlag
	Source               string  `placeholder:"NAME" help:"System or batch that the labels come from. Retraining caps what one source may add."`
	Selection            string  `enum:",random,uncertain,correction,suspect,other" default:"" placeholder:"HOW" help:"How the texts were chosen: random, uncertain, correction, suspect or other. Only labels of texts that were chosen at random judge a model."`
	SelectionProbability float64 `default:"0" placeholder:"P" help:"With what probability a text was chosen, if that is known."`
	IDPrefix             string  `name:"id-prefix" placeholder:"TEXT" help:"Put this before the rows' ids, for files that count their rows: an id names one text for ever."`
	Adjudicated          bool    `help:"The labels settle what annotators disagree on."`
	Anew                 bool    `help:"Add labels that the same rows have added before, if others were given since. Without it they count as added."`
	DryRun               bool    `help:"Read and check the rows, and count the labels, but add none."`

	oneLabelFlags `group:"One label instead of files:"`
	remoteFlags
}

// oneLabelFlags are those of a single label.
type oneLabelFlags struct {
	Text   string  `placeholder:"TEXT" help:"Text to label; with --head and --label."`
	ID     string  `name:"id" placeholder:"ID" help:"Your name of the text. A text that the ledger has may be named by it alone."`
	Group  string  `placeholder:"NAME" help:"Source document of the text."`
	Target string  `placeholder:"NAME" help:"What the label is about."`
	Label  *string `placeholder:"LABEL" help:"The label; --label= takes this annotator's label back."`
}

// Help says what running it again does.
func (c *labelsAddCmd) Help() string {
	return `Labels are durable before the command ends, batch by batch. Requests are named by
what they hold and where it stands in the files: after a crash the same command
adds the rest, and nothing twice. Rows that cannot be added are listed with file
and line, and the others are added; the exit code is then 1.

Rows that hold predictions (the output of score, a prediction log) and no labels are
refused: predictions never become labels.`
}

// An adder is a ledger, or a server that has one.
type adder interface {
	Add(ctx context.Context, requestID string, labels []ledger.NewLabel) ([]ledger.Outcome, error)
}

// A ledgerAdder adds to a ledger at hand.
type ledgerAdder struct {
	*ledger.Ledger
	before int64 // its position when the command began
}

// Add tells of labels that an earlier run of the command added that they are there:
// the ledger answers a repeated request as it did the first time.
func (l *ledgerAdder) Add(ctx context.Context, requestID string, labels []ledger.NewLabel) ([]ledger.Outcome, error) {
	out, err := l.Ledger.Add(ctx, requestID, labels)
	for i := range out {
		out[i].Existing = out[i].Existing || out[i].Err == nil && out[i].Seq <= l.before
	}
	return out, err
}

// Run adds the labels of files, or one.
func (c *labelsAddCmd) Run(e *env, l *labelsCmd) error {
	if err := c.check(l); err != nil {
		return err
	}
	with := ledger.NewLabel{Annotator: c.Annotator, Source: c.Source, Selection: ledger.Selection(c.Selection),
		SelectionProbability: c.SelectionProbability, Adjudicated: c.Adjudicated}
	if c.Addr != "" { // the server knows who calls
		return c.remote(e, l, with)
	}
	var err error
	if with.Annotator, err = c.name(); err != nil {
		return err
	}
	if c.DryRun {
		return c.run(e, l, nil, with)
	}
	return l.open(e, func(led *ledger.Ledger) error {
		before, err := led.Position(e.ctx)
		if err != nil {
			return err
		}
		return c.run(e, l, &ledgerAdder{led, before}, with)
	})
}

// remote adds to a server's ledger.
func (c *labelsAddCmd) remote(e *env, l *labelsCmd, with ledger.NewLabel) error {
	if c.DryRun {
		return c.run(e, l, nil, with)
	}
	server, err := c.dial(c.Addr, untilBack())
	if err != nil {
		return err
	}
	return errors.Join(c.run(e, l, &remoteAdder{client: server, stderr: e.stderr}, with), server.Close())
}

func (c *labelsAddCmd) run(e *env, l *labelsCmd, a adder, with ledger.NewLabel) error {
	run := &labelsAdd{labelsAddCmd: c, env: e, to: a}
	var err error
	if len(c.Files) == 0 {
		err = run.one(with)
	} else {
		err = run.files(with)
	}
	if err != nil && run.Labels+run.Failed == 0 {
		return withHint(err, e.args)
	}
	run.Dry = c.DryRun
	return errors.Join(l.write(e, &run.added, run.text), err, run.failed())
}

// check refuses flags that do not go together.
func (c *labelsAddCmd) check(l *labelsCmd) error {
	one := c.Text != "" || c.ID != "" || c.Group != "" || c.Target != "" || c.Label != nil
	switch {
	case c.Addr != "" && l.Ledger != "":
		return usagef("--addr and --ledger: the labels go to one of them")
	case one && len(c.Files) > 0:
		return usagef("--text, --id, --group, --target and --label are for one label: they don't go with files")
	case !one && len(c.Files) == 0:
		return usagef("want files of labels, or --text, --head and --label")
	case one && (c.Text == "" && c.ID == "" || c.Label == nil || len(c.Head) != 1):
		return usagef("one label wants --text or --id, one --head, and --label")
	case !(c.SelectionProbability >= 0 && c.SelectionProbability <= 1):
		return usagef("--selection-probability %v: want 0 to 1", c.SelectionProbability)
	}
	return nil
}

// added is what was done.
type added struct {
	Rows       int  `json:"rows"`
	Labels     int  `json:"labels"`    // of good rows
	Added      int  `json:"added"`     // to the ledger
	Existing   int  `json:"existing"`  // were there already
	Unlabelled int  `json:"unlabeled"` // rows
	Failed     int  `json:"failed"`    // rows
	Dry        bool `json:"validate_only,omitempty"`
}

func (a *added) text(w io.Writer) {
	verb := "added"
	if a.Dry {
		verb, a.Added = "would add at most", a.Labels
	}
	fmt.Fprintf(w, "%s %s of %s", verb, plural(a.Added, "label"), plural(a.Rows, "row"))
	for _, part := range []struct {
		n          int
		noun, what string
	}{{a.Existing, "label", "there already"}, {a.Unlabelled, "row", "without a label"}, {a.Failed, "row", "failed"}} {
		if part.n > 0 {
			fmt.Fprintf(w, ", %s %s", plural(part.n, part.noun), part.what)
		}
	}
	fmt.Fprintln(w)
}

// failed is the error for rows that failed.
func (a *added) failed() error {
	if a.Failed == 0 {
		return nil
	}
	return fmt.Errorf("%s not added", plural(a.Failed, "row"))
}

// A labelsAdd adds labels in batches.
type labelsAdd struct {
	*labelsAddCmd
	*env
	added
	to      adder // nil: nowhere
	batches int
	batch   []ledger.NewLabel
	places  []dataset.Place // of the labels
	bytes   int             // of the texts
}

// Batches are filled up to these, well below what a ledger or a server takes.
const (
	addLabels = 500
	addBytes  = 4 << 20
)

// one adds one label. Its request has no name: who gives a label, another one and
// the first again means it.
func (a *labelsAdd) one(with ledger.NewLabel) error {
	with.Text, with.ID, with.Group, with.Target = a.Text, a.ID, a.Group, a.Target
	with.Head, with.Label = a.Head[0], *a.Label
	if a.to != nil {
		out, err := a.to.Add(a.ctx, "", []ledger.NewLabel{with})
		if err == nil {
			err = out[0].Err
		}
		if err != nil {
			return err
		}
		a.count(out[0])
	}
	a.Rows, a.Labels = 1, 1
	return nil
}

// files adds the labels of files.
func (a *labelsAdd) files(with ledger.NewLabel) error {
	rows := &rowLabels{heads: a.Head, with: with, idPrefix: a.IDPrefix}
	if len(rows.heads) == 0 {
		rows.heads = []string{"topic", "stance"}
	}
	srcs, err := dataset.Files(a.Files, a.stdin)
	if err != nil {
		return err
	}
	opts := rows.options(a.dataFlags)
	if err := rows.checkColumns(srcs, opts); err != nil {
		return err
	}
	for _, src := range srcs {
		for ex, err := range dataset.Rows(src, opts) {
			if err := a.row(rows, ex, err); err != nil {
				return err
			}
		}
	}
	return a.flush()
}

// row takes a row into the batch.
func (a *labelsAdd) row(rows *rowLabels, ex dataset.Example, err error) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	var list []ledger.NewLabel
	if err == nil {
		list, err = rows.labels(ex)
	}
	bad, isBad := errors.AsType[*dataset.RowError](err)
	if err != nil && !isBad {
		return errors.Join(a.flush(), err)
	}
	a.Rows++
	switch {
	case isBad:
		a.fail(bad.Error())
		return nil
	case len(list) == 0:
		a.Unlabelled++
		return nil
	case len(a.batch)+len(list) > addLabels || a.bytes+len(ex.Text)*len(list) > addBytes:
		if err := a.flush(); err != nil {
			return err
		}
	}
	a.Labels += len(list)
	for _, n := range list {
		a.batch, a.places = append(a.batch, n), append(a.places, dataset.Place{File: ex.File, Line: ex.Line})
		a.bytes += len(n.Text)
	}
	return nil
}

// flush adds the batch.
func (a *labelsAdd) flush() error {
	defer func() { a.batch, a.places, a.bytes = nil, nil, 0 }()
	a.batches++
	if len(a.batch) == 0 || a.to == nil {
		return nil
	}
	out, err := a.to.Add(a.ctx, a.requestID(), a.batch)
	if err != nil {
		return fmt.Errorf("%s: %w; the labels of the rows before it are added: the same command adds the rest", a.places[0], err)
	}
	var failed dataset.Place
	for i, o := range out {
		if o.Err == nil {
			a.count(o)
		} else if a.places[i] != failed { // a row fails once, whatever its heads
			failed = a.places[i]
			a.fail(fmt.Sprintf("%s: %v", failed, o.Err))
		}
	}
	return nil
}

func (a *labelsAdd) count(o ledger.Outcome) {
	if o.Existing {
		a.Existing++
	} else {
		a.Added++
	}
}

// fail tells of a row; of many, the first.
func (a *labelsAdd) fail(msg string) {
	switch a.Failed++; {
	case a.Failed <= maxListed:
		fmt.Fprintln(a.stderr, msg)
	case a.Failed == maxListed+1:
		fmt.Fprintln(a.stderr, "and more")
	}
}

// requestID names a batch by its number and what it holds. Names of files are left
// out: they may be given in another way the next time.
func (a *labelsAdd) requestID() string {
	if a.Anew {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "labels add\n%d\n", a.batches)
	enc := json.NewEncoder(h)
	for i, n := range a.batch {
		if err := enc.Encode([]any{a.places[i].Line, n}); err != nil {
			panic(err) // strings, numbers and times
		}
	}
	return "add-" + strings.ToLower(hex.EncodeToString(h.Sum(nil)[:16]))
}
