package main

import (
	"encoding/json"
	"io"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// A trainCmd is "classifier train".
type trainCmd struct {
	Files []string `arg:"" name:"file" help:"Labelled files (JSONL, CSV, TSV, also .gz or .zst), folders of them, or - for standard input."`
	Out   string   `short:"o" default:"classifier.model" placeholder:"FILE" help:"Model file to write. Default: ${default}."`
	JSON  bool     `name:"json" help:"Write the report as JSON."`
	labelFlags

	Preset    string   `enum:"auto,short,long" default:"auto" help:"Features: short (words 1-3 and characters 2-5), long (words 1-2), or auto, the better one in cross-validation."`
	Estimator string   `enum:"auto,mnb,cnb" default:"auto" help:"Naive Bayes to use: mnb (multinomial), cnb (complement), or auto."`
	Value     string   `enum:"auto,binary,tf" default:"auto" help:"What a feature counts for: binary, tf (its occurrences), or auto."`
	Alpha     *float64 `placeholder:"A" help:"Smoothing, in counts. Default: the best of 1, 0.3, 0.1, 0.03 and 0.01."`
	Folds     int      `default:"5" help:"Folds of the cross-validation."`
}

// Run trains a model, writes it and reports.
func (c *trainCmd) Run(e *env) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	set, warnings, err := c.read(e, c.Files)
	if err != nil {
		return err
	}
	bar := newProgress(e.stderr, "training")
	cfg.Progress = bar.update
	m, report, err := train.Train(e.ctx, set.Examples, set.Heads, cfg)
	bar.clear()
	if err != nil {
		return err
	}
	report.Warnings = append(warnings, report.Warnings...)
	if err := writeOutput(c.Out, func(w io.Writer) error { _, err := w.Write(m.Bytes()); return err }); err != nil {
		return err
	}
	return writeReport(e, report, c.JSON)
}

// config is the search space with what the flags pin.
func (c *trainCmd) config() (train.Config, error) {
	cfg := train.Default()
	cfg.Folds = c.Folds
	if c.Folds < 2 || c.Folds > 100 {
		return cfg, usagef("--folds %d: want 2 to 100", c.Folds)
	}
	switch c.Preset {
	case "short":
		cfg.Features = []model.Features{train.ShortText}
	case "long":
		cfg.Features = []model.Features{train.LongText}
	}
	switch c.Estimator {
	case "mnb":
		cfg.Estimators = []train.Estimator{train.MultinomialNB}
	case "cnb":
		cfg.Estimators = []train.Estimator{train.ComplementNB}
	}
	switch c.Value {
	case "binary":
		cfg.Values = []model.Value{model.Binary}
	case "tf":
		cfg.Values = []model.Value{model.TF}
	}
	if c.Alpha != nil {
		if !(*c.Alpha >= train.MinAlpha && *c.Alpha <= train.MaxAlpha) {
			return cfg, usagef("--alpha %v: want %v to %v", *c.Alpha, train.MinAlpha, train.MaxAlpha)
		}
		cfg.Alphas = []float64{*c.Alpha}
	}
	return cfg, nil
}

func writeReport(e *env, r *train.Report, asJSON bool) error {
	if !asJSON {
		return r.WriteText(e.stdout)
	}
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
