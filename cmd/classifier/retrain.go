package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/retrain"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// A retrainCmd is "classifier retrain".
type retrainCmd struct {
	Ledger    string   `required:"" placeholder:"URL" help:"Ledger of labels: a SQLite file or postgres://HOST/DATABASE."`
	Store     string   `required:"" placeholder:"URL" help:"Store of models, as of the command models."`
	ModelName string   `default:"default" placeholder:"NAME" help:"Model in the store. Default: ${default}."`
	Base      []string `sep:"none" placeholder:"FILE" help:"Labelled file or folder to train on beside the ledger; repeat for several. A label of the ledger takes the place of theirs."`
	Holdout   float64  `default:"${holdout}" placeholder:"SHARE" help:"Share of the sources that are never trained on and that candidate and champion are compared on. Default: ${default}."`
	Reason    string   `enum:"auto,data,correction,new-label,forgetting" default:"auto" help:"Why: data must make it better; correction and new-label must not make it worse; forgetting promotes unless a harm is shown. Default: auto, from what the ledger says since the champion."`
	Search    bool     `help:"Choose anew how the model is made, which takes minutes, instead of making it as the champion was made."`
	SourceCap int      `default:"0" placeholder:"N" help:"Most rows that one source of the ledger may add; -1: no limit. Default: as for the champion; for the first, with --base, a quarter of all rows, or 200 if that is more."`
	Force     bool     `help:"Promote whatever the comparison says. The card and the history of the alias tell."`
	DryRun    bool     `help:"Change nothing; show the verdict, the answers that would change and the features that move most."`
	Probe     []string `sep:"none" placeholder:"FILE" help:"With --dry-run: texts whose answers to compare, too."`
	Top       int      `default:"5" placeholder:"N" help:"With --dry-run: features to show a label. Default: ${default}."`
	Note      string   `placeholder:"TEXT" help:"What to say of it in the card and the history."`
	JSON      bool     `name:"json" help:"Write the report as JSON."`
	labelFlags
	choiceFlags  `group:"What to choose from, with --search or where no champion says how:"`
	purposeFlags `group:"What answers shall be good for, likewise:"`
}

// Help says what comes of it.
func (c *retrainCmd) Help() string {
	return `Trains a candidate on base files and ledger, holds labels back that are too
surprising, compares the candidate with the live revision on sources that neither was
trained on, publishes it, and points the alias live to it if it deserves that.

Exit codes: 0 the candidate is live, or there was nothing to do; 3 it was held back,
and the report and its card say why; 1 it failed, and nothing has changed that a second
run would not put right; 2 misused.

It may run as often as you like, several at once: the same data make the same
revision, and of two that would move the alias one does.`
}

// exitHeldBack is the exit code of a candidate that was not promoted.
const exitHeldBack = 3

// An exitError ends the program with a code of its own, its report being written.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// Run retrains.
func (c *retrainCmd) Run(e *env) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	bar := newProgress(e.stderr, "training")
	o.Progress = bar.update
	var report *retrain.Report
	err = withStore(e, c.Store, func(s *store.Store) error {
		return (&labelsCmd{Ledger: c.Ledger}).with(e, func(l *ledger.Ledger) (err error) {
			report, err = retrain.Run(e.ctx, l, s, o)
			return err
		})
	})
	bar.clear()
	if err != nil {
		return explainRetrain(err)
	}
	if err := writeReport(e, report, c.JSON); err != nil {
		return err
	}
	if report.Outcome == retrain.HeldBack {
		return exitError{exitHeldBack}
	}
	return nil
}

// explainRetrain keeps the context's own error recognisable.
func explainRetrain(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return err
}

// options are what the flags and the base files say.
func (c *retrainCmd) options(e *env) (retrain.Options, error) {
	o := retrain.Options{
		Model: c.ModelName, Heads: c.Head, SourceCap: c.SourceCap, Share: c.Holdout, Search: c.Search, Force: c.Force, DryRun: c.DryRun,
		Top: c.Top, Program: buildVersion(), Note: c.Note, Config: train.Default(), Proof: c.proof(),
	}
	switch {
	case !(c.Holdout > 0 && c.Holdout <= retrain.MaxShare):
		return o, usagef("--holdout %v: want above 0, %v at most", c.Holdout, retrain.MaxShare)
	case c.Top < 1 || c.Top > 1000:
		return o, usagef("--top %d: want 1 to 1000", c.Top)
	case len(c.Probe) > 0 && !c.DryRun:
		return o, usagef("--probe is for --dry-run")
	}
	if c.Reason != "auto" {
		o.Occasion = judge.Occasion(c.Reason)
	}
	if err := c.choiceFlags.apply(&o.Config); err != nil {
		return o, err
	}
	if err := c.purposeFlags.apply(&o.Config); err != nil {
		return o, err
	}
	if err := c.readBase(e, &o); err != nil {
		return o, err
	}
	return o, c.readProbe(e, &o)
}

// readBase reads the base files, and hashes them for the record of the training.
func (c *retrainCmd) readBase(e *env, o *retrain.Options) error {
	if len(c.Base) == 0 {
		return nil
	}
	set, warnings, err := c.read(e, c.Base)
	if err != nil {
		return fmt.Errorf("--base: %w", err)
	}
	for _, w := range warnings {
		fmt.Fprintf(e.stderr, "classifier: --base: %s\n", w)
	}
	o.Base, o.BaseHeads = set.Examples, set.Heads
	o.BaseFiles, err = baseFiles(c.Base)
	return err
}

// readProbe reads texts to ask candidate and champion.
func (c *retrainCmd) readProbe(e *env, o *retrain.Options) error {
	if len(c.Probe) == 0 {
		return nil
	}
	srcs, err := dataset.Files(c.Probe, e.stdin)
	if err != nil {
		return fmt.Errorf("--probe: %w", err)
	}
	opts := c.labelFlags.options()
	opts.NoLabels = true
	set, err := dataset.ReadAll(srcs, opts)
	if err != nil {
		return fmt.Errorf("--probe: %w", err)
	}
	if len(set.RowErrors) > 0 {
		return fmt.Errorf("--probe: %w", set.RowErrors[0])
	}
	o.Probe = set.Examples
	return nil
}

// proof is the command that shows that the live revision holds no forgotten text.
// The ledger's URL may have a password: it stays out.
func (c *retrainCmd) proof() string {
	ledger := "LEDGER"
	if _, file := ledgerFile(c.Ledger); file {
		ledger = shellQuote(c.Ledger)
	}
	words := []string{"classifier", "models", "verify", "--store", shellQuote(c.Store), "--model", shellQuote(c.ModelName), "--against-ledger", ledger}
	for _, b := range c.Base {
		words = append(words, "--base", shellQuote(b))
	}
	return strings.Join(append(words, store.Live), " ")
}
