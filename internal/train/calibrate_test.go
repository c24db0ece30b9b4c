package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/parley-nlp/parley/internal/exact"
)

// drawn returns texts whose labels are drawn from the softmax of their scores
// times inverse.
func drawn(rng *rand.Rand, n, labels int, inverse float64) []scoredText {
	list := make([]scoredText, n)
	p := make([]float64, labels)
	for i := range list {
		nats := make([]float64, labels)
		for l := range nats {
			nats[l] = rng.NormFloat64() * 2 / inverse
		}
		exact.Softmax(p, nats, inverse)
		truth := 0
		for u := rng.Float64() - p[0]; u > 0 && truth < labels-1; u -= p[truth] {
			truth++
		}
		list[i] = scoredText{nats, truth}
	}
	return list
}

func TestTemperatureIsRecovered(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, want := range []float64{0.001, 0.1, 0.5, 1, 2, 50} {
		for _, labels := range []int{2, 5} {
			if got := fitTemperature(drawn(rng, 20_000, labels, want)); math.Abs(got/want-1) > 0.05 {
				t.Errorf("%d labels: got %v, want %v within 5%%", labels, got, want)
			}
		}
	}
}

// repeated returns n texts with a lead of the first label over the second of
// which that many are right.
func repeated(n, right int, lead float64) []scoredText {
	var list []scoredText
	for i := range n {
		s := scoredText{nats: []float64{lead, 0}}
		if i >= right {
			s.truth = 1
		}
		list = append(list, s)
	}
	return list
}

// Of four texts three are right: with one added that is of both labels alike,
// the leading label should get (3*0.9 + 0.1) / 4 = 0.7.
func TestTemperatureInClosedForm(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []scoredText
		want  float64
	}{
		{"no texts", nil, 1},
		{"three of four right", repeated(4, 3, 1), math.Log(7. / 3)},
		{"three of four right, scores of ten", repeated(4, 3, 10), math.Log(7./3) / 10},
		{"half right", repeated(4, 2, 1), coolest},
		{"all wrong", repeated(4, 0, 1), coolest},
		{"tiny scores, three of four right", repeated(4, 3, 1e-6), hottest},
	} {
		if got := fitTemperature(c.texts); math.Abs(got/c.want-1) > 1e-9 {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPerfectSeparationStaysInBounds(t *testing.T) {
	for _, lead := range []float64{1e-9, 1e-3, 1, 1e3, 1e9} {
		got := fitTemperature(repeated(5, 5, lead))
		if !(got >= coolest && got <= hottest) {
			t.Errorf("lead of %v: got %v, want %v to %v", lead, got, coolest, hottest)
		}
		p := make([]float64, 2)
		exact.Softmax(p, []float64{lead, 0}, got)
		if lead >= 1e-3 && !(p[0] > 0.7) {
			t.Errorf("lead of %v: the right label gets %v, want more than 0.7", lead, p[0])
		}
	}
}

func TestSlopeFalls(t *testing.T) {
	list := drawn(rand.New(rand.NewPCG(7, 8)), 200, 4, 0.3)
	last := math.Inf(1)
	for e := -12.0; e < 5; e += 0.1 {
		slope := likelihoodSlope(list, math.Exp(e))
		if slope > last {
			t.Errorf("inverse temperature %v: the slope rises from %v to %v", math.Exp(e), last, slope)
		}
		last = slope
	}
	if last >= 0 {
		t.Errorf("the slope ends at %v, want below 0", last)
	}
}

func TestArgmax(t *testing.T) {
	for _, c := range []struct {
		values []int64
		want   int
	}{{[]int64{1}, 0}, {[]int64{1, 2}, 1}, {[]int64{2, 3, 3}, 1}, {[]int64{-5, -7}, 0}} {
		if got := argmax(c.values); got != c.want {
			t.Errorf("argmax(%v) = %d, want %d", c.values, got, c.want)
		}
	}
}
