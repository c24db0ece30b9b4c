package main

import (
	"fmt"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// An evalCmd is "classifier eval".
type evalCmd struct {
	Files   []string `arg:"" name:"file" help:"Labelled files (JSONL, CSV, TSV, also .gz or .zst), folders of them, or - for standard input. With --compare the first two are model files."`
	Model   string   `short:"m" required:"" xor:"judged" placeholder:"FILE" help:"Model file to judge."`
	Store   string   `required:"" xor:"judged" placeholder:"URL" help:"Judge a model of a store (see models) instead of a file."`
	Compare bool     `required:"" xor:"judged" help:"Compare two models, eval --compare CHAMPION CHALLENGER FILE ...: does the challenger answer better, on rows that neither was trained on? The exit code is 0 whatever the verdict."`
	JSON    bool     `name:"json" help:"Write the report as JSON."`
	revisionFlags
	pageFlag
	labelFlags
}

// load returns the model to judge, and what it is called.
func (c *evalCmd) load(e *env) (*model.Model, string, error) {
	if c.Store != "" {
		m, err := storeModel(e, c.Store, c.ModelName, c.Revision)
		return m, c.ModelName + " " + c.Revision, err
	}
	m, err := readModel(c.Model)
	return m, c.Model, err
}

// Run judges a model on labelled rows, or two against each other: the heads of
// --head, or of topic and stance those that the rows have labels for.
func (c *evalCmd) Run(e *env) error {
	if err := c.checkPage(); err != nil {
		return err
	}
	if c.Compare {
		return c.compare(e)
	}
	m, name, err := c.load(e)
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
	if err := c.writePage(evaluatedPage(name, report)); err != nil {
		return err
	}
	return writeReport(e, report, c.JSON)
}

// compare compares the models that the first two arguments name.
func (c *evalCmd) compare(e *env) error {
	if len(c.Files) < 3 {
		return usagef("--compare: want the champion's model file, the challenger's, and labelled files")
	}
	champion, err := readModel(c.Files[0])
	if err != nil {
		return fmt.Errorf("champion: %w", err)
	}
	challenger, err := readModel(c.Files[1])
	if err != nil {
		return fmt.Errorf("challenger: %w", err)
	}
	set, warnings, err := c.read(e, c.Files[2:])
	if err != nil {
		return err
	}
	report, err := train.CompareModels(champion, challenger, set.Examples, set.Heads)
	if err != nil {
		return err
	}
	report.Warnings = append(warnings, report.Warnings...)
	if err := c.writeComparison(challenger, set, report); err != nil {
		return err
	}
	return writeReport(e, report, c.JSON)
}

// writeComparison writes the page: the challenger's evaluation, and how it
// compares.
func (c *evalCmd) writeComparison(challenger *model.Model, set *dataset.Set, report *train.ComparisonReport) error {
	if c.HTML == "" {
		return nil
	}
	evaluation, err := train.Evaluate(challenger, set.Examples, set.Heads)
	if err != nil {
		return err
	}
	p := evaluatedPage(c.Files[1], evaluation)
	p.Champion, p.Warnings = report.Champion.Revision, report.Warnings
	for i := range p.Heads {
		p.Heads[i].Comparison = &report.Heads[i].Comparison
	}
	return c.writePage(p)
}
