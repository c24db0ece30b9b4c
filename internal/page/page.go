// Package page writes an evaluation as one HTML page that a person can read,
// print, send and keep: a single file that asks for nothing else, runs no
// script and works under a strict content security policy.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the template and the style sheet
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/parley-nlp/parley/internal/judge"
)

// An Evaluation says how good a model is on labelled data.
type Evaluation struct {
	Title, Revision string
	Champion        string // revision of the model that it is compared with, "" for none
	// Trained is true when the figures are those of the cross-validation at
	// training rather than of a file.
	Trained       bool
	Rows, Sources int // of the data; Sources may be 0: unknown
	ModelBytes    int
	FeatureCount  int
	Features      string // what is taken from a text
	Heads         []Head
	Warnings      []string
}

// A Head is one task of the model.
type Head struct {
	Name   string
	Chosen string // the estimator, "" when not known
	judge.Metrics
	judge.Details
	LearningCurve []judge.LearningPoint
	// GainFrom100 is what 100 more labelled rows are expected to add to
	// macro-F1, 0 or NaN when unknown.
	GainFrom100 float64
	Answered    int // rows on which the model did not abstain; of no meaning when Trained
	// Keywords is what a list of words for each label reaches, nil when not known.
	Keywords *Baseline
	// Nested are the figures of each repeat of a nested validation, Thresholds
	// those found for a purpose; both are there only when asked for.
	Nested     []judge.Metrics
	Thresholds []judge.Threshold
	// Comparison is with the model in use, nil when there is none.
	Comparison *judge.Comparison
}

// A Baseline is how good a simple rule is.
type Baseline struct{ Accuracy, MacroF1 float64 }

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// Write writes e as an HTML page. Equal evaluations give equal pages.
func Write(w io.Writer, e Evaluation) error {
	v, err := newView(e)
	if err != nil {
		return fmt.Errorf("page of %q: %w", e.Title, err)
	}
	var b bytes.Buffer // a page appears whole or not at all
	if err := pageTemplate.Execute(&b, v); err != nil {
		return fmt.Errorf("page of %q: %w", e.Title, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// policy is the page's content security policy: its own style sheet, by its
// hash, and nothing else.
func policy(css string) string {
	hash := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
}
