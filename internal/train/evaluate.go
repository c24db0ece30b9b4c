package train

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// Evaluate judges a model on labelled examples, whose Labels are in the order
// of heads; every head must be one of the model's. It notices when they are
// exactly the training examples; a part of them it cannot tell from others.
func Evaluate(m *model.Model, examples []dataset.Example, heads []string) (*Report, error) {
	examples, sum := sortExamples(examples, heads)
	component := groups(examples)
	report := &Report{Rows: len(examples), Sources: sources(component)}
	report.describe(m)
	if hex.EncodeToString(sum[:]) == m.TrainingData() {
		report.TrainedOn = true
		report.warn("these are the rows that the model was trained on: the figures say nothing about other texts")
	}
	for i, name := range heads {
		h := m.Head(name)
		if h < 0 {
			return nil, fmt.Errorf("the model has no head %q: it has %s", name, headNames(m))
		}
		report.Heads = append(report.Heads, evaluateHead(m, h, examples, component, i, report))
	}
	return report, nil
}

func evaluateHead(m *model.Model, h int, examples []dataset.Example, component []int, column int, report *Report) HeadReport {
	head := &m.Heads()[h]
	labels := slices.Clone(head.Labels)
	unknown := map[string]int{}
	c := m.NewClassifier()
	var list []judge.Judgement
	answered := 0
	for i, ex := range examples {
		label := ex.Labels[column]
		if label == "" {
			continue
		}
		truth, found := slices.BinarySearch(head.Labels, label)
		if !found { // a label that the model cannot give is a mistake, not a reason to stop
			if _, ok := unknown[label]; !ok {
				unknown[label] = len(labels)
				labels = append(labels, label)
				report.warn("%s: the model does not know the label %q: its rows count as mistakes", head.Name, label)
			}
			truth = unknown[label]
		}
		r := c.Classify(ex.Text, ex.Target)
		p := r.Predictions[h]
		abstained := r.Decide(h, head.Thresholds()) != model.Labeled
		if !abstained {
			answered++
		}
		list = append(list, judge.Judgement{
			Truth: truth, Predicted: p.Best, Source: component[i], Probabilities: slices.Clone(p.Probabilities),
			Abstained: abstained, Row: row(ex),
		})
	}
	for i := range list {
		list[i].Probabilities = append(list[i].Probabilities, make([]float64, len(unknown))...)
	}
	hr := HeadReport{Head: head.Name, Metrics: judge.Measure(labels, list), Details: judge.Detail(labels, list, listedCases), Answered: answered, judgements: list}
	for _, p := range head.Evaluation.Learning {
		hr.LearningCurve = append(hr.LearningCurve, judge.LearningPoint{Examples: int(p.Examples), Accuracy: p.Accuracy, MacroF1: p.MacroF1})
	}
	hr.GainFrom100 = gain(hr.LearningCurve, 100)
	return hr
}

// row names an example in lists of cases.
func row(ex dataset.Example) judge.Row {
	return judge.Row{ID: ex.ID, Place: fmt.Sprintf("%s:%d", ex.File, ex.Line), Group: ex.Group, Target: ex.Target, Text: ex.Text}
}

func headNames(m *model.Model) string {
	var names []string
	for _, h := range m.Heads() {
		names = append(names, h.Name)
	}
	return strings.Join(names, ", ")
}

// sources is the number of components.
func sources(component []int) int {
	n := 0
	for _, c := range component {
		n = max(n, c+1)
	}
	return n
}
