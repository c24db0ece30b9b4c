package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// A trainCmd is "classifier train".
type trainCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"Labelled files (JSONL, CSV, TSV, also .gz or .zst), folders of them, or - for standard input."`
	Out   string   `short:"o" default:"${model}" placeholder:"FILE" help:"Model file to write. Default: ${default}."`
	JSON  bool     `name:"json" help:"Write the report as JSON."`
	// Stream is for more text than memory has room for.
	Stream bool `help:"Read the files again for every pass over them, about twenty times, and keep no texts in memory: for more text than there is memory. Wants naive Bayes and a preset (--estimator mnb, cnb or twcnb; --preset short or long). The model is the same; repeated rows are not warned of."`
	pageFlag
	labelFlags
	choiceFlags  `group:"What to choose from; each flag pins a choice:"`
	judgingFlags `group:"How the choice is judged:"`
	countedFlags `group:"Training on counts, for more rows than one machine reads:"`
	priorFlags   `group:"Shares of the labels where the model is used:"`
	purposeFlags `group:"What answers shall be good for:"`
}

// Run trains a model, writes it and reports.
func (c *trainCmd) Run(e *env) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if err := c.checkOutputs(); err != nil {
		return err
	}
	set, fit, warnings, err := c.data(e)
	if err != nil {
		return err
	}
	if err := c.checkLabels(set); err != nil {
		return err
	}
	prior, more, err := c.prior(e, set, c.labelFlags)
	if err != nil {
		return err
	}
	cfg.Prior = prior
	bar := newProgress(e.stderr, "training")
	cfg.Progress = bar.update
	m, report, err := fit(cfg)
	bar.clear()
	if err != nil {
		return err
	}
	if err := c.checkJudged(report); err != nil {
		return err
	}
	report.Warnings = append(append(warnings, more...), report.Warnings...)
	return c.write(e, m, report)
}

// A fit trains on the rows of a command's files.
type fit func(cfg train.Config) (*model.Model, *train.Report, error)

// streamGarbage is how much garbage --stream and counting let gather, in percent of what is in
// use: it takes a tenth more time than with the usual 100, and a quarter less
// memory.
const streamGarbage = 25

// data reads the labelled files. With --stream the set has of the rows only what
// labels there are.
func (c *trainCmd) data(e *env) (*dataset.Set, fit, []string, error) {
	if c.on() {
		return c.counted(e)
	}
	if c.Stream {
		debug.SetGCPercent(streamGarbage)
		s, set, warnings, err := c.stream(e, c.Files)
		return set, func(cfg train.Config) (*model.Model, *train.Report, error) {
			return train.Stream(e.ctx, s.rows, set.Heads, cfg)
		}, warnings, err
	}
	set, warnings, err := c.read(e, c.Files)
	return set, func(cfg train.Config) (*model.Model, *train.Report, error) {
		return train.Train(e.ctx, set.Examples, set.Heads, cfg)
	}, warnings, err
}

// config is the default search with what the flags pin.
func (c *trainCmd) config() (train.Config, error) {
	cfg := train.Default()
	if err := c.choiceFlags.apply(&cfg); err != nil {
		return cfg, err
	}
	if err := c.judgingFlags.apply(&cfg); err != nil {
		return cfg, err
	}
	if err := c.priorFlags.check(c.Files); err != nil {
		return cfg, err
	}
	if err := c.purposeFlags.apply(&cfg); err != nil {
		return cfg, err
	}
	if err := cmp.Or(c.checkCounted(&cfg), c.checkStream(&cfg)); err != nil {
		return cfg, err
	}
	if c.Prior != "train" && (len(c.Threshold) > 0 || c.LabelSets != nil) {
		return cfg, usagef("--threshold and --label-sets hold for the shares of the training data: they can't be used with --prior %s", c.Prior)
	}
	return cfg, nil
}

// checkOutputs refuses files that could not be written, before the work is
// done.
func (c *trainCmd) checkOutputs() error {
	if samePath(c.Out, c.HTML) {
		return usagef("--out and --html: want two files, not %s for both", c.Out)
	}
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	return c.checkPage()
}

func (c *trainCmd) write(e *env, m *model.Model, report *train.Report) error {
	if err := writeOutput(c.Out, func(w io.Writer) error { _, err := w.Write(m.Bytes()); return err }); err != nil {
		return err
	}
	if err := c.writePage(trainedPage(c.Out, report)); err != nil {
		return err
	}
	return writeReport(e, report, c.JSON)
}

// A textWriter is a report that can be written for people. As JSON it is
// itself.
type textWriter interface{ WriteText(io.Writer) error }

func writeReport(e *env, r textWriter, asJSON bool) error {
	if !asJSON {
		return r.WriteText(e.stdout)
	}
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
