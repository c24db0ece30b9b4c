package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestCurveRunsThroughItsPoints(t *testing.T) {
	c := Curve{{0.5, 0.25}, {0.75, 0.5}, {1, 0.875}}
	for p, want := range map[float64]float64{0: 0, 0.25: 0.125, 0.5: 0.25, 0.625: 0.375, 0.75: 0.5, 0.875: 0.6875, 1: 0.875} {
		if got := c.at(p); got != want {
			t.Errorf("at %v: %v, want %v", p, got, want)
		}
	}
}

func TestCurveApply(t *testing.T) {
	for _, test := range []struct {
		name    string
		c       Curve
		p, want []float64
	}{
		{"none", nil, []float64{0.25, 0.75}, []float64{0.25, 0.75}},
		{"others share the rest", Curve{{0.5, 0.25}, {1, 0.75}}, []float64{0.125, 0.75, 0.125}, []float64{0.25, 0.5, 0.25}},
		{"the best stays the best", Curve{{0.5, 0.125}, {1, 0.125}}, []float64{0.5, 0.375, 0.125}, []float64{3.0 / 7, 3.0 / 7, 1.0 / 7}},
		{"certain", Curve{{1, 0.75}}, []float64{0, 1, 0}, []float64{0.125, 0.75, 0.125}},
		{"one label", Curve{{1, 0.75}}, []float64{1}, []float64{1}},
	} {
		got := slices.Clone(test.p)
		test.c.Apply(got)
		for l := range got {
			if math.Abs(got[l]-test.want[l]) > 1e-15 {
				t.Errorf("%s: %v, want %v", test.name, got, test.want)
				break
			}
		}
	}
}

// Whatever the curve, probabilities stay a distribution and the best label the
// best, also where others come close to 0.
func TestCurveKeepsDistributions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		c := Curve{{0.001 + 0.4*rng.Float64(), rng.Float64() / 2}, {1, 0.5 + rng.Float64()/2}}
		p := make([]float64, 2+rng.IntN(5))
		sum := 0.0
		for l := range p {
			p[l] = math.Exp(-rng.ExpFloat64() * math.Exp(7*rng.Float64()))
			sum += p[l]
		}
		if sum == 0 {
			p[0], sum = 1, 1
		}
		for l := range p {
			p[l] /= sum
		}
		before, top := slices.Clone(p), largest(p)
		c.Apply(p)
		sum = 0
		for _, q := range p {
			if !(q >= 0 && q <= p[top]) {
				t.Fatalf("%v becomes %v by %v", before, p, c)
			}
			sum += q
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("%v becomes %v by %v: adds up to %v", before, p, c, sum)
		}
	}
}
