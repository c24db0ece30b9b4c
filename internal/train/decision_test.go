package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/judge"
)

// stated returns answers whose probabilities are right: the truth is drawn from
// them. The second label is rare.
func stated(seed uint64, n int) []judge.Judgement {
	rng := rand.New(rand.NewPCG(seed, 0))
	var list []judge.Judgement
	for i := range n {
		p := 0.45 * rng.Float64()
		truth := 0
		if rng.Float64() < p {
			truth = 1
		}
		list = append(list, judge.Judgement{Truth: truth, Predicted: 0, Source: i, Probabilities: []float64{1 - p, p}})
	}
	return list
}

// The most probable label is always the first, with a macro-F1 of half the
// first label's F1; favouring the rare one does better.
func TestDecideFavoursRareLabels(t *testing.T) {
	list := stated(1, 2000)
	e := judgedEnsemble(2, len(list))
	truth, plain := split(list)
	before := judge.MacroF1(2, truth, plain)
	w := e.decide(list)
	if len(w) != 2 || w[1]/w[0] < 1.5 {
		t.Fatalf("decision weights %v: want the rare label favoured", w)
	}
	_, decided := split(list)
	if after := judge.MacroF1(2, truth, decided); after < before+0.1 {
		t.Errorf("macro-F1 %.3f, before %.3f", after, before)
	}
	fresh := stated(2, 2000)
	truth, plain = split(fresh)
	for k := range plain {
		plain[k] = best(fresh[k].Probabilities, w)
	}
	if after := judge.MacroF1(2, truth, plain); after < before+0.1 {
		t.Errorf("macro-F1 %.3f on other answers, before %.3f", after, before)
	}
}

func TestDecideLeavesWellAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	var even []judge.Judgement
	for i := range 1000 {
		p := rng.Float64()
		j := judge.Judgement{Source: i, Probabilities: []float64{1 - p, p}, Predicted: argmax([]float64{1 - p, p})}
		if rng.Float64() < p {
			j.Truth = 1
		}
		even = append(even, j)
	}
	for name, list := range map[string][]judge.Judgement{
		"even labels": even,
		"few answers": stated(4, weighedFrom-1),
	} {
		before := slices.Clone(list)
		e := judgedEnsemble(2, len(list))
		if w := e.decide(list); w != nil {
			t.Errorf("%s: decision weights %v", name, w)
		}
		_, want := split(before)
		if _, got := split(list); !slices.Equal(got, want) {
			t.Errorf("%s: answers have changed", name)
		}
	}
}

// Two texts, which have the second label by probabilities of 0.4 and 0.1: with
// rising weights none, one and both are named so.
func TestExpectedMacroF1(t *testing.T) {
	list := []judge.Judgement{
		{Truth: 1, Probabilities: []float64{0.6, 0.4}},
		{Truth: 1, Probabilities: []float64{0.9, 0.1}}, // the truth is not looked at
	}
	for _, test := range []struct {
		weights []float64
		want    float64
	}{
		{[]float64{1, 1}, (2*1.5/(2+1.5) + 0) / 2},
		{[]float64{1, 2}, (2*0.9/(1+1.5) + 2*0.4/(1+0.5)) / 2},
		{[]float64{1, 20}, (0 + 2*0.5/(2+0.5)) / 2},
	} {
		if got := expectedMacroF1(2, list, test.weights); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("weights %v: expected macro-F1 %v, want %v", test.weights, got, test.want)
		}
	}
	if got := expectedMacroF1(3, []judge.Judgement{{Probabilities: []float64{1, 0, 0}}}, nil); math.Abs(got-1.0/3) > 1e-12 {
		t.Errorf("a label never named nor expected: %v, want a third", got)
	}
}
