package judge

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// A ranking holds answers by rising confidence, equal ones as they came.
type ranking struct {
	answers []rankedAnswer
	sources int
}

type rankedAnswer struct {
	row              int // of the list
	truth, predicted int
	source           int // numbered from 0
	confidence       float64
	right            bool
}

func newRanking(list []Judgement) *ranking {
	source, sources := number(list)
	r := &ranking{make([]rankedAnswer, len(list)), sources}
	for i := range list {
		j := &list[i]
		r.answers[i] = rankedAnswer{i, j.Truth, j.Predicted, source[i], j.confidence(), j.right()}
	}
	slices.SortStableFunc(r.answers, func(a, b rankedAnswer) int { return cmp.Compare(a.confidence, b.confidence) })
	return r
}

const calibrationBins = 15

// binStart is where bin b of n answers begins.
func binStart(b, n int) int { return b * n / calibrationBins }

// expectedCalibrationError is the mean distance between confidence and
// accuracy over bins of equal size, weighted by size. Naeini et al.,
// "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (2015),
// with bins of equal mass.
func (r *ranking) expectedCalibrationError() float64 {
	once := make([]int, r.sources)
	for s := range once {
		once[s] = 1
	}
	return r.weightedCalibrationError(once)
}

// weightedCalibrationError is the expected calibration error when every source
// occurs as often as weights say: that of the list in which its rows are
// repeated, without writing and sorting it.
func (r *ranking) weightedCalibrationError(weights []int) float64 {
	n := 0
	for i := range r.answers {
		n += weights[r.answers[i].source]
	}
	bin, end := 0, binStart(1, n)
	at, gap, sum := 0, 0.0, 0.0
	for i := range r.answers {
		a := &r.answers[i]
		for left := weights[a.source]; left > 0; {
			for at == end { // the bin is full
				sum += math.Abs(gap)
				bin++
				gap, end = 0, binStart(bin+1, n)
			}
			take := min(left, end-at)
			gap += float64(float64(take) * a.gap())
			at, left = at+take, left-take
		}
	}
	return (sum + math.Abs(gap)) / float64(n)
}

// gap is by how much the confidence exceeds the outcome.
func (a *rankedAnswer) gap() float64 {
	if a.right {
		return a.confidence - 1
	}
	return a.confidence
}

// perfectCalibrationError is the error that a perfectly calibrated model would
// show on as many examples: the mean over outcomes drawn anew from the stated
// probabilities. The draws are seeded by a constant.
func (r *ranking) perfectCalibrationError() float64 {
	const draws = 100
	rng := rand.New(rand.NewPCG(0x70617266, 0x656374))
	drawn, sum := ranking{slices.Clone(r.answers), r.sources}, 0.0
	for range draws {
		for i := range drawn.answers {
			a := &drawn.answers[i]
			a.right = rng.Float64() < a.confidence
		}
		sum += drawn.expectedCalibrationError()
	}
	return sum / draws
}
