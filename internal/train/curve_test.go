package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// claimed returns answers about three labels whose best label is right with the
// probability that right makes of the one they claim.
func claimed(seed uint64, n int, right func(p float64) float64) []judge.Judgement {
	rng := rand.New(rand.NewPCG(seed, 0))
	var list []judge.Judgement
	for i := range n {
		best := rng.IntN(3)
		p := 0.4 + 0.6*rng.Float64()
		j := judge.Judgement{Predicted: best, Truth: best, Source: i, Probabilities: []float64{(1 - p) / 2, (1 - p) / 2, (1 - p) / 2}}
		j.Probabilities[best] = p
		if rng.Float64() >= right(p) {
			j.Truth = (best + 1 + rng.IntN(2)) % 3
		}
		list = append(list, j)
	}
	return list
}

// judgedEnsemble is one with so many labels and judged examples, a fifth of
// these in each fold.
func judgedEnsemble(labels, n int) *ensemble {
	t := &task{corpus: &corpus{}, labels: []string{"a", "b", "c"}[:labels], folds: 5}
	for i := range n {
		t.fold, t.known, t.truth = append(t.fold, i*5/n), append(t.known, true), append(t.truth, 0)
	}
	return &ensemble{task: t}
}

func logLoss(list []judge.Judgement) float64 {
	sum := 0.0
	for _, j := range list {
		sum -= exact.Log(j.Probabilities[j.Truth])
	}
	return sum / float64(len(list))
}

// One text in four is labelled at random: certainty beyond 0.83 is never right.
func TestStraightenLearnsThatSomeLabelsAreWrong(t *testing.T) {
	noisy := func(p float64) float64 { return 0.75*min(1, 1.2*p-0.1) + 0.25/3 }
	list := claimed(1, 6000, noisy)
	before := logLoss(list)
	curve := judgedEnsemble(3, len(list)).straighten(list)
	if curve == nil {
		t.Fatal("no curve")
	}
	if after := logLoss(list); after > 0.98*before {
		t.Errorf("the loss falls from %.4f to %.4f only", before, after)
	}
	fresh := claimed(2, 6000, noisy)
	before = logLoss(fresh)
	for i := range fresh {
		curve.Apply(fresh[i].Probabilities)
		if argmax(fresh[i].Probabilities) != fresh[i].Predicted {
			t.Fatalf("another label is the best: %v", fresh[i])
		}
	}
	if after := logLoss(fresh); after > 0.98*before {
		t.Errorf("the loss of other answers falls from %.4f to %.4f only", before, after)
	}
	for _, p := range []float64{0.45, 0.6, 0.75, 0.9, 0.97} {
		q := []float64{p, (1 - p) / 2, (1 - p) / 2}
		curve.Apply(q)
		if math.Abs(q[0]-noisy(p)) > 0.04 {
			t.Errorf("%.2f becomes %.3f, want %.3f", p, q[0], noisy(p))
		}
	}
}

func TestStraightenLeavesWellAlone(t *testing.T) {
	for name, list := range map[string][]judge.Judgement{
		"calibrated":  claimed(3, 6000, func(p float64) float64 { return p }),
		"few answers": claimed(4, curvedFrom-1, func(p float64) float64 { return p / 2 }),
	} {
		want := make([]judge.Judgement, len(list))
		for i, j := range list {
			want[i] = j
			want[i].Probabilities = slices.Clone(j.Probabilities)
		}
		if c := judgedEnsemble(3, len(list)).straighten(list); c != nil {
			t.Errorf("%s: curve %v", name, c)
		}
		for i := range list {
			if !slices.Equal(list[i].Probabilities, want[i].Probabilities) {
				t.Errorf("%s: answers have changed", name)
				break
			}
		}
	}
}

// Texts without a known word are answered by the prior, which no curve corrects.
func TestStraightenLeavesPriorsAlone(t *testing.T) {
	list := claimed(5, 4000, func(p float64) float64 { return p / 2 })
	e := judgedEnsemble(3, len(list))
	prior := []float64{0.5, 0.25, 0.25}
	for i := 0; i < len(list); i += 7 {
		e.known[i] = false
		list[i].Predicted, list[i].Probabilities = 0, slices.Clone(prior)
	}
	if e.straighten(list) == nil {
		t.Fatal("no curve")
	}
	for i := 0; i < len(list); i += 7 {
		if !slices.Equal(list[i].Probabilities, prior) {
			t.Fatalf("a prior became %v", list[i].Probabilities)
		}
	}
}

func TestFitCurveIsValid(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 0))
	for _, test := range []struct {
		name string
		draw func() answer
	}{
		{"always right", func() answer { return answer{rng.Float64(), true} }},
		{"never right", func() answer { return answer{rng.Float64(), false} }},
		{"certain and right", func() answer { return answer{1, true} }},
		{"certain and wrong", func() answer { return answer{1, false} }},
		{"falling", func() answer { p := rng.Float64(); return answer{p, rng.Float64() > p} }},
		{"two values", func() answer { return answer{0.5 + 0.25*float64(rng.IntN(2)), rng.IntN(2) == 0} }},
	} {
		for _, n := range []int{1, 3, 50, 1000} {
			var list []answer
			for range n {
				list = append(list, test.draw())
			}
			curve := fitCurve(list)
			last := model.CurvePoint{}
			for _, p := range curve {
				if !(p.Probability > last.Probability && p.Share >= last.Share && p.Share < 1) {
					t.Errorf("%s, %d answers: %v", test.name, n, curve)
					break
				}
				last = p
			}
			if last.Probability != 1 {
				t.Errorf("%s, %d answers: ends at %v", test.name, n, last)
			}
		}
	}
}
