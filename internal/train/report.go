package train

import (
	"bufio"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/model"
)

// A Report is what a training run or an evaluation found out.
type Report struct {
	Revision     string       `json:"revision"`
	ModelBytes   int          `json:"model_bytes"`
	Features     string       `json:"features"`
	FeatureCount int          `json:"feature_count"`
	Rows         int          `json:"rows"`
	Sources      int          `json:"sources"`              // documents, near-duplicates joined
	Folds        int          `json:"folds,omitempty"`      // of the cross-validation; 0 when there was none
	TrainedOn    bool         `json:"trained_on,omitempty"` // of an evaluation: the rows are just those of the training
	Heads        []HeadReport `json:"heads"`
	Warnings     []string     `json:"warnings,omitempty"`
}

// A HeadReport is about one head.
type HeadReport struct {
	Head string `json:"head"`
	Metrics
	Chosen             string            `json:"chosen,omitempty"`
	InverseTemperature float64           `json:"inverse_temperature,omitempty"`
	Candidates         []CandidateReport `json:"candidates,omitempty"` // in the order tried
	Answered           int               `json:"answered,omitempty"`   // rows on which the model did not abstain
}

// A CandidateReport is how one choice did in cross-validation.
type CandidateReport struct {
	Candidate string  `json:"candidate"`
	MacroF1   float64 `json:"macro_f1"`
	Accuracy  float64 `json:"accuracy"`
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// describe fills in what the model file says.
func (r *Report) describe(m *model.Model) {
	r.Revision, r.ModelBytes = m.Revision(), len(m.Bytes())
	r.Features, r.FeatureCount = m.Features().String(), m.FeatureCount()
}

func (h *trainedHead) report() HeadReport {
	r := HeadReport{Head: h.name, Metrics: h.metrics, Chosen: h.chosen.String(), InverseTemperature: h.inverseTemperature}
	for _, t := range h.trials {
		r.Candidates = append(r.Candidates, CandidateReport{t.String(), t.macroF1, t.accuracy})
	}
	return r
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "revision  %s\n", r.Revision)
	fmt.Fprintf(b, "model     %s, %d features, %d bytes\n", r.Features, r.FeatureCount, r.ModelBytes)
	fmt.Fprintf(b, "data      %d rows from %d sources\n", r.Rows, r.Sources)
	if r.Folds > 0 {
		fmt.Fprintf(b, "judged    by %d-fold cross-validation, no source in two folds\n", r.Folds)
	}
	for _, h := range r.Heads {
		h.writeText(b)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", w)
	}
	return b.Flush()
}

func (h *HeadReport) writeText(b *bufio.Writer) {
	fmt.Fprintf(b, "\n%s\n", h.Head)
	if h.Chosen != "" {
		fmt.Fprintf(b, "  chosen       %s", h.Chosen)
		if n := len(h.Candidates); n > 1 {
			fmt.Fprintf(b, " (best of %d by macro-F1)", n)
		}
		fmt.Fprintln(b)
	}
	if h.Examples == 0 {
		fmt.Fprintln(b, "  not evaluated")
		return
	}
	fmt.Fprintf(b, "  macro-F1     %.3f    %s\n", h.MacroF1, h.beside(h.MacroF1Interval, h.MajorityMacroF1, h.KeywordMacroF1))
	fmt.Fprintf(b, "  accuracy     %.3f    %s\n", h.Accuracy, h.beside(h.AccuracyInterval, h.MajorityAccuracy, h.KeywordAccuracy))
	fmt.Fprintf(b, "  ECE          %.3f    perfectly calibrated: %.3f\n", h.ECE, h.PerfectECE)
	fmt.Fprintf(b, "  NLL          %.3f    label shares alone: %.3f\n", h.NLL, h.BaseNLL)
	if h.Chosen == "" { // an evaluation
		fmt.Fprintf(b, "  answered     %.3f    of %d rows\n", ratio(h.Answered, h.Examples), h.Examples)
	}
	h.writeLabels(b)
	h.writeConfusion(b)
}

// beside is what a measure is to be seen with: its interval and what simple
// rules reach.
func (h *HeadReport) beside(i Interval, majority, keywords float64) string {
	s := fmt.Sprintf("95%% interval %.3f to %.3f, always %q %.3f", i.Low, i.High, h.MajorityLabel, majority)
	if h.Chosen != "" { // a training run, which has texts to take keywords from
		s += fmt.Sprintf(", keywords %.3f", keywords)
	}
	return s
}

func (h *HeadReport) writeLabels(b *bufio.Writer) {
	width := labelWidth(h.Labels)
	fmt.Fprintf(b, "\n  %-*s  %5s  %9s  %6s  %5s\n", width, "label", "n", "precision", "recall", "F1")
	for _, l := range h.Labels {
		fmt.Fprintf(b, "  %-*s  %5d  %9.3f  %6.3f  %5.3f\n", width, l.Label, l.Examples, l.Precision, l.Recall, l.F1)
	}
}

// maxConfusion is how many labels a confusion matrix for people may have.
const maxConfusion = 20

func (h *HeadReport) writeConfusion(b *bufio.Writer) {
	if len(h.Labels) > maxConfusion {
		fmt.Fprintf(b, "\n  confusion matrix of %d labels: see --json\n", len(h.Labels))
		return
	}
	width := labelWidth(h.Labels)
	fmt.Fprintf(b, "\n  %-*s  predicted\n  %-*s", width, "true", width, "")
	for i := range h.Labels {
		fmt.Fprintf(b, " %4s", column(i))
	}
	fmt.Fprintln(b)
	for i, l := range h.Labels {
		fmt.Fprintf(b, "  %-*s", width, l.Label)
		for _, n := range h.Confusion[i] {
			fmt.Fprintf(b, " %4d", n)
		}
		fmt.Fprintf(b, "  %s\n", column(i))
	}
}

// column names the i-th column of a confusion matrix: a, b, c, ...
func column(i int) string { return string(rune('a' + i)) }

func labelWidth(labels []LabelMetrics) int {
	width := len("label")
	for _, l := range labels {
		width = max(width, utf8.RuneCountInString(l.Label))
	}
	return width
}
