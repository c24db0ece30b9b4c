package train

import (
	"math/rand/v2"
	"testing"
)

// draw returns judgements of n sources with that many texts each, of which a
// share is right. Within a source all are right or all are wrong if together.
func draw(seed uint64, sources, texts int, right float64, together bool) []judgement {
	rng := rand.New(rand.NewPCG(seed, 1))
	var list []judgement
	for s := range sources {
		hit := rng.Float64() < right
		for range texts {
			if !together {
				hit = rng.Float64() < right
			}
			j := judgement{truth: rng.IntN(2), source: s, probabilities: []float64{0.5, 0.5}}
			if j.predicted = j.truth; !hit {
				j.predicted = 1 - j.truth
			}
			list = append(list, j)
		}
	}
	return list
}

func TestBootstrapCoversTheTruth(t *testing.T) {
	covered := 0
	const runs = 60
	for seed := range uint64(runs) {
		a, _ := bootstrap(2, draw(seed, 60, 5, 0.8, false))
		if a.Low <= 0.8 && 0.8 <= a.High {
			covered++
		}
	}
	if covered < runs*85/100 {
		t.Errorf("%d of %d intervals hold the true accuracy, want at least 85%%", covered, runs)
	}
}

// Texts of one source that stand or fall together tell as much as one text.
func TestBootstrapDrawsSources(t *testing.T) {
	apart, _ := bootstrap(2, draw(3, 50, 10, 0.8, false))
	together, _ := bootstrap(2, draw(3, 50, 10, 0.8, true))
	if (together.High - together.Low) < 2*(apart.High-apart.Low) {
		t.Errorf("interval %v of dependent texts, %v of independent ones: want it at least twice as wide", together, apart)
	}
}

func TestBootstrapEdges(t *testing.T) {
	if a, f := bootstrap(2, nil); a != (Interval{}) || f != (Interval{}) {
		t.Errorf("no texts: got %v and %v, want zeros", a, f)
	}
	if a, f := bootstrap(2, []judgement{{truth: 1, predicted: 1}}); a != (Interval{1, 1}) || f != (Interval{1, 1}) {
		t.Errorf("one right text: got %v and %v, want 1 to 1", a, f)
	}
}

func TestMarginalsAgreeWithMetrics(t *testing.T) {
	list := draw(9, 20, 3, 0.6, false)
	m := measure([]string{"a", "b"}, list)
	sum := newMarginals(2)
	for _, j := range list {
		sum.add(j)
	}
	near(t, "accuracy", sum.accuracy(), m.Accuracy)
	near(t, "macro-F1", sum.macroF1(), m.MacroF1)
}
