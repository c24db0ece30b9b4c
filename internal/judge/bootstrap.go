package judge

import (
	"math"
	"math/rand/v2"
	"slices"
)

// bootstrapDraws is how often the sources are drawn anew.
const bootstrapDraws = 1000

// A resampler draws whole sources with replacement, since rows of one source
// stand or fall together. Efron and Tibshirani, "An Introduction to the
// Bootstrap" (1993), chapter 13; Field and Welsh, "Bootstrapping Clustered
// Data" (2007). The draws are seeded by a constant.
type resampler struct {
	rng     *rand.Rand
	weights []int
}

func newResampler(sources int) *resampler {
	return &resampler{rand.New(rand.NewPCG(0x736f7572, 0x636573)), make([]int, sources)}
}

// draw returns how often each source is drawn; the next call overwrites it.
func (r *resampler) draw() []int {
	clear(r.weights)
	for range r.weights {
		r.weights[r.rng.IntN(len(r.weights))]++
	}
	return r.weights
}

// percentiles make intervals of bootstrapped values.
type percentiles struct {
	sources int
	skipped int // draws beyond either end
}

// newPercentiles is for draws of two or more sources. A plain percentile
// interval is too narrow for few sources, by the same factors that set a t
// interval apart from one of the normal distribution and the variance of a
// sample from that of the population: the 2.5% that it leaves out at either end
// shrink accordingly. Hesterberg, "What Teachers Should Know about the
// Bootstrap" (2015), "expanded percentile interval".
func newPercentiles(sources int) percentiles {
	n := float64(sources)
	z := math.Sqrt(n/(n-1)) * studentQuantile(0.025, n-1)
	tail := math.Erfc(z/math.Sqrt2) / 2 // its last bits do not matter: it picks a rank
	return percentiles{sources, int(tail * bootstrapDraws)}
}

// of is the interval of values, which it sorts.
func (p percentiles) of(values []float64) Interval {
	slices.Sort(values)
	return Interval{values[p.skipped], values[len(values)-1-p.skipped]}
}

// ofShare is the interval of shares between 0 and 1 that were measured on the
// given number of sources. When all are right, or none, every draw says the
// same: the interval is then Wilson's, with sources for trials.
func (p percentiles) ofShare(shares []float64, sources int) Interval {
	i := p.of(shares)
	if i.Low == i.High && (i.Low == 0 || i.Low == 1) {
		return wilson(i.Low, float64(sources))
	}
	return i
}

// centred is the interval of a measure that resampling biases, and of which
// estimate was measured: the draws' distance from their own mean stands for the
// estimate's distance from its expectation. This is the basic interval with the
// bootstrap's bias removed: Davison and Hinkley, "Bootstrap Methods and their
// Application" (1997), sections 2.1 and 5.2.
func (p percentiles) centred(values []float64, estimate float64) Interval {
	i, m := p.of(values), mean(values)
	return Interval{estimate - (i.High - m), estimate - (i.Low - m)}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
