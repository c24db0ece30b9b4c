package main

import (
	"cmp"
	"slices"
)

// A tally counts answers by label.
type tally struct {
	rows                    int
	right, truth, predicted []int
}

func newTally(labels int) *tally {
	return &tally{right: make([]int, labels), truth: make([]int, labels), predicted: make([]int, labels)}
}

func (t *tally) add(truth, predicted int) {
	t.rows++
	t.truth[truth]++
	t.predicted[predicted]++
	if truth == predicted {
		t.right[truth]++
	}
}

func (t *tally) reset() {
	t.rows = 0
	clear(t.right)
	clear(t.truth)
	clear(t.predicted)
}

// f1 is that of one label, 0 when it does not occur.
func (t *tally) f1(label int) float64 {
	return float64(2*t.right[label]) / float64(max(1, t.truth[label]+t.predicted[label]))
}

// accuracy is the share of right answers.
func (t *tally) accuracy() float64 {
	right := 0
	for _, n := range t.right {
		right += n
	}
	return float64(right) / float64(max(1, t.rows))
}

// macroF1 is the mean F1 of the labels that occur in the truth or among the
// answers.
func (t *tally) macroF1() float64 {
	sum, seen := 0.0, 0
	for l := range t.truth {
		if t.truth[l]+t.predicted[l] > 0 {
			sum += t.f1(l)
			seen++
		}
	}
	return sum / float64(max(1, seen))
}

// The names of measures in files.
const (
	macroF1Name = "macro_f1"
	fAvgName    = "f_avg"
)

// A measure is what a set is judged by.
type measure struct {
	name  string
	sides []int // of F_avg: the labels whose F1 are averaged
}

// of measures some answers.
func (m measure) of(t *tally) float64 {
	if m.name == macroF1Name {
		return t.macroF1()
	}
	sum := 0.0
	for _, l := range m.sides {
		sum += t.f1(l)
	}
	return sum / float64(max(1, len(m.sides)))
}

// meanOf is the mean of a measure over the tallies that have rows: those of
// folds.
func meanOf(tallies []*tally, of func(*tally) float64) float64 {
	sum, n := 0.0, 0
	for _, t := range tallies {
		if t.rows > 0 {
			sum += of(t)
			n++
		}
	}
	return sum / float64(max(1, n))
}

// sideLabels are those by which rows of stance say that they take a side.
var sideLabels = []string{"AGAINST", "FAVOR", "agree", "disagree"}

// A confident answer is the highest probability and whether it was right.
type confident struct {
	probability float64
	right       bool
}

// halfAccuracy is the accuracy on the half of the answers with the highest
// probabilities. Of equals on the border each counts for its share.
func halfAccuracy(list []confident) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b confident) int { return cmp.Compare(b.probability, a.probability) })
	half := (len(sorted) + 1) / 2
	border := sorted[half-1].probability
	above, rightAbove, level, rightLevel := 0, 0, 0, 0
	for _, c := range sorted {
		right := 0
		if c.right {
			right = 1
		}
		switch {
		case c.probability > border:
			above, rightAbove = above+1, rightAbove+right
		case c.probability == border:
			level, rightLevel = level+1, rightLevel+right
		}
	}
	share := float64(half-above) / float64(level)
	return (float64(rightAbove) + float64(share*float64(rightLevel))) / float64(half)
}
