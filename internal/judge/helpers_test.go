package judge

import (
	"math"
	"math/rand/v2"
	"testing"
)

// near fails the test when got is not want.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	within(t, what, got, want, 1e-12)
}

// within fails the test when got is further than distance from want.
func within(t *testing.T, what string, got, want, distance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= distance) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func (i Interval) holds(x float64) bool { return i.Low <= x && x <= i.High }

// two are the labels of a population.
var two = []string{"yes", "no"}

// A population is texts from which to draw answers about two labels. The
// confidence is spread evenly over 0.5 to 1.
type population struct {
	sources, rows int // rows of each source: 1 to rows, or just rows when even
	even          bool
	together      float64 // share of rows that share the luck of their source
	right         func(confidence float64) float64
}

func always(p float64) func(float64) float64 { return func(float64) float64 { return p } }

func calibrated(confidence float64) float64 { return confidence }

func (p population) draw(rng *rand.Rand) []Judgement {
	var list []Judgement
	for s := range p.sources {
		rows, luck := p.rows, rng.Float64()
		if !p.even {
			rows = 1 + rng.IntN(p.rows)
		}
		for range rows {
			confidence, own := (1+rng.Float64())/2, rng.Float64()
			if rng.Float64() < p.together {
				own = luck
			}
			list = append(list, answer(s, rng.IntN(2), own < p.right(confidence), confidence))
		}
	}
	return list
}

// answer answers the label given, rightly or not.
func answer(source, label int, right bool, confidence float64) Judgement {
	j := Judgement{Truth: label, Predicted: label, Source: source, Probabilities: []float64{1 - confidence, 1 - confidence}}
	j.Probabilities[label] = confidence
	if !right {
		j.Truth = 1 - label
	}
	return j
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
