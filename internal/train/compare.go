package train

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// A ComparisonReport says which of two models answers better.
type ComparisonReport struct {
	Champion   ComparedModel          `json:"champion"`
	Challenger ComparedModel          `json:"challenger"`
	Rows       int                    `json:"rows"`
	Sources    int                    `json:"sources"` // documents, near-duplicates joined
	Heads      []judge.HeadComparison `json:"heads"`
	Warnings   []string               `json:"warnings,omitempty"`
}

// A ComparedModel is one of the two.
type ComparedModel struct {
	Revision     string `json:"revision"`
	ModelBytes   int    `json:"model_bytes"`
	Features     string `json:"features"`
	FeatureCount int    `json:"feature_count"`
	TrainedOn    bool   `json:"trained_on,omitempty"` // the rows are just those of its training
}

// CompareModels compares what two models answer to the same labelled examples,
// whose Labels are in the order of heads; both models must have every head. As
// Evaluate does, it notices when the examples are exactly those of a training.
func CompareModels(champion, challenger *model.Model, examples []dataset.Example, heads []string) (*ComparisonReport, error) {
	examples, sum := sortExamples(examples, heads)
	p := pairing{examples: examples, component: groups(examples)}
	report := &ComparisonReport{Rows: len(examples), Sources: sources(p.component)}
	report.Champion = p.enter("champion", champion, sum, report)
	report.Challenger = p.enter("challenger", challenger, sum, report)
	for i, name := range heads {
		h, err := p.compare(name, i, report)
		if err != nil {
			return nil, err
		}
		report.Heads = append(report.Heads, h)
	}
	return report, nil
}

func (r *ComparisonReport) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// A pairing is two models and the rows that they are compared on.
type pairing struct {
	examples  []dataset.Example
	component []int
	sides     []side // champion, challenger
}

// A side is one of the two models.
type side struct {
	name  string
	model *model.Model
	head  *model.Head // the one that is being compared
}

// enter makes m the next side, and says what it is. sum is that of the examples.
func (p *pairing) enter(name string, m *model.Model, sum [sha256.Size]byte, report *ComparisonReport) ComparedModel {
	p.sides = append(p.sides, side{name: name, model: m})
	c := ComparedModel{
		Revision: m.Revision(), ModelBytes: len(m.Bytes()), Features: m.Features().String(),
		FeatureCount: m.FeatureCount(), TrainedOn: hex.EncodeToString(sum[:]) == m.TrainingData(),
	}
	if c.TrainedOn {
		report.warn("these are the rows that the %s was trained on: the comparison says nothing about other texts", name)
	}
	return c
}

// compare compares the heads of a name; the examples' labels for it are in the
// given column.
func (p *pairing) compare(name string, column int, report *ComparisonReport) (judge.HeadComparison, error) {
	labels := dataset.LabelsOf(p.examples, column)
	for i := range p.sides {
		s := &p.sides[i]
		h := s.model.Head(name)
		if h < 0 {
			return judge.HeadComparison{}, fmt.Errorf("the %s has no head %q: it has %s", s.name, name, headNames(s.model))
		}
		s.head = &s.model.Heads()[h]
		for _, l := range labels {
			if _, known := slices.BinarySearch(s.head.Labels, l); !known {
				report.warn("%s: the %s does not know the label %q: its rows count as mistakes", name, s.name, l)
			}
		}
	}
	for _, s := range p.sides {
		labels = append(labels, s.head.Labels...)
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)
	c, err := judge.Compare(labels, p.judge(p.sides[0], labels, column), p.judge(p.sides[1], labels, column))
	if err != nil {
		return judge.HeadComparison{}, fmt.Errorf("head %q: %w", name, err)
	}
	return judge.HeadComparison{Head: name, Comparison: c}, nil
}

// judge returns the answers of one side to the labelled examples, in terms of
// labels, of which those of the head are some.
func (p *pairing) judge(s side, labels []string, column int) []judge.Judgement {
	at := make([]int, len(s.head.Labels))
	for i, l := range s.head.Labels {
		at[i], _ = slices.BinarySearch(labels, l)
	}
	c, h := s.model.NewClassifier(), s.model.Head(s.head.Name)
	var list []judge.Judgement
	for i, ex := range p.examples {
		truth, labelled := slices.BinarySearch(labels, ex.Labels[column])
		if !labelled {
			continue
		}
		answer := &c.Classify(ex.Text, ex.Target).Predictions[h]
		j := judge.Judgement{
			Truth: truth, Predicted: at[answer.Best], Source: p.component[i],
			Probabilities: make([]float64, len(labels)), Row: row(ex),
		}
		for l, q := range answer.Probabilities {
			j.Probabilities[at[l]] = q
		}
		list = append(list, j)
	}
	return list
}

// WriteText writes the report for people.
func (r *ComparisonReport) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, s := range []struct {
		name string
		ComparedModel
	}{{"champion", r.Champion}, {"challenger", r.Challenger}} {
		fmt.Fprintf(b, "%-11s %s\n", s.name, s.Revision)
		fmt.Fprintf(b, "%11s %s, %d features, %d bytes\n", "", s.Features, s.FeatureCount, s.ModelBytes)
	}
	fmt.Fprintf(b, "%-11s %d rows from %d sources\n", "data", r.Rows, r.Sources)
	for i := range r.Heads {
		writeComparison(b, &r.Heads[i])
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", w)
	}
	return b.Flush()
}

func writeComparison(b *bufio.Writer, h *judge.HeadComparison) {
	fmt.Fprintf(b, "\n%s: %s\n", h.Head, h.Verdict)
	for _, reason := range h.Reasons {
		fmt.Fprintf(b, "  %s\n", reason)
	}
	fmt.Fprintf(b, "  only the champion is right on %d of %d rows, only the challenger on %d\n\n", h.OnlyChampion, h.Examples, h.OnlyChallenger)
	fmt.Fprintf(b, "  %-8s  %8s  %10s  %10s  %-18s  %6s  %10s\n", "", "champion", "challenger", "difference", "95% interval", "p", "detectable")
	for _, m := range []struct {
		name string
		judge.Difference
	}{{"macro-F1", h.MacroF1}, {"accuracy", h.Accuracy}, {"NLL", h.NLL}} {
		fmt.Fprintf(b, "  %-8s  %8.3f  %10.3f  %+10.3f  %-18s  %6.4f  %10.3f\n",
			m.name, m.Champion, m.Challenger, m.Difference.Difference, signedInterval(m.Interval), m.PValue, m.Detectable)
	}
	writeLabels(b, h)
}

func writeLabels(b *bufio.Writer, h *judge.HeadComparison) {
	width := len("F1 of label")
	for _, l := range h.Labels {
		width = max(width, utf8.RuneCountInString(l.Label))
	}
	fmt.Fprintf(b, "\n  %-*s  %5s  %8s  %10s  %10s  %-18s  %8s\n", width, "F1 of label", "n", "champion", "challenger", "difference", "95% interval", "p (Holm)")
	for _, l := range h.Labels {
		fmt.Fprintf(b, "  %-*s  %5d  %8.3f  %10.3f  %+10.3f  %-18s  %8.4f\n",
			width, l.Label, l.Examples, l.Champion, l.Challenger, l.Difference, signedInterval(l.Interval), l.PValue)
	}
}

func signedInterval(i judge.Interval) string { return fmt.Sprintf("%+.3f to %+.3f", i.Low, i.High) }
