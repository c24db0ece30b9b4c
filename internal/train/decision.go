package train

import (
	"slices"

	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/judge"
)

// An Objective is what the label that is named shall be best for.
type Objective uint8

// The objectives.
const (
	// MacroF1 weighs the labels' probabilities where that names rare labels at a
	// better macro-F1.
	MacroF1 Objective = iota
	// Accuracy names the most probable label.
	Accuracy
)

const (
	// weighedFrom is how many answers it takes to find decision weights, and
	// weighedUpTo how many labels may have them.
	weighedFrom = 300
	weighedUpTo = 200
	// weightGain is the macro-F1 that decision weights must gain on answers that
	// they were not fitted to.
	weightGain = 0.001
	// stepGain is the expected macro-F1 that a step of one weight must gain.
	stepGain = 0.0003
)

// weightSteps are the factors tried, as logarithms.
var weightSteps = []float64{-0.5, -0.25, -0.1, 0.1, 0.25, 0.5}

// decide finds decision weights for macro-F1 and re-decides list by them: each
// fold by weights fitted to the other folds. It returns nil, and leaves list
// alone, when they gain nothing there. The measure is not a mean over texts, so
// the most probable label is not the best for it: Lipton et al., "Optimal
// Thresholding of Classifiers to Maximize F1 Measure" (2014).
func (e *ensemble) decide(list []judge.Judgement) []float64 {
	labels, examples := len(e.labels), e.judged()
	if len(list) < weighedFrom || labels > weighedUpTo {
		return nil
	}
	truth, plain := split(list)
	weighed := slices.Clone(plain)
	for f := range e.folds {
		var others []judge.Judgement
		for k, j := range list {
			if e.fold[examples[k]] != f {
				others = append(others, j)
			}
		}
		w := fitWeights(labels, others)
		for k, j := range list {
			if e.fold[examples[k]] == f {
				weighed[k] = best(j.Probabilities, w)
			}
		}
	}
	if judge.MacroF1(labels, truth, weighed) < judge.MacroF1(labels, truth, plain)+weightGain {
		return nil
	}
	for k := range list {
		list[k].Predicted = weighed[k]
	}
	return fitWeights(labels, list)
}

// fitWeights climbs from equal weights, one label at a time, to those with the
// highest expected macro-F1.
func fitWeights(labels int, list []judge.Judgement) []float64 {
	weights := make([]float64, labels)
	for l := range weights {
		weights[l] = 1
	}
	rate := func(w []float64) float64 { return expectedMacroF1(labels, list, w) }
	top := rate(weights)
	for range 2 {
		for l := range weights {
			for _, step := range weightSteps {
				trial := slices.Clone(weights)
				trial[l] = float64(trial[l] * exact.Exp(step))
				if f := rate(trial); f > top+stepGain {
					top, weights = f, trial
				}
			}
		}
	}
	return weights
}

// expectedMacroF1 is the macro-F1 of list, decided by weights, that its
// probabilities lead to expect: a text counts for each label by its
// probability. Compare Ye et al., "Optimizing F-Measures: A Tale of Two
// Approaches" (2012): maximising an expected F1 and maximising that of labelled
// texts.
func expectedMacroF1(labels int, list []judge.Judgement, weights []float64) float64 {
	right := make([]float64, labels)
	sizes := make([]float64, labels) // texts named so and texts expected to be so
	for _, j := range list {
		named := best(j.Probabilities, weights)
		right[named] += j.Probabilities[named]
		sizes[named]++
		for l, p := range j.Probabilities {
			sizes[l] += p
		}
	}
	sum := 0.0
	for l, size := range sizes {
		if size > 0 {
			sum += 2 * right[l] / size
		}
	}
	return sum / float64(labels)
}

// best is the label with the highest weighted probability; nil weighs all
// alike.
func best(probabilities, weights []float64) int {
	if len(weights) == 0 {
		return argmax(probabilities)
	}
	top := 0
	for l, p := range probabilities {
		if float64(p*weights[l]) > float64(probabilities[top]*weights[top]) {
			top = l
		}
	}
	return top
}
