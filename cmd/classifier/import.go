package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parley-nlp/parley/internal/bayesian"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/quote"
	"github.com/parley-nlp/parley/internal/train"
)

// An importCmd is "classifier import".
type importCmd struct {
	Path string   `arg:"" name:"file" help:"Model file of navossoc/bayesian or jbrukh/bayesian (as WriteToFile makes it), or the folder of its classes (WriteClassesToFile)."`
	Text []string `arg:"" optional:"" help:"With --scores: texts, each an argument. Default: standard input, a text a line."`

	Out   string   `short:"o" placeholder:"FILE" help:"Model file to write. Default: ${model}."`
	JSON  bool     `name:"json" help:"Write the report as JSON."`
	Head  string   `default:"label" placeholder:"NAME" help:"Name of the head. Default: ${default}."`
	Alpha *float64 `placeholder:"A" help:"Smoothing, in counts. Default: 1."`
	Prior *string  `placeholder:"PRIOR" enum:"tokens,uniform" help:"Shares of the labels to expect: tokens (their shares of the words learned, as that library does) or uniform. Default: tokens."`

	Scores bool `help:"Import nothing: answer texts as that library does, in JSON lines. Words are what stands between spaces. Where its probabilities are undefined, proper ones are given beside them."`
}

// Run makes a model of the counts of another library, or answers as it does.
func (c *importCmd) Run(e *env) error {
	if c.Scores {
		return c.runScores(e)
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	out := cmp.Or(c.Out, defaultModel)
	if err := checkOutput(out); err != nil {
		return err
	}
	m, report, err := c.convert(cfg)
	if err != nil {
		return err
	}
	if err := writeOutput(out, func(w io.Writer) error { _, err := w.Write(m.Bytes()); return err }); err != nil {
		return err
	}
	return writeReport(e, report, c.JSON)
}

// config is what the flags say.
func (c *importCmd) config() (train.ImportConfig, error) {
	cfg := train.ImportConfig{Head: c.Head, Alpha: 1, Uniform: c.Prior != nil && *c.Prior == "uniform"}
	if len(c.Text) > 0 {
		return cfg, usagef("texts are for --scores")
	}
	if err := model.CheckName(c.Head); err != nil {
		return cfg, usagef("--head: %w", err)
	}
	alphas, err := pinnedStrength("--alpha", c.Alpha)
	if len(alphas) > 0 {
		cfg.Alpha = alphas[0]
	}
	return cfg, err
}

// convert makes a model of the file's counts.
func (c *importCmd) convert(cfg train.ImportConfig) (*model.Model, *train.ImportReport, error) {
	source, err := readBayesian(c.Path)
	if err != nil {
		return nil, nil, err
	}
	counts, err := source.Counts()
	if errors.Is(err, bayesian.ErrNoCounts) {
		err = fmt.Errorf("%w: it cannot be imported; with --scores it answers as that library does", err)
	}
	if err != nil {
		return nil, nil, at(c.Path, err)
	}
	m, report, err := train.Import(counts, cfg)
	if err != nil {
		return nil, nil, at(c.Path, err)
	}
	if unlisted := source.Unlisted(); len(unlisted) > 0 {
		report.Warnings = append(report.Warnings, "classes that the file has words for but does not list are left out: "+quote.List(unlisted))
	}
	return m, report, nil
}

// readBayesian reads a model of the other library from a file, or from a folder
// of one file a class.
func readBayesian(path string) (*bayesian.Classifier, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if info.IsDir() {
		c, err := bayesian.ReadClasses(os.DirFS(path))
		return c, at(path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	c, err := bayesian.Read(f)
	return c, at(path, err)
}

// at says at which path an error came up.
func at(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}
