package main

import "github.com/parley-nlp/parley/internal/train"

// An evalCmd is "classifier eval".
type evalCmd struct {
	Files []string `arg:"" name:"file" help:"Labelled files (JSONL, CSV, TSV, also .gz or .zst), folders of them, or - for standard input."`
	Model string   `short:"m" required:"" placeholder:"FILE" help:"Model file to judge."`
	JSON  bool     `name:"json" help:"Write the report as JSON."`
	labelFlags
}

// Run judges a model on labelled rows. Without --head it judges the heads of
// the model for which there are labels.
func (c *evalCmd) Run(e *env) error {
	m, err := readModel(c.Model)
	if err != nil {
		return err
	}
	set, warnings, err := c.read(e, c.Files)
	if err != nil {
		return err
	}
	report, err := train.Evaluate(m, set.Examples, set.Heads)
	if err != nil {
		return err
	}
	report.Warnings = append(warnings, report.Warnings...)
	return writeReport(e, report, c.JSON)
}
