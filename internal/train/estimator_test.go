package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// referenceWeights are the formulas of the papers written down plainly:
// log (N_ci + alpha) / (N_c + alpha V) for multinomial naive Bayes, and minus
// the same of all other labels' counts for complement naive Bayes; of each row
// the mean is taken off.
func referenceWeights(c candidate, counts *Counts) [][]float64 {
	seen := 0.0
	tokens := make([]float64, counts.labels)
	for i := range counts.rows() {
		if total(counts.row(i)) > 0 {
			seen++
		}
		for label, n := range counts.row(i) {
			tokens[label] += float64(n)
		}
	}
	all := 0.0
	for _, n := range tokens {
		all += n
	}
	weights := make([][]float64, counts.rows())
	for i := range weights {
		row, sum, mean := counts.row(i), float64(total(counts.row(i))), 0.0
		for label, n := range row {
			w := math.Log((float64(n) + c.Alpha) / (tokens[label] + c.Alpha*seen))
			if c.Estimator == ComplementNB {
				w = -math.Log((sum - float64(n) + c.Alpha) / (all - tokens[label] + c.Alpha*seen))
			}
			weights[i] = append(weights[i], w)
			mean += w / float64(counts.labels)
		}
		for label := range row {
			if weights[i][label] -= mean; sum == 0 {
				weights[i][label] = 0
			}
		}
	}
	return weights
}

func TestWeightsAreThoseOfTheFormulas(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []candidate{
		{Estimator: MultinomialNB, Alpha: 1}, {Estimator: MultinomialNB, Alpha: MinAlpha}, {Estimator: MultinomialNB, Alpha: MaxAlpha},
		{Estimator: ComplementNB, Alpha: 1}, {Estimator: ComplementNB, Alpha: MinAlpha}, {Estimator: ComplementNB, Alpha: MaxAlpha},
	} {
		for labels := 2; labels < 7; labels++ {
			counts := newCounts(50, labels)
			for i := range counts.features {
				if n := rng.IntN(40); i >= 5*labels && n < 20 { // the first rows are of features not seen
					counts.features[i] = uint32(n * n * n) // beyond the table of logarithms
				}
			}
			w := c.weigh(counts, counts.vocabularySize())
			unit := math.Ldexp(1, -int(w.bits))
			for i, row := range referenceWeights(c, counts) {
				for label, want := range row {
					if got := float64(w.weights[i*labels+label]) * unit; math.Abs(got-want) > unit*0.5000001 {
						t.Errorf("%s, alpha %v, row %d, label %d: got %v, want %v within %v", c.Estimator, c.Alpha, i, label, got, want, unit/2)
					}
				}
			}
		}
	}
}

func TestWeightsOfATinyExample(t *testing.T) {
	// Three labels and the features a and b: a occurs 2, 0 and 1 times in
	// them, b 0, 1 and 1 times. Smoothing 1.
	counts := &Counts{3, []uint64{1, 1, 1}, []uint32{2, 0, 1, 0, 1, 1}}
	for _, c := range []struct {
		estimator Estimator
		p         [2][3]float64 // P(feature | label), or P(feature | not label)
		sign      float64
	}{
		{MultinomialNB, [2][3]float64{{3. / 4, 1. / 3, 2. / 4}, {1. / 4, 2. / 3, 2. / 4}}, 1},
		{ComplementNB, [2][3]float64{{2. / 5, 4. / 6, 3. / 5}, {3. / 5, 2. / 6, 2. / 5}}, -1},
	} {
		w := candidate{Estimator: c.estimator, Alpha: 1}.weigh(counts, counts.vocabularySize())
		for i, p := range c.p {
			mean := (math.Log(p[0]) + math.Log(p[1]) + math.Log(p[2])) / 3
			for label := range p {
				want := math.RoundToEven(c.sign * (math.Log(p[label]) - mean) * math.Ldexp(1, int(w.bits)))
				if got := float64(w.weights[3*i+label]); got != want {
					t.Errorf("%s: weight of feature %d for label %d: got %v, want %v", c.estimator, i, label, got, want)
				}
			}
		}
	}
}

func TestBias(t *testing.T) {
	docs := []uint64{3, 0, 1}
	want := []int64{-586800, -2040435, -1313617} // 2^20 log 4/7, log 1/7, log 2/7
	if got := MultinomialNB.bias(docs); !slices.Equal(got, want) {
		t.Errorf("mnb: got %v, want %v", got, want)
	}
	if got := ComplementNB.bias(docs); !slices.Equal(got, []int64{0, 0, 0}) {
		t.Errorf("cnb: got %v, want zeros", got)
	}
}

func TestScaleBits(t *testing.T) {
	for _, c := range []struct {
		bound float64
		want  uint8
	}{
		{0, model.ScoreBits}, {0.03, 20}, {0.04, 19}, {0.99, 15}, {1, 14}, {32767, 0}, {32768, 0}, {1e9, 0}, {math.Inf(1), 0},
	} {
		if got := scaleBits(c.bound); got != c.want {
			t.Errorf("scaleBits(%v) = %d, want %d", c.bound, got, c.want)
		}
	}
}

func TestQuantise(t *testing.T) {
	for _, c := range []struct {
		w    float64
		want int16
	}{
		{0, 0}, {0.49, 0}, {0.5, 1}, {-0.5, 0}, {-0.51, -1}, {32767.4, 32767}, {32768, 32767}, {1e300, 32767}, {-32768.4, -32768}, {-1e300, -32768},
	} {
		if got := quantise(c.w); got != c.want {
			t.Errorf("quantise(%v) = %d, want %d", c.w, got, c.want)
		}
	}
}

func TestEstimatorNames(t *testing.T) {
	for e, want := range map[Estimator]string{MultinomialNB: "mnb", ComplementNB: "cnb", 7: "Estimator(7)"} {
		if got := e.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A label without a document, and a task without any outside a fold, still
// get weights that a model file takes.
func TestWeightsOfNothing(t *testing.T) {
	for _, e := range []Estimator{MultinomialNB, ComplementNB} {
		counts := newCounts(2, 2)
		w := candidate{Estimator: e, Alpha: 1}.weigh(counts, counts.vocabularySize())
		if !slices.Equal(w.weights, make([]int16, 4)) || w.bits > model.ScoreBits || w.bias[0] != w.bias[1] {
			t.Errorf("%s: got weights %v, bits %d, bias %v; want zeros, at most %d, equal ones", e, w.weights, w.bits, w.bias, model.ScoreBits)
		}
	}
}
