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
	labels := counts.labels
	t := table{make([]float32, len(counts.features)), make([]float32, labels)}
	if e == MultinomialNB {
		logPriors(t.bias, counts.docs)
	}
	w := newWeigher(e, alpha, counts.bits, labels)
	w.seen(size)
	norm := make([]float64, labels)
	for i := range counts.rows() {
		if need != nil && !need[i] {
			continue
		}
		if w.weigh(t.weights[i*labels:][:labels], counts.row(i)) {
			for label, p := range w.logp {
				norm[label] += math.Abs(p)
			}
		}
	}
	if e == TransformedCNB {
		t.normalise(norm, size.features)
	}
	return t
}

// A weigher computes the weights of features from their counts, see bayes.
type weigher struct {
	estimator    Estimator
	logs         logs
	denominators []float64 // per label
	logp         []float64 // per label: those of the last feature
}

func newWeigher(e Estimator, alpha float64, bits uint8, labels int) *weigher {
	unit := math.Ldexp(1, int(bits))
	return &weigher{e, logs{alpha: float64(alpha * unit)}, make([]float64, labels), make([]float64, labels)}
}

// seen tells the weigher of all features.
func (w *weigher) seen(size vocabularySize) {
	for label, n := range size.values {
		if w.estimator != MultinomialNB {
			n = size.total - n
		}
		w.denominators[label] = exact.Log(float64(n) + float64(w.logs.alpha*float64(size.features)))
	}
}

// weigh writes the weights of a feature, and reports whether it has counts.
func (w *weigher) weigh(weights []float32, row []uint32) bool {
	sum := total(row)
	if sum == 0 {
		return false
	}
	mean := 0.0
	for label, n := range row {
		if w.estimator == MultinomialNB {
			w.logp[label] = w.logs.of(uint64(n)) - w.denominators[label]
		} else {
			w.logp[label] = w.denominators[label] - w.logs.of(sum-uint64(n))
		}
		mean += w.logp[label]
	}
	mean /= float64(len(row))
	if w.estimator == TransformedCNB {
		mean = 0
	}
	for label, p := range w.logp {
		weights[label] = float32(p - mean)
	}
	return true
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
