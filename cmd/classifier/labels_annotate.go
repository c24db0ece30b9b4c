package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/annotate"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/score"
)

// A labelsAnnotateCmd is "classifier labels annotate".
type labelsAnnotateCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"Label the texts of these files. Default: those of the ledger's queue, which labels suggest fills."`
	dataFlags
	Head        []string `sep:"none" placeholder:"NAME" help:"Head to label; repeat for several. Default: those of the queue; for files those of the model."`
	Choice      []string `sep:"none" placeholder:"HEAD=LABEL" help:"A label of a head, beside those that the ledger and the model have; repeat for several."`
	Conflicts   bool     `xor:"what" help:"Second pass: settle what annotators disagree on. All labels are shown, and the answer counts instead of them."`
	Quarantined bool     `xor:"what" help:"Second pass over quarantined labels: the same label confirms it, another one replaces it."`
	annotatorFlag
	Source    string `placeholder:"NAME" help:"System or batch that the labels come from. Default: annotate."`
	Selection string `enum:",random,uncertain,correction,suspect,other" default:"" placeholder:"HOW" help:"With files: how the texts were chosen: random, uncertain, correction, suspect or other."`

	Model string `short:"m" xor:"who" placeholder:"FILE" help:"Show what this model says, with its evidence. Default: what the queue has kept."`
	Store string `xor:"who" placeholder:"URL" help:"Take the model from a store (see models)."`
	Addr  string `xor:"who" placeholder:"HOST:PORT" help:"Ask a server instead."`
	revisionFlags
	connectFlags
	Blind      bool `help:"Do not show what a model says: whoever sees it tends to agree with it."`
	ShowRandom bool `help:"Show what a model says of texts that were chosen at random, too."`
}

// Help tells the keys, and why some answers are blind.
func (c *labelsAnnotateCmd) Help() string {
	return `Each label has a key, which is shown. Other keys: "." skips the text, "<" or Backspace
takes the last answer back, "/" looks for a label by its name, space turns the pages
of a long text, Q or Ctrl-C leaves. Every answer is durable in the ledger before the
next text is shown, and taken back there too: leave at any time and go on later.
Texts that were skipped do not come again to the same annotator.

What a model says of texts that were chosen at random is not shown unless
--show-random asks for it. Those labels judge the model: who has seen its answer
tends to agree with it, and the model would look better than it is.

Without a terminal, answers are lines of standard input: a key, a label, or one of
the words skip, undo and quit.`
}

// Run labels until there is nothing left or the annotator leaves.
func (c *labelsAnnotateCmd) Run(e *env, l *labelsCmd) error {
	if len(c.Files) > 0 && (c.Conflicts || c.Quarantined) {
		return usagef("--conflicts and --quarantined are about the ledger's labels: they don't go with files")
	}
	if len(c.Files) == 0 && c.Selection != "" {
		return usagef("--selection goes with files: the queue knows how its texts were chosen")
	}
	who, err := c.name()
	if err != nil {
		return err
	}
	predictor, done, err := c.predictor(e)
	if err != nil {
		return err
	}
	defer done()
	open := l.with
	if len(c.Files) > 0 {
		open = l.open // there is something to label: the ledger may be new
	}
	return open(e, func(led *ledger.Ledger) error { return c.session(e, l, led, who, predictor) })
}

// session labels with an open ledger.
func (c *labelsAnnotateCmd) session(e *env, l *labelsCmd, led *ledger.Ledger, who string, p *predictor) error {
	w := &annotation{cmd: c, env: e, led: led, who: who, predictor: p}
	if err := w.prepare(); err != nil {
		return withHint(err, e.args)
	}
	if len(w.tasks) == 0 {
		fmt.Fprintln(e.stderr, w.nothing())
	}
	cfg := annotate.Config{Work: w, Labels: w.labels, Who: who, Total: w.total}
	run := func() (annotate.Summary, error) { return annotate.RunLines(e.ctx, cfg, e.stdin, e.stderr) }
	if in, out := e.terminals(); in != nil {
		run = func() (annotate.Summary, error) { return annotate.RunTerminal(e.ctx, cfg, in, out) }
	}
	summary, err := run()
	return errors.Join(err, l.write(e, summary, func(w io.Writer) {
		fmt.Fprintf(w, "%s of %s, %d skipped, %d taken back\n", plural(summary.Labels, "label"), plural(summary.Tasks, "text"), summary.Skipped, summary.Undone)
	}))
}

// nothing says why there is nothing to label.
func (w *annotation) nothing() string {
	switch {
	case w.cmd.Conflicts:
		return "there are no conflicts"
	case w.cmd.Quarantined:
		return "no label is quarantined"
	case len(w.cmd.Files) > 0:
		return "all rows are labelled"
	}
	return "the queue is empty: labels suggest fills it"
}

// choices returns the labels of every head: those that are named, those of the
// ledger, and those of the model.
func (w *annotation) choices(r *ledger.Resolution) (map[string][]string, error) {
	labels := map[string][]string{}
	for _, pair := range w.cmd.Choice {
		head, label, found := strings.Cut(pair, "=")
		if !found || head == "" || label == "" {
			return nil, usagef("--choice %q: want HEAD=LABEL", pair)
		}
		labels[head] = append(labels[head], label)
	}
	for i := range r.Rows {
		for head, label := range r.Rows[i].Labels {
			if !slices.Contains(labels[head], label.Label) {
				labels[head] = append(labels[head], label.Label)
			}
		}
	}
	for head, list := range w.predictor.labels() {
		labels[head] = append(labels[head], list...)
	}
	for head, list := range labels {
		slices.Sort(list)
		labels[head] = slices.Compact(list)
	}
	return labels, nil
}

// A predictor is the model that is asked, if any.
type predictor struct {
	classifier score.Classifier
	heads      []score.Prediction // what it has to say of a text, all labels
}

// evidenceShown is how many terms are asked for.
const evidenceShown = 5

// predictor returns the model that the flags name, and what to call when done.
func (c *labelsAnnotateCmd) predictor(e *env) (*predictor, func(), error) {
	if c.Model == "" && c.Store == "" && c.Addr == "" {
		return nil, func() {}, nil
	}
	ask := askFlags{Model: c.Model, Store: c.Store, Addr: c.Addr, revisionFlags: c.revisionFlags, connectFlags: c.connectFlags}
	classifier, _, done, err := ask.classifier(e, score.Options{Top: -1, Evidence: evidenceShown}, score.Calls{})
	if err != nil {
		return nil, nil, err
	}
	p := &predictor{classifier: classifier}
	rows, err := classifier.Classify(e.ctx, []score.Document{{Text: "labels"}}) // any text gets all labels
	if err == nil && rows[0].Err != nil {
		err = errors.New(rows[0].Err.Message)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	p.heads = rows[0].Predictions
	return p, done, nil
}

// labels are the model's, by head.
func (p *predictor) labels() map[string][]string {
	labels := map[string][]string{}
	if p != nil {
		for _, h := range p.heads {
			for _, s := range h.Scores {
				labels[h.Head] = append(labels[h.Head], s.Label)
			}
		}
	}
	return labels
}

// terminals returns standard input and error when both are terminals.
func (e *env) terminals() (in, out *os.File) {
	in, isIn := e.terminal()
	out, isOut := e.stderr.(*os.File)
	if !isIn || !isOut || !annotate.IsTerminal(in, out) {
		return nil, nil
	}
	return in, out
}
