package model

import (
	"errors"
	"fmt"
	"slices"
)

// A Curve corrects how certain a head is: it maps the probability of the most
// probable label to the share of texts for which such a label is right. It runs
// in straight lines from (0, 0) through its points, ascending, the last of which
// is at probability 1. None leaves the probabilities as they are.
//
// Zadrozny and Elkan, "Transforming Classifier Scores into Accurate Multiclass
// Probability Estimates" (2002).
type Curve []CurvePoint

// A CurvePoint is the share of right answers at a probability.
type CurvePoint struct {
	Probability float64 `json:"probability"`
	Share       float64 `json:"share"`
}

// at returns the share at probability p.
func (c Curve) at(p float64) float64 {
	i, _ := slices.BinarySearchFunc(c, p, func(q CurvePoint, p float64) int {
		if q.Probability < p {
			return -1
		}
		return 1
	})
	i = min(i, len(c)-1)
	var low CurvePoint
	if i > 0 {
		low = c[i-1]
	}
	high := c[i]
	along := min(1, (p-low.Probability)/(high.Probability-low.Probability))
	return low.Share + float64(along*(high.Share-low.Share))
}

// Apply corrects the probabilities of a text's labels. The most probable label
// stays so; the others share what it leaves as before.
func (c Curve) Apply(p []float64) {
	if len(c) == 0 || len(p) < 2 {
		return
	}
	top, rest, second := largest(p), 0.0, 0.0
	for l, q := range p {
		if l != top {
			rest += q
			second = max(second, q)
		}
	}
	if rest == 0 { // certain of one label: the others are alike
		for l := range p {
			p[l] = 1
		}
		rest, second = float64(len(p)-1), 1
	}
	// The least share at which no other label becomes the most probable one.
	least := second / (rest + second)
	share := max(c.at(p[top]), least)
	for l := range p {
		p[l] = min(share, float64(p[l]/rest)*(1-share))
	}
	p[top] = share
}

// check returns an error when c breaks one of the format's rules.
func (c Curve) check() error {
	if len(c) == 0 {
		return nil
	}
	if len(c) > maxCurve {
		return fmt.Errorf("%d points of a calibration curve: want at most %d", len(c), maxCurve)
	}
	var last CurvePoint
	for i, q := range c {
		if !inRange(q.Probability, 0, 1) || !inRange(q.Share, 0, 1) || q.Probability <= last.Probability || q.Share < last.Share {
			return fmt.Errorf("point %d of the calibration curve: probability %v, share %v: want both to ascend from 0 to 1", i, q.Probability, q.Share)
		}
		last = q
	}
	if last.Probability != 1 {
		return errors.New("the calibration curve does not end at probability 1")
	}
	return nil
}

// largest returns the position of the largest value, of equal ones the first.
func largest(values []float64) int {
	top := 0
	for i, v := range values {
		if v > values[top] {
			top = i
		}
	}
	return top
}
