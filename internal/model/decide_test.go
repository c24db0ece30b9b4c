package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDecide(t *testing.T) {
	result := func(known int, outOfDomain bool, p ...float64) *Result {
		prediction := Prediction{Raw: make([]int64, len(p)), Probabilities: p}
		prediction.Best = prediction.best()
		return &Result{Predictions: []Prediction{prediction}, Words: 4, KnownWords: known, outOfDomain: outOfDomain}
	}
	strict := Thresholds{MinProbability: 1, MinMargin: 1}
	for _, c := range []struct {
		r    *Result
		t    Thresholds
		want Decision
	}{
		{result(0, true, 0.9, 0.1), strict, NoEvidence},
		{result(1, true, 0.9, 0.1), strict, OutOfDomain},
		{result(1, false, 0.9, 0.1), Thresholds{MinProbability: 0.95, MinMargin: 1}, LowConfidence},
		{result(1, false, 0.9, 0.1), Thresholds{MinProbability: 0.9, MinMargin: 0.85}, Ambiguous},
		{result(1, false, 0.75, 0.25), Thresholds{MinProbability: 0.75, MinMargin: 0.5}, Labeled},
		{result(1, false, 0.5, 0.5), Thresholds{}, Labeled},
		{result(1, false, 0.5, 0.5), Thresholds{MinMargin: 1e-9}, Ambiguous},
		{result(1, false, 0.25, 0.5, 0.25), Thresholds{MinMargin: 0.25}, Labeled},
		{result(1, false, 1), Thresholds{MinProbability: 1, MinMargin: 1}, Labeled}, // a single label

		// Only the best label's own threshold counts, beside the one of all.
		{result(1, false, 0.25, 0.75), Thresholds{PerLabel: []float64{2, 0.75}}, Labeled},
		{result(1, false, 0.25, 0.75), Thresholds{PerLabel: []float64{0, 0.8}}, LowConfidence},
		{result(1, false, 0.75, 0.25), Thresholds{PerLabel: []float64{0.75, 0.8}}, Labeled},
		{result(1, false, 1, 0), Thresholds{PerLabel: []float64{1.5, 0}}, LowConfidence}, // a label that is never given
		{result(1, false, 0.75, 0.25), Thresholds{MinProbability: 0.8, PerLabel: []float64{0, 0}}, LowConfidence},
		{result(1, false, 0.75, 0.25), Thresholds{PerLabel: []float64{0.5, 0.5}, MinMargin: 0.75}, Ambiguous},
		{result(0, false, 0.75, 0.25), Thresholds{PerLabel: []float64{1, 1}}, NoEvidence},
	} {
		if got := c.r.Decide(0, c.t); got != c.want {
			t.Errorf("%v with %+v: %v, want %v", c.r.Predictions[0].Probabilities, c.t, got, c.want)
		}
	}
	for d, want := range map[Decision]string{
		NoEvidence: "NO_EVIDENCE", OutOfDomain: "OUT_OF_DOMAIN", LowConfidence: "LOW_CONFIDENCE",
		Ambiguous: "AMBIGUOUS", Labeled: "LABELED", 0: "Decision(0)", 9: "Decision(9)",
	} {
		if d.String() != want {
			t.Errorf("Decision %d is %q, want %q", uint8(d), d, want)
		}
	}
}

func TestRanked(t *testing.T) {
	for _, c := range []struct {
		probabilities []float64
		raw           []int64
		k             int
		want          []int
	}{
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, -1, []int{1, 2, 0}},
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, 2, []int{1, 2}},
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, 0, []int{}},
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, 9, []int{1, 2, 0}},
		{[]float64{0.25, 0.25, 0.25, 0.25}, []int64{1, 1, 1, 1}, -1, []int{0, 1, 2, 3}},
		{[]float64{0, 1, 0, 0}, []int64{-9, 5, -7, -7}, -1, []int{1, 2, 3, 0}}, // scores break ties
	} {
		p := Prediction{Raw: c.raw, Probabilities: c.probabilities}
		if got := p.Ranked(c.k); !slices.Equal(got, c.want) {
			t.Errorf("Ranked(%d) of %v, %v = %v, want %v", c.k, c.probabilities, c.raw, got, c.want)
		}
		if all := p.Ranked(-1); p.best() != all[0] {
			t.Errorf("best of %v, %v = %d, want %d", c.probabilities, c.raw, p.best(), all[0])
		}
	}
}

// Decision weights choose the best label and its margin; thresholds are on the
// probabilities as they are.
func TestDecisionWeightsChoose(t *testing.T) {
	for _, c := range []struct {
		probabilities, weights []float64
		ranked                 []int
		margin                 float64
	}{
		{[]float64{0.6, 0.4}, nil, []int{0, 1}, 0.2},
		{[]float64{0.6, 0.4}, []float64{1, 2}, []int{1, 0}, 0.2 / 1.4},
		{[]float64{0.5, 0.25, 0.25}, []float64{1, 2, 4}, []int{2, 0, 1}, 0.25},
		{[]float64{0.5, 0.5}, []float64{8, 8}, []int{0, 1}, 0},
		{[]float64{1, 0}, []float64{0.001, 1000}, []int{0, 1}, 1},
		{[]float64{1}, []float64{0.5}, []int{0}, 1}, // a single label
	} {
		p := Prediction{Raw: make([]int64, len(c.probabilities)), Probabilities: c.probabilities, weights: c.weights}
		p.Best = p.best()
		if got := p.Ranked(-1); !slices.Equal(got, c.ranked) || p.Best != c.ranked[0] {
			t.Errorf("%v with weights %v: ranked %v, best %d, want %v", c.probabilities, c.weights, got, p.Best, c.ranked)
		}
		if got := p.margin(); !(math.Abs(got-c.margin) < 1e-12) {
			t.Errorf("%v with weights %v: margin %v, want %v", c.probabilities, c.weights, got, c.margin)
		}
		r := &Result{KnownWords: 1, Predictions: []Prediction{p}}
		for _, d := range []struct {
			t    Thresholds
			want Decision
		}{
			{Thresholds{}, Labeled},
			{Thresholds{MinProbability: c.probabilities[p.Best]}, Labeled},
			{Thresholds{MinProbability: c.probabilities[p.Best] + 1e-9}, LowConfidence},
			{Thresholds{MinMargin: c.margin - 1e-9}, Labeled},
			{Thresholds{MinMargin: c.margin + 1e-9}, Ambiguous},
		} {
			if got := r.Decide(0, d.t); got != d.want {
				t.Errorf("%v with weights %v and %+v: %v, want %v", c.probabilities, c.weights, d.t, got, d.want)
			}
		}
	}
}

// Decision weights leave scores and probabilities as they are, and weights that
// are all the same leave the decision too.
func TestDecisionWeightsChangeNoProbability(t *testing.T) {
	f := Features{Words: 2, CharMin: 2, CharMax: 3}
	plain, same := aimedSpec(t, f, tinyWords), aimedSpec(t, f, tinyWords)
	plain.Heads[1].DecisionWeights, same.Heads[1].DecisionWeights = nil, []float64{4, 4, 4}
	a, b, c := build(t, plain).NewClassifier(), build(t, same).NewClassifier(), aimed(t, f, tinyWords).NewClassifier()
	rng := rand.New(rand.NewPCG(38, 39))
	moved := 0
	for range 300 {
		text, target := generated(rng), someTargets[rng.IntN(len(someTargets))]
		want := a.Classify(text, target).Predictions[1]
		for _, k := range []*Classifier{b, c} {
			r := k.Classify(text, target)
			p := r.Predictions[1]
			if !slices.Equal(p.Raw, want.Raw) || !slices.Equal(p.Probabilities, want.Probabilities) {
				t.Fatalf("%q about %q: %v of %v with decision weights, without %v of %v", text, target, p.Probabilities, p.Raw, want.Probabilities, want.Raw)
			}
			if k == b && (p.Best != want.Best || math.Abs(p.margin()-want.margin()) > 1e-9) {
				t.Fatalf("%q about %q: label %d leads by %v with equal weights, without %d by %v", text, target, p.Best, p.margin(), want.Best, want.margin())
			}
			if k == c && p.Best != want.Best {
				moved++
			}
		}
	}
	if moved == 0 {
		t.Error("decision weights changed no decision")
	}
}

func TestHeadThresholds(t *testing.T) {
	m := aimed(t, Features{Words: 1}, tinyWords)
	if got, want := m.Heads()[1].Thresholds(), (Thresholds{MinProbability: 0.4, PerLabel: []float64{0, 0.5, 2}}); got.MinProbability != want.MinProbability ||
		!slices.Equal(got.PerLabel, want.PerLabel) || got.MinMargin != 0 {
		t.Errorf("thresholds %+v, want %+v", got, want)
	}
	if got := m.Heads()[0].Thresholds(); got.MinProbability != 0 || got.PerLabel != nil || got.MinMargin != 0 {
		t.Errorf("thresholds %+v, want none", got)
	}
	r := &Result{KnownWords: 1, Predictions: []Prediction{{Probabilities: []float64{0.1, 0.1, 0.8}, Best: 2}}}
	if got := r.Decide(0, m.Heads()[1].Thresholds()); got != LowConfidence {
		t.Errorf("a label with a threshold above 1: %v, want %v", got, LowConfidence)
	}
}

func TestLabelSets(t *testing.T) {
	for _, c := range []struct {
		thresholds, probabilities []float64
		want                      []int
	}{
		{[]float64{0.5, 0.25, 0.125}, []float64{0.5, 0.25, 0.25}, []int{0, 1, 2}},
		{[]float64{0.5, 0.25, 0.125}, []float64{0.4, 0.6, 0}, []int{1}},
		{[]float64{0.9, 0.9, 0.9}, []float64{0.4, 0.3, 0.3}, nil},
		{[]float64{0, 2, 0}, []float64{0, 1, 0}, []int{0, 2}}, // one label always, one never
		{nil, []float64{0.4, 0.6}, nil},                       // no sets
	} {
		if got := (LabelSets{Coverage: 0.9, Thresholds: c.thresholds}).Set(c.probabilities); !slices.Equal(got, c.want) {
			t.Errorf("set of %v with thresholds %v: %v, want %v", c.probabilities, c.thresholds, got, c.want)
		}
	}
}

// A set is never smaller with lower thresholds, and holds the labels whose
// probability reaches the threshold, no others.
func TestLabelSetsGrow(t *testing.T) {
	rng := rand.New(rand.NewPCG(34, 35))
	for range 1000 {
		n := 1 + rng.IntN(6)
		high, low, p := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			high[i], p[i] = rng.Float64(), rng.Float64()
			low[i] = high[i] * rng.Float64()
		}
		small, big := LabelSets{0.9, high}.Set(p), LabelSets{0.95, low}.Set(p)
		for i := range n {
			if in := slices.Contains(small, i); in != (p[i] >= high[i]) || in && !slices.Contains(big, i) {
				t.Fatalf("%v: set %v with thresholds %v, %v with %v", p, small, high, big, low)
			}
		}
		if !slices.IsSorted(small) {
			t.Fatalf("set %v is out of order", small)
		}
	}
}
