package main

import (
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// score judges a model of so many labels on the texts held out: macro-F1 over all
// labels of the task. Without a model nothing is right.
func (x *trial) score(m *model.Model, labels int) point {
	if m == nil {
		return point{labels: labels}
	}
	held := x.task.held
	h, c := m.Head(x.task.head), m.NewClassifier()
	truth, predicted := make([]int, len(held)), make([]int, len(held))
	for i, ex := range held {
		p := &c.Classify(ex.Text, ex.Target).Predictions[h]
		truth[i] = slices.Index(x.labels, ex.Labels[0])
		predicted[i] = slices.Index(x.labels, m.Heads()[h].Labels[p.Best])
	}
	return point{labels, judge.MacroF1(len(x.labels), truth, predicted), judge.Accuracy(truth, predicted)}
}
