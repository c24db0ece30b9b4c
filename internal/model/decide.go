package model

import (
	"cmp"
	"fmt"
	"slices"
)

// A Decision says whether a head names a label, or why not.
type Decision uint8

// The decisions, in the order in which they are considered.
const (
	// NoEvidence: the text has no word that the model knows. The scores are
	// the biases, the probabilities the prior.
	NoEvidence Decision = iota + 1
	// OutOfDomain: too small a share of the text's words is known.
	OutOfDomain
	// LowConfidence: the best probability is below the threshold.
	LowConfidence
	// Ambiguous: the best two labels are too close for the margin asked for.
	Ambiguous
	// Labeled: the best label is the answer.
	Labeled
)

// String is the decision's name in output and in the API.
func (d Decision) String() string {
	switch d {
	case NoEvidence:
		return "NO_EVIDENCE"
	case OutOfDomain:
		return "OUT_OF_DOMAIN"
	case LowConfidence:
		return "LOW_CONFIDENCE"
	case Ambiguous:
		return "AMBIGUOUS"
	case Labeled:
		return "LABELED"
	}
	return fmt.Sprintf("Decision(%d)", uint8(d))
}

// Thresholds are what a caller asks of an answer. The zero value asks nothing.
type Thresholds struct {
	// MinProbability is the least calibrated probability of the best label.
	MinProbability float64
	// PerLabel, unless empty, holds one more per label.
	PerLabel []float64
	// MinMargin is the least lead of the best label over the second in
	// calibrated probability, weighted as the head decides.
	MinMargin float64
}

// Thresholds are those that apply when a caller gives none.
func (h *Head) Thresholds() Thresholds {
	return Thresholds{MinProbability: h.MinProbability, PerLabel: h.LabelThresholds}
}

// Set returns the positions of the labels in the set of an answer, in order.
// It may be empty: then no label is likely enough.
func (s LabelSets) Set(probabilities []float64) []int {
	var set []int
	for i, t := range s.Thresholds {
		if probabilities[i] >= t {
			set = append(set, i)
		}
	}
	return set
}

// Decide decides on the prediction of head h.
func (r *Result) Decide(h int, t Thresholds) Decision {
	p := &r.Predictions[h]
	switch {
	case r.KnownWords == 0:
		return NoEvidence
	case r.outOfDomain:
		return OutOfDomain
	case p.Probabilities[p.Best] < t.MinProbability, len(t.PerLabel) > 0 && p.Probabilities[p.Best] < t.PerLabel[p.Best]:
		return LowConfidence
	case p.margin() < t.MinMargin:
		return Ambiguous
	}
	return Labeled
}

// merit is the probability of a label as decided by: times its weight.
func (p *Prediction) merit(label int) float64 {
	if len(p.weights) == 0 {
		return p.Probabilities[label]
	}
	return float64(p.Probabilities[label] * p.weights[label])
}

// margin is the lead of the best label over the second, in merit as a share of
// that of all labels.
func (p *Prediction) margin() float64 {
	second, sum := 0.0, 0.0
	for i := range p.Probabilities {
		m := p.merit(i)
		sum += m
		if i != p.Best {
			second = max(second, m)
		}
	}
	if len(p.weights) == 0 {
		sum = 1
	}
	return (p.merit(p.Best) - second) / sum
}

// Ranked returns the positions of the k best labels, best first, or of all
// when k is negative. Labels that are level stay in order.
func (p *Prediction) Ranked(k int) []int {
	order := make([]int, len(p.Raw))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, p.compare)
	if k >= 0 && k < len(order) {
		order = order[:k]
	}
	return order
}

// compare orders labels by falling merit, then by falling score, which
// still tells apart labels whose probabilities both round to 0 or 1.
func (p *Prediction) compare(a, b int) int {
	return cmp.Or(
		cmp.Compare(p.merit(b), p.merit(a)),
		cmp.Compare(p.Raw[b], p.Raw[a]))
}

// best returns the first of the best labels.
func (p *Prediction) best() int {
	best := 0
	for i := range p.Raw {
		if p.compare(i, best) < 0 {
			best = i
		}
	}
	return best
}
