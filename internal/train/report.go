package train

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/judge"
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
	MinSources   cut          `json:"min_sources"`          // that a feature must occur in: character n-grams, single words, words of two and of three; 0 in an evaluation
	Counted      *Counted     `json:"counted,omitempty"`    // of a training from statistics
	TrainedOn    bool         `json:"trained_on,omitempty"` // of an evaluation: the rows are just those of the training
	Heads        []HeadReport `json:"heads"`
	Recipe       *Recipe      `json:"recipe,omitempty"` // of a training: to do it again without the search
	Warnings     []string     `json:"warnings,omitempty"`
}

// Counted is what a training from statistics did otherwise. Sources are those of the
// sample then.
type Counted struct {
	SampleRows int `json:"sample_rows"` // by which the model was chosen, calibrated and judged
	MinTexts   int `json:"min_texts"`   // that a feature must occur in
	// Split are rows of the sample with near-duplicates in other folds.
	Split int `json:"near_duplicates_in_other_folds,omitempty"`
}

// A HeadReport is about one head.
type HeadReport struct {
	Head string `json:"head"`
	judge.Metrics
	Keywords *Baseline `json:"keywords,omitempty"` // of keywordRule; none in an evaluation
	judge.Details
	LearningCurve []judge.LearningPoint `json:"learning_curve,omitempty"`
	// GainFrom100 is the macro-F1 to be expected from 100 more rows like these.
	GainFrom100 float64 `json:"gain_from_100_more_rows,omitempty"`
	// Nested are the figures of each repeat of the nested validation.
	Nested []judge.Metrics `json:"nested,omitempty"`

	Members []MemberReport `json:"members,omitempty"`
	// Curve corrects the certainty of answers; none: the blend is calibrated.
	Curve []model.CurvePoint `json:"calibration_curve,omitempty"`
	// DecisionWeights are what the labels' probabilities are multiplied by when
	// the best is taken, in the order of labels; none: the most probable wins.
	DecisionWeights []float64         `json:"decision_weights,omitempty"`
	Thresholds      []judge.Threshold `json:"thresholds,omitempty"`
	Coverage        float64           `json:"label_set_coverage,omitempty"`
	Prior           []float64         `json:"prior,omitempty"` // estimated, in the order of labels

	Candidates []CandidateReport `json:"candidates,omitempty"`
	Untried    int               `json:"candidates_beyond_budget,omitempty"`
	Answered   int               `json:"answered,omitempty"` // of an evaluation: rows on which the model did not abstain

	judgements []judge.Judgement
}

// A MemberReport is a candidate that the head is made of.
type MemberReport struct {
	Candidate string  `json:"candidate"`
	PerTarget bool    `json:"per_target,omitempty"`
	Weight    float64 `json:"weight"` // of its scores in the sum
}

// A CandidateReport is how one choice did in cross-validation.
type CandidateReport struct {
	Candidate string  `json:"candidate"`
	PerTarget bool    `json:"per_target,omitempty"`
	Folds     int     `json:"folds"` // that it was judged on
	NLL       float64 `json:"negative_log_likelihood"`
	MacroF1   float64 `json:"macro_f1"`
	Accuracy  float64 `json:"accuracy"`
}

// Chosen says in a line what the head is made of.
func (h *HeadReport) Chosen() string {
	var parts []string
	for _, m := range h.Members {
		s := m.Candidate
		if m.PerTarget {
			s += ", per target"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " + ")
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// describe fills in what the model file says.
func (r *Report) describe(m *model.Model) {
	r.Revision, r.ModelBytes = m.Revision(), len(m.Bytes())
	r.Features, r.FeatureCount = m.Features().String(), m.FeatureCount()
}

// listedCases is how many rows of each kind a report names.
const listedCases = 20

// add reports a head.
func (r *Report) add(h *trainedHead) {
	hr := HeadReport{
		Head: h.name, Metrics: h.metrics, Keywords: &h.keywords,
		Details: judge.Detail(h.labels, h.judgements, listedCases), LearningCurve: h.learning, Curve: h.curve, DecisionWeights: h.decision,
		Thresholds: h.thresholds, Coverage: h.sets.Coverage, Untried: h.left, judgements: h.judgements,
	}
	hr.GainFrom100 = gain(h.learning, 100)
	for _, list := range h.nested {
		hr.Nested = append(hr.Nested, judge.Measure(h.labels, list))
	}
	for i, c := range h.pooled {
		hr.Members = append(hr.Members, MemberReport{c.String(), false, h.pooledBlend.weights[i]})
	}
	for i, c := range h.aimed {
		hr.Members = append(hr.Members, MemberReport{c.String(), true, h.targetBlend.weights[i+1]})
	}
	for _, c := range h.candidates {
		hr.Candidates = append(hr.Candidates, CandidateReport{c.String(), bool(c.scope), c.folds, c.loss, c.f1, c.acc})
	}
	r.Heads = append(r.Heads, hr)
}

// prior reports an estimated prior.
func (r *Report) prior(head *model.Head, prior []float64) {
	for i := range r.Heads {
		if r.Heads[i].Head == head.Name {
			r.Heads[i].Prior = prior
		}
	}
}

// gain is the macro-F1 to be expected from so many more examples, if it goes on
// to grow with the logarithm of their number as over the last two points.
// Never negative: more data do no harm beyond noise.
func gain(curve []judge.LearningPoint, more int) float64 {
	if len(curve) < 2 {
		return 0
	}
	a, b := curve[len(curve)-2], curve[len(curve)-1]
	if a.Examples <= 0 || b.Examples <= a.Examples {
		return 0
	}
	n := float64(b.Examples)
	slope := (b.MacroF1 - a.MacroF1) / (exact.Log(n) - exact.Log(float64(a.Examples)))
	return max(0, float64(slope*(exact.Log(n+float64(more))-exact.Log(n))))
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "revision  %s\n", r.Revision)
	fmt.Fprintf(b, "model     %s, %d features, %d bytes\n", r.Features, r.FeatureCount, r.ModelBytes)
	if r.Counted != nil {
		r.writeCounted(b)
	} else {
		r.writeData(b)
	}
	for _, h := range r.Heads {
		h.writeText(b)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", w)
	}
	return b.Flush()
}

// writeCounted writes what the statistics and the sample were.
func (r *Report) writeCounted(b *bufio.Writer) {
	fmt.Fprintf(b, "data      counts of %d rows, and a sample of %d from %d sources\n", r.Rows, r.Counted.SampleRows, r.Sources)
	if r.Counted.MinTexts > 1 {
		fmt.Fprintf(b, "kept      features of at least %d texts\n", r.Counted.MinTexts)
	}
	if r.Folds > 0 {
		fmt.Fprintf(b, "judged    by %d-fold cross-validation on the sample, no group in two folds\n", r.Folds)
	}
}

// writeData writes what the rows were, and how they were held out.
func (r *Report) writeData(b *bufio.Writer) {
	fmt.Fprintf(b, "data      %d rows from %d sources\n", r.Rows, r.Sources)
	var kept []string
	for family, name := range familyNames {
		if n := r.MinSources[family]; n > 1 {
			kept = append(kept, fmt.Sprintf("%s of at least %d sources", name, n))
		}
	}
	if len(kept) > 0 {
		fmt.Fprintf(b, "kept      %s\n", strings.Join(kept, ", "))
	}
	if r.Folds > 0 {
		fmt.Fprintf(b, "judged    by %d-fold cross-validation, no source in two folds\n", r.Folds)
	}
}

var familyNames = [...]string{"character n-grams", "single words", "words of two", "words of three"}

func (h *HeadReport) writeText(b *bufio.Writer) {
	fmt.Fprintf(b, "\n%s\n", h.Head)
	h.writeMembers(b)
	if h.Examples == 0 {
		fmt.Fprintln(b, "  not evaluated")
		return
	}
	var keywords Baseline
	if h.Keywords != nil {
		keywords = *h.Keywords
	}
	fmt.Fprintf(b, "  macro-F1     %.3f    %s\n", h.MacroF1, h.beside(h.MacroF1Interval, h.MajorityMacroF1, keywords.MacroF1))
	fmt.Fprintf(b, "  accuracy     %.3f    %s\n", h.Accuracy, h.beside(h.AccuracyInterval, h.MajorityAccuracy, keywords.Accuracy))
	fmt.Fprintf(b, "  ECE          %.3f    perfectly calibrated: %.3f\n", h.ECE, h.PerfectECE)
	fmt.Fprintf(b, "  NLL          %.3f    label shares alone: %.3f\n", h.NLL, h.BaseNLL)
	fmt.Fprintf(b, "  Brier score  %.3f    label shares alone: %.3f\n", h.Brier, h.BaseBrier)
	if n := len(h.Curve); n > 0 {
		fmt.Fprintf(b, "  calibrated   by a curve of %d points on top of the blend\n", n)
	}
	h.writeDecision(b)
	h.writeNested(b)
	h.writeLearning(b)
	for _, t := range h.Thresholds {
		fmt.Fprintf(b, "  threshold    %.3f    for %s: precision %.3f, at least %.3f; %.0f%% answered\n",
			t.Probability, labelOr(t.Label, "all labels"), t.Precision, t.LowerBound, 100*t.Coverage)
	}
	if h.Coverage > 0 {
		fmt.Fprintf(b, "  label sets            hold the true label of about %.0f%% of the texts\n", 100*h.Coverage)
	}
	if h.Keywords == nil { // an evaluation
		fmt.Fprintf(b, "  answered     %.3f    of %d rows\n", ratio(h.Answered, h.Examples), h.Examples)
	}
	h.writeLabels(b)
	h.writeConfusion(b)
	h.writeTargets(b)
}

func labelOr(label, otherwise string) string {
	if label == "" {
		return otherwise
	}
	return strconv.Quote(label)
}

// writeMembers writes what the head is made of.
func (h *HeadReport) writeMembers(b *bufio.Writer) {
	for i, m := range h.Members {
		what := ""
		if i == 0 {
			what = "chosen"
		}
		fmt.Fprintf(b, "  %-12s %.3g x %s", what, m.Weight, m.Candidate)
		if m.PerTarget {
			fmt.Fprint(b, ", per target")
		}
		fmt.Fprintln(b)
	}
	if n := len(h.Candidates); n > 1 {
		fmt.Fprintf(b, "               of %d candidates", n)
		if h.Untried > 0 {
			fmt.Fprintf(b, "; %d more were beyond the budget", h.Untried)
		}
		fmt.Fprintln(b)
	}
}

// writeDecision writes the labels that are favoured in deciding, or held back.
func (h *HeadReport) writeDecision(b *bufio.Writer) {
	var parts []string
	for l, w := range h.DecisionWeights {
		if w != 1 {
			parts = append(parts, fmt.Sprintf("%q x %.2f", h.Labels[l].Label, w))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "  decided      by weighted probability, for macro-F1: %s\n", strings.Join(parts, ", "))
	}
}

func (h *HeadReport) writeNested(b *bufio.Writer) {
	for i, m := range h.Nested {
		fmt.Fprintf(b, "  nested %-5d macro-F1 %.3f, accuracy %.3f, ECE %.3f, NLL %.3f\n", i+1, m.MacroF1, m.Accuracy, m.ECE, m.NLL)
	}
}

// writeLearning writes the learning curve.
func (h *HeadReport) writeLearning(b *bufio.Writer) {
	if len(h.LearningCurve) < 2 {
		return
	}
	fmt.Fprint(b, "  learning    ")
	for i, p := range h.LearningCurve {
		if i > 0 {
			fmt.Fprint(b, ",")
		}
		fmt.Fprintf(b, " %.3f with %d", p.MacroF1, p.Examples)
	}
	fmt.Fprintf(b, " rows; 100 more: about %+.3f\n", h.GainFrom100)
}

// writeTargets writes how each target did.
func (h *HeadReport) writeTargets(b *bufio.Writer) {
	if len(h.Targets) < 2 {
		return
	}
	width := len("target")
	for _, t := range h.Targets {
		width = max(width, utf8.RuneCountInString(t.Name))
	}
	fmt.Fprintf(b, "\n  %-*s  %5s  %8s  %8s\n", width, "target", "n", "accuracy", "macro-F1")
	for _, t := range h.Targets {
		fmt.Fprintf(b, "  %-*s  %5d  %8.3f  %8.3f\n", width, t.Name, t.Examples, t.Accuracy, t.MacroF1)
	}
}

// beside is what a measure is to be seen with: its interval and what simple
// rules reach.
func (h *HeadReport) beside(i judge.Interval, majority, keywords float64) string {
	s := fmt.Sprintf("95%% interval %.3f to %.3f, always %q %.3f", i.Low, i.High, h.MajorityLabel, majority)
	if h.Keywords != nil { // a training run, which has texts to take keywords from
		s += fmt.Sprintf(", keywords %.3f", keywords)
	}
	return s
}

func ratio(a, b int) float64 { return float64(a) / float64(max(b, 1)) }

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

func labelWidth(labels []judge.LabelMetrics) int {
	width := len("label")
	for _, l := range labels {
		width = max(width, utf8.RuneCountInString(l.Label))
	}
	return width
}

// OutOfFold is what the cross-validation answered to each labelled row: by
// tables, a blend and a curve that were fitted without the row's source. Empty
// when nothing could be held out.
func (h *HeadReport) OutOfFold() []judge.Judgement { return h.judgements }
