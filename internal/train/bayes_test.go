package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// reference are the formulas of the papers written down plainly, in values:
// log (N_ci + alpha) / (N_c + alpha V) for multinomial naive Bayes, minus the
// same of all other labels' counts for complement naive Bayes; of each row the
// mean is taken off. The transformed one keeps it, and divides the weights of a
// label by their mean absolute value.
func reference(counts *Counts, e Estimator, alpha float64) [][]float64 {
	unit := math.Ldexp(1, -int(counts.bits))
	seen, all, sums := 0.0, 0.0, make([]float64, counts.labels)
	for i := range counts.rows() {
		if total(counts.row(i)) > 0 {
			seen++
		}
		for label, n := range counts.row(i) {
			sums[label] += float64(n) * unit
			all += float64(n) * unit
		}
	}
	weights, norms := make([][]float64, counts.rows()), make([]float64, counts.labels)
	for i := range weights {
		weights[i] = make([]float64, counts.labels)
		sum, mean := float64(total(counts.row(i)))*unit, 0.0
		if sum == 0 {
			continue
		}
		for label, n := range counts.row(i) {
			here, of := float64(n)*unit, sums[label]
			if e != MultinomialNB {
				here, of = sum-here, all-of
			}
			w := math.Log((here + alpha) / (of + alpha*seen))
			if e != MultinomialNB {
				w = -w
			}
			weights[i][label] = w
			mean += w / float64(counts.labels)
			norms[label] += math.Abs(w) / seen
		}
		for label := range weights[i] {
			if e != TransformedCNB {
				weights[i][label] -= mean
			}
		}
	}
	for i := range weights {
		for label := range weights[i] {
			if e == TransformedCNB {
				weights[i][label] /= norms[label]
			}
		}
	}
	return weights
}

// someCounts are counts with rows that were never seen, and others beyond the
// table of logarithms.
func someCounts(rng *rand.Rand, rows, labels int, bits uint8) *Counts {
	c := newCounts(rows, labels, bits)
	for i := range c.features {
		if n := rng.IntN(40); i >= 5*labels && n < 20 {
			c.features[i] = uint32(n*n*n) << bits
		}
	}
	for label := range c.docs {
		c.docs[label] = uint64(rng.IntN(50))
	}
	return c
}

func TestBayesIsThatOfTheFormulas(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for e := MultinomialNB; !e.linear(); e++ {
		for _, alpha := range []float64{MinStrength, 0.01, 1, 1000} {
			for labels := 2; labels < 7; labels++ {
				for _, bits := range []uint8{0, 12} {
					counts := someCounts(rng, 50, labels, bits)
					got := bayes(counts, counts.vocabularySize(), e, alpha, nil)
					for i, row := range reference(counts, e, alpha) {
						for label, want := range row {
							what := fmt.Sprintf("%s, alpha %v, %d bits, row %d, label %d", e, alpha, bits, i, label)
							within(t, what, float64(got.weights[i*labels+label]), want, 1e-6*(1+math.Abs(want)))
						}
					}
				}
			}
		}
	}
}

func TestBayesOfATinyExample(t *testing.T) {
	// Three labels and the features a and b: a occurs 2, 0 and 1 times in
	// them, b 0, 1 and 1 times. Smoothing 1. A third feature was never seen.
	counts := &Counts{3, 0, []uint64{3, 0, 1}, []uint32{2, 0, 1, 0, 1, 1, 0, 0, 0}}
	for _, c := range []struct {
		estimator Estimator
		p         [2][3]float64 // P(feature | label), or P(feature | not label)
		sign      float64
	}{
		{MultinomialNB, [2][3]float64{{3. / 4, 1. / 3, 2. / 4}, {1. / 4, 2. / 3, 2. / 4}}, 1},
		{ComplementNB, [2][3]float64{{2. / 5, 4. / 6, 3. / 5}, {3. / 5, 2. / 6, 2. / 5}}, -1},
	} {
		got := bayes(counts, counts.vocabularySize(), c.estimator, 1, nil)
		for i, p := range c.p {
			mean := (math.Log(p[0]) + math.Log(p[1]) + math.Log(p[2])) / 3
			for label := range p {
				what := fmt.Sprintf("%s, feature %d, label %d", c.estimator, i, label)
				within(t, what, float64(got.weights[3*i+label]), c.sign*(math.Log(p[label])-mean), 1e-6)
			}
		}
		if !slices.Equal(got.weights[6:], []float32{0, 0, 0}) {
			t.Errorf("%s: a feature never seen weighs %v", c.estimator, got.weights[6:])
		}
	}
}

func TestBias(t *testing.T) {
	counts := newCounts(1, 3, 0)
	copy(counts.docs, []uint64{3, 0, 1})
	for e := MultinomialNB; !e.linear(); e++ {
		want := []float64{0, 0, 0}
		if e == MultinomialNB {
			want = []float64{math.Log(4. / 7), math.Log(1. / 7), math.Log(2. / 7)}
		}
		for l, b := range bayes(counts, counts.vocabularySize(), e, 1, nil).bias {
			within(t, fmt.Sprintf("%s, label %d", e, l), float64(b), want[l], 1e-6)
		}
	}
}

// Rows that are not needed are left at 0, the others do not change by it.
func TestBayesOfTheRowsNeeded(t *testing.T) {
	counts := someCounts(rand.New(rand.NewPCG(5, 6)), 60, 3, 0)
	need := make([]bool, 60)
	for i := range need {
		need[i] = i%3 == 0
	}
	for e := MultinomialNB; !e.linear(); e++ {
		all, some := bayes(counts, counts.vocabularySize(), e, 0.3, nil), bayes(counts, counts.vocabularySize(), e, 0.3, need)
		for i, w := range some.weights {
			if want := all.weights[i]; need[i/3] && w != want {
				t.Errorf("%s: weight %d is %v, want %v", e, i, w, want)
			}
		}
	}
}

// Counts of nothing, and of texts of a single label, give finite weights.
func TestBayesOfLittle(t *testing.T) {
	one := newCounts(3, 3, 12)
	one.add([]uint32{0, 1}, []float32{1, 0.5}, 2)
	for name, counts := range map[string]*Counts{"nothing": newCounts(3, 3, 12), "one label": one} {
		for e := MultinomialNB; !e.linear(); e++ {
			for _, alpha := range []float64{MinStrength, 1, MaxStrength} {
				got := bayes(counts, counts.vocabularySize(), e, alpha, nil)
				for _, w := range slices.Concat(got.weights, got.bias) {
					if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
						t.Errorf("%s, %s, alpha %v: a weight is %v", name, e, alpha, w)
					}
				}
			}
		}
	}
}

// r of Wang and Manning (2012): log of (p/|p|) / (q/|q|), with one value added
// to each count.
func TestLogCountRatios(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, labels := range []int{2, 3} {
		counts := someCounts(rng, 40, labels, 12)
		size := counts.vocabularySize()
		p := &linearProblem{labels: labels}
		got := logCountRatios(counts, size, p)
		unit, v := math.Ldexp(1, -12), float64(size.features)
		for i := range counts.rows() {
			for c := range p.columns() {
				with, sum := float64(counts.row(i)[p.label(c)])*unit, float64(total(counts.row(i)))*unit
				in, all := float64(size.values[p.label(c)])*unit, float64(size.total)*unit
				want := math.Log((with+1)/(in+v)) - math.Log((sum-with+1)/(all-in+v))
				if sum == 0 {
					want = 0
				}
				within(t, fmt.Sprintf("%d labels, row %d, column %d", labels, i, c), float64(got[i*p.columns()+c]), want, 1e-5)
			}
		}
	}
}

func TestEstimatorNames(t *testing.T) {
	for e := range Estimator(estimators) {
		if got, err := ParseEstimator(e.String()); got != e || err != nil {
			t.Errorf("%s: got %v, %v", e, got, err)
		}
	}
	if got := Estimator(estimators).String(); got != "Estimator(7)" {
		t.Errorf("got %q", got)
	}
	if _, err := ParseEstimator("knn"); !says(err, `estimator "knn": want one of [mnb cnb`) {
		t.Errorf("got error %v", err)
	}
}
