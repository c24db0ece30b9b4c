package train

import (
	"math"

	"github.com/parley-nlp/parley/internal/exact"
)

// bayes computes the weights of a naive-Bayes estimator from counts, in nats.
// alpha is the smoothing, in values. A row without counts gets zeros. From the
// others the mean over the labels is taken off: it moves no probability, and
// what is left tells for which labels a feature speaks. Rows for which need is
// false get zeros too; nil means all.
func bayes(counts *Counts, size vocabularySize, e Estimator, alpha float64, need []bool) table {
	if e == TransformedCNB {
		need = nil // the norm is over all rows
	}
	unit := math.Ldexp(1, int(counts.bits))
	l := logs{alpha: float64(alpha * unit)}
	labels := counts.labels
	t := table{make([]float32, len(counts.features)), make([]float32, labels)}
	if e == MultinomialNB {
		logPriors(t.bias, counts.docs)
	}
	denominators := make([]float64, labels)
	for label, n := range size.values {
		if e != MultinomialNB {
			n = size.total - n
		}
		denominators[label] = exact.Log(float64(n) + float64(l.alpha*float64(size.features)))
	}
	logp := make([]float64, labels)
	norm := make([]float64, labels)
	for i := range counts.rows() {
		if need != nil && !need[i] {
			continue
		}
		row := counts.row(i)
		sum := total(row)
		if sum == 0 {
			continue
		}
		mean := 0.0
		for label, n := range row {
			if e == MultinomialNB {
				logp[label] = l.of(uint64(n)) - denominators[label]
			} else {
				logp[label] = denominators[label] - l.of(sum-uint64(n))
			}
			norm[label] += math.Abs(logp[label])
			mean += logp[label]
		}
		mean /= float64(labels)
		if e == TransformedCNB {
			mean = 0
		}
		for label, p := range logp {
			t.weights[i*labels+label] = float32(p - mean)
		}
	}
	if e == TransformedCNB {
		t.normalise(norm, size.features)
	}
	return t
}

// logPriors writes the log priors, one document added to each label (Laplace).
func logPriors(bias []float32, docs []uint64) {
	all := 0.0
	for _, n := range docs {
		all += float64(n) + 1
	}
	for label, n := range docs {
		bias[label] = float32(exact.Log(float64(n)+1) - exact.Log(all))
	}
}

// normalise divides the weights of each label by their mean absolute value
// norm/features, so that labels whose words depend on each other do not win by
// that: step 8 of Rennie et al. (2003), table 4.
func (t *table) normalise(norm []float64, features int) {
	labels := len(t.bias)
	for i := range t.weights {
		if n := norm[i%labels]; n > 0 {
			t.weights[i] = float32(float64(t.weights[i]) * (float64(features) / n))
		}
	}
}

// logCountRatios returns for every row and column of p the log of how much more
// often the feature is used with the column's label than without: r of Wang and
// Manning, "Baselines and Bigrams" (2012), with one value added to each.
func logCountRatios(counts *Counts, size vocabularySize, p *linearProblem) []float32 {
	l := logs{alpha: math.Ldexp(1, int(counts.bits))}
	n := p.columns()
	extra := float64(l.alpha * float64(size.features))
	base := make([]float64, n) // log(values without / values with the label)
	for c := range base {
		with := size.values[p.label(c)]
		base[c] = exact.Log(float64(size.total-with)+extra) - exact.Log(float64(with)+extra)
	}
	ratios := make([]float32, counts.rows()*n)
	for i := range counts.rows() {
		row := counts.row(i)
		sum := total(row)
		if sum == 0 {
			continue
		}
		for c := range base {
			with := uint64(row[p.label(c)])
			ratios[i*n+c] = float32(l.of(with) - l.of(sum-with) + base[c])
		}
	}
	return ratios
}

// logs computes log(n + alpha), remembering those of small n.
type logs struct {
	alpha float64
	small [1 << 12]float64
	known [1 << 12]bool
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
