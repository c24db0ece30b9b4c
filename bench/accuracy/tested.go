package main

import (
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// A testedSet is a set with the answers to its test rows.
type testedSet struct {
	set
	labels []string // all that are true or can be answered, in ascending order
	rows   []row    // by fold, then in the order of the files
	runs   []*run   // by fold
}

// A row is a test row with its answer.
type row struct {
	answer
	fold             int
	source           int // rows of one group have the same
	truth, predicted int // positions in the labels of the testedSet
	probabilities    []float64
}

// gather puts the runs of a set together.
func gather(s set, runs []*run) *testedSet {
	t := &testedSet{set: s, runs: runs}
	for _, r := range runs {
		t.labels = append(t.labels, r.Labels...)
		for _, a := range r.Answers {
			t.labels = append(t.labels, a.Truth)
		}
	}
	slices.Sort(t.labels)
	t.labels = slices.Compact(t.labels)
	sources := map[string]int{}
	for fold, r := range runs {
		for _, a := range r.Answers {
			t.rows = append(t.rows, t.row(fold, r.Labels, a))
			t.rows[len(t.rows)-1].source = sourceOf(sources, a.Group, len(t.rows))
		}
	}
	return t
}

// row translates an answer of a run with the given labels.
func (t *testedSet) row(fold int, labels []string, a answer) row {
	r := row{answer: a, fold: fold, truth: t.label(a.Truth), probabilities: make([]float64, len(t.labels))}
	r.predicted = t.label(labels[a.Predicted])
	for l, p := range a.Probabilities {
		r.probabilities[t.label(labels[l])] = p
	}
	return r
}

// sourceOf numbers groups by their first row; a row without a group is a
// source by itself.
func sourceOf(known map[string]int, group string, number int) int {
	if group == "" {
		return number
	}
	if _, ok := known[group]; !ok {
		known[group] = number
	}
	return known[group]
}

// label returns the position of a label that is there.
func (t *testedSet) label(name string) int {
	i, _ := slices.BinarySearch(t.labels, name)
	return i
}

// measure chooses what the set is judged by.
func (t *testedSet) measure() measure {
	if sides := t.sides(); len(t.targets()) > 1 && len(sides) > 0 {
		return measure{fAvgName, sides}
	}
	return measure{name: macroF1Name}
}

// sides returns the labels in the truth that take a side.
func (t *testedSet) sides() []int {
	var list []int
	for l, name := range t.labels {
		if slices.Contains(sideLabels, name) && slices.ContainsFunc(t.rows, func(r row) bool { return r.truth == l }) {
			list = append(list, l)
		}
	}
	return list
}

// targets returns the targets of the rows, in ascending order.
func (t *testedSet) targets() []string {
	var list []string
	for _, r := range t.rows {
		if r.Target != "" {
			list = append(list, r.Target)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// byFold counts the answers of each fold.
func (t *testedSet) byFold() []*tally {
	var list []*tally
	for range t.set.runs() {
		list = append(list, newTally(len(t.labels)))
	}
	for _, r := range t.rows {
		list[r.fold].add(r.truth, r.predicted)
	}
	return list
}

// byTarget counts the answers of each target, in the order of targets.
func (t *testedSet) byTarget() []*tally {
	targets := t.targets()
	list := make([]*tally, len(targets))
	for i := range list {
		list[i] = newTally(len(t.labels))
	}
	for _, r := range t.rows {
		if i, ok := slices.BinarySearch(targets, r.Target); ok {
			list[i].add(r.truth, r.predicted)
		}
	}
	return list
}

// judgements are the answers of all folds.
func (t *testedSet) judgements() []judge.Judgement {
	var list []judge.Judgement
	for _, r := range t.rows {
		list = append(list, judge.Judgement{
			Truth: r.truth, Predicted: r.predicted, Source: r.source, Probabilities: r.probabilities,
			Row: judge.Row{ID: r.ID, Group: r.Group, Target: r.Target},
		})
	}
	return list
}

// confidences are what halfAccuracy takes.
func (t *testedSet) confidences() []confident {
	var list []confident
	for _, r := range t.rows {
		list = append(list, confident{r.probabilities[r.predicted], r.truth == r.predicted})
	}
	return list
}
