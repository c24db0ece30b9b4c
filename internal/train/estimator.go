package train

import (
	"fmt"
	"math"

	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/model"
)

// An Estimator turns counts into weights.
type Estimator uint8

// The estimators. Of two that do equally well the first is preferred.
const (
	// MultinomialNB is naive Bayes with a multinomial event model: a weight is
	// log P(feature | label), the bias log P(label). McCallum and Nigam, "A
	// Comparison of Event Models for Naive Bayes Text Classification" (1998).
	MultinomialNB Estimator = iota
	// ComplementNB estimates each label from the documents of all others,
	// which serves labels of uneven frequency: a weight is -log P(feature |
	// not label), without a bias. Rennie et al., "Tackling the Poor
	// Assumptions of Naive Bayes Text Classifiers" (2003), section 3.1.
	ComplementNB
)

// String is the estimator's name in flags and reports.
func (e Estimator) String() string {
	switch e {
	case MultinomialNB:
		return "mnb"
	case ComplementNB:
		return "cnb"
	}
	return fmt.Sprintf("Estimator(%d)", uint8(e))
}

// A weighting is what training finds for the rows of a Counts: integer weights
// and biases as a model file holds them.
type weighting struct {
	weights []int16 // row by row, one column per label
	bits    uint8   // weights count in units of 2^-bits nats
	bias    []int64 // in units of 2^-model.ScoreBits nats
}

// weigh computes the weights of the rows of counts, which are all or some of
// those that size was taken of. A row without counts gets zeros. From the
// others the mean over the labels is taken off: it moves no probability, and
// what is left tells for which labels a feature speaks.
func (c candidate) weigh(counts *Counts, size vocabularySize) weighting {
	l := logs{alpha: c.Alpha}
	labels := counts.labels
	w := weighting{weights: make([]int16, len(counts.features)), bias: c.Estimator.bias(counts.docs)}
	denominators := make([]float64, labels)
	for label, n := range size.tokens {
		if c.Estimator == ComplementNB {
			n = size.total - n
		}
		denominators[label] = exact.Log(float64(n) + float64(c.Alpha*float64(size.features)))
	}
	w.bits = scaleBits(l.bound(size.largest, denominators))
	scale := math.Ldexp(1, int(w.bits))
	logp := make([]float64, labels)
	for i := range counts.rows() {
		row := counts.row(i)
		sum := total(row)
		if sum == 0 {
			continue
		}
		mean := 0.0
		for label, n := range row {
			if c.Estimator == ComplementNB {
				logp[label] = denominators[label] - l.of(sum-uint64(n))
			} else {
				logp[label] = l.of(uint64(n)) - denominators[label]
			}
			mean += logp[label]
		}
		mean /= float64(labels)
		for label, p := range logp {
			w.weights[i*labels+label] = quantise(float64((p - mean) * scale))
		}
	}
	return w
}

// A vocabularySize is what smoothing needs to know of the features seen.
type vocabularySize struct {
	features int      // seen
	tokens   []uint64 // values per label
	total    uint64   // values of all labels
	largest  uint64   // largest sum of a row
}

func (c *Counts) vocabularySize() vocabularySize {
	v := vocabularySize{tokens: make([]uint64, c.labels)}
	for i := range c.rows() {
		row := c.row(i)
		sum := total(row)
		if sum == 0 {
			continue
		}
		v.features++
		v.total += sum
		v.largest = max(v.largest, sum)
		for label, n := range row {
			v.tokens[label] += uint64(n)
		}
	}
	return v
}

func total(row []uint32) uint64 {
	sum := uint64(0)
	for _, n := range row {
		sum += uint64(n)
	}
	return sum
}

// bias returns the log priors, one document added to each label (Laplace).
func (e Estimator) bias(docs []uint64) []int64 {
	bias := make([]int64, len(docs))
	if e == ComplementNB {
		return bias
	}
	all := 0.0
	for _, n := range docs {
		all += float64(n) + 1
	}
	for label, n := range docs {
		logp := exact.Log(float64(n)+1) - exact.Log(all)
		bias[label] = int64(math.Floor(math.Ldexp(logp, model.ScoreBits) + 0.5))
	}
	return bias
}

// scaleBits returns the finest scale at which weights up to bound fit an
// int16.
func scaleBits(bound float64) uint8 {
	bits := uint8(model.ScoreBits)
	for bits > 0 && math.Ldexp(bound, int(bits)) > math.MaxInt16 {
		bits--
	}
	return bits
}

// quantise rounds to the nearest int16.
func quantise(w float64) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, math.Floor(w+0.5))))
}

// logs computes log(n + alpha), remembering those of small n.
type logs struct {
	alpha float64
	small [1024]float64
	known [1024]bool
}

func (l *logs) of(n uint64) float64 {
	if n >= uint64(len(l.small)) {
		return exact.Log(float64(n) + l.alpha)
	}
	if !l.known[n] {
		l.small[n], l.known[n] = exact.Log(float64(n)+l.alpha), true
	}
	return l.small[n]
}

// bound returns a limit that no weight exceeds: the spread of log(n + alpha)
// plus the spread of the denominators.
func (l *logs) bound(largest uint64, denominators []float64) float64 {
	lo, hi := denominators[0], denominators[0]
	for _, d := range denominators {
		lo, hi = min(lo, d), max(hi, d)
	}
	return l.of(largest) - l.of(0) + (hi - lo)
}
