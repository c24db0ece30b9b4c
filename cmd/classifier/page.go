package main

import (
	"io"
	"path/filepath"

	"github.com/parley-nlp/parley/internal/page"
	"github.com/parley-nlp/parley/internal/train"
)

// pageFlag asks for a report as a web page.
type pageFlag struct {
	HTML string `name:"html" placeholder:"FILE" help:"Write the report as a web page too: one file, with all plots and tables."`
}

// checkPage refuses a file that could not be written, before the work is done.
func (f pageFlag) checkPage() error {
	if f.HTML == "" {
		return nil
	}
	return checkOutput(f.HTML)
}

// writePage writes the page, if there is to be one.
func (f pageFlag) writePage(e page.Evaluation) error {
	if f.HTML == "" {
		return nil
	}
	return writeOutput(f.HTML, func(w io.Writer) error { return page.Write(w, e) })
}

// trainedPage is the page of a training run that wrote a model to path.
func trainedPage(path string, r *train.Report) page.Evaluation {
	e := evaluatedPage(path, r)
	e.Trained = true
	return e
}

// evaluatedPage is the page of an evaluation of the model at path.
func evaluatedPage(path string, r *train.Report) page.Evaluation {
	e := page.Evaluation{
		Title: filepath.Base(path), Revision: r.Revision, Rows: r.Rows, Sources: r.Sources,
		ModelBytes: r.ModelBytes, FeatureCount: r.FeatureCount, Features: r.Features, Warnings: r.Warnings,
	}
	for i := range r.Heads {
		h := &r.Heads[i]
		head := page.Head{
			Name: h.Head, Chosen: h.Chosen(), Metrics: h.Metrics, Details: h.Details,
			LearningCurve: h.LearningCurve, GainFrom100: h.GainFrom100, Answered: h.Answered,
			Nested: h.Nested, Thresholds: h.Thresholds,
		}
		if h.Keywords != nil {
			head.Keywords = &page.Baseline{Accuracy: h.Keywords.Accuracy, MacroF1: h.Keywords.MacroF1}
		}
		e.Heads = append(e.Heads, head)
	}
	return e
}
