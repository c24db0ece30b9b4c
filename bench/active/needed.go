package main

import (
	"math/rand/v2"
	"slices"
)

const (
	resamples  = 2000
	confidence = .95
)

// A figure is a mean over seeds with its interval.
type figure struct{ mean, low, high float64 }

// bootstrap returns what of returns for the seeds as they are, and its interval by
// resampling them. Efron and Tibshirani, "An Introduction to the Bootstrap" (1993),
// chapter 13.
func bootstrap(seeds int, of func(seeds []int) float64) figure {
	all := make([]int, seeds)
	for i := range all {
		all[i] = i
	}
	f := figure{mean: of(all)}
	rng := rand.New(rand.NewPCG(1, 0x626f6f74))
	drawn, values := make([]int, seeds), make([]float64, resamples)
	for r := range values {
		for i := range drawn {
			drawn[i] = rng.IntN(seeds)
		}
		values[r] = of(drawn)
	}
	slices.Sort(values)
	tail := (1 - confidence) / 2
	f.low, f.high = values[int(tail*resamples)], values[int((1-tail)*resamples)-1]
	return f
}

// meanOf is the mean over seeds of a measure at point k of their curves.
func meanOf(curves [][]point, k int, measure func(point) float64) func([]int) float64 {
	return func(seeds []int) float64 {
		sum := 0.0
		for _, s := range seeds {
			sum += measure(curves[s][k])
		}
		return sum / float64(len(seeds))
	}
}

func macroF1(p point) float64  { return p.macroF1 }
func accuracy(p point) float64 { return p.accuracy }

// needed is how many random labels reach the macro-F1 of point k of the chosen
// curve: the whole curve, and less than one point more, if it does not get there.
func (r *result) needed(k int) func([]int) float64 {
	return func(seeds []int) float64 {
		return reaches(r.meanCurve(seeds), meanOf(r.chosen, k, macroF1)(seeds))
	}
}

func (r *result) meanCurve(seeds []int) []point {
	mean := make([]point, len(r.random[0]))
	for k := range mean {
		mean[k] = point{labels: r.random[0][k].labels, macroF1: meanOf(r.random, k, macroF1)(seeds)}
	}
	return mean
}

// reaches is the number of labels at which a curve, straight between its points and
// from 0 labels on, first has that macro-F1; where it does not get there, one more
// than it has.
func reaches(curve []point, want float64) float64 {
	before := point{}
	for _, p := range curve {
		if p.macroF1 >= want {
			if p.macroF1 == before.macroF1 {
				return float64(before.labels)
			}
			return float64(before.labels) + (want-before.macroF1)/(p.macroF1-before.macroF1)*float64(p.labels-before.labels)
		}
		before = p
	}
	return float64(before.labels + 1)
}
