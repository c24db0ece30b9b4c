package judge

import (
	"math"
	"slices"
	"testing"
)

// Four sources, in each of which the challenger is right and the champion is
// wrong: of the 16 ways to swap, 2 are as extreme.
func TestPValuesByHand(t *testing.T) {
	var champion, challenger []Judgement
	for s := range 4 {
		for range 3 {
			champion = append(champion, answer(s, 1, false, 0.8))
			challenger = append(challenger, answer(s, 0, true, 0.8))
		}
	}
	c := compared(t, champion, challenger)
	near(t, "accuracy", c.Accuracy.PValue, 2./16)
	near(t, "macro-F1", c.MacroF1.PValue, 2./16)
	near(t, "NLL", c.NLL.PValue, 2./16)
	near(t, "label", c.Labels[0].PValue, 2*2./16) // of two labels: "no" is predicted
	challenger[0] = answer(0, 0, true, 0.7)
	near(t, "NLL, sources of different size", compared(t, champion, challenger).NLL.PValue, 2./16)
}

// Random swaps come near the sign test, which for accuracy and one row a source
// they are.
func TestRandomPValues(t *testing.T) {
	var champion, challenger []Judgement
	for s := range 40 {
		right := s < 30
		champion = append(champion, duel{}.answer(s, 0, !right && s < 35 || s >= 38, 0))
		challenger = append(challenger, duel{}.answer(s, 0, right && s >= 12 || s >= 38, 0))
	}
	c := compared(t, champion, challenger) // 18 against 5 of 23
	if c.OnlyChallenger != 18 || c.OnlyChampion != 5 {
		t.Fatalf("got %d against %d, want 18 against 5", c.OnlyChallenger, c.OnlyChampion)
	}
	want, ways := 0.0, 1.0 // choose(23, k)
	for k := range 6 {
		want += 2 * ways / math.Pow(2, 23)
		ways *= float64(23-k) / float64(k+1)
	}
	within(t, "p-value", c.Accuracy.PValue, want, 0.003)
}

func TestSwaps(t *testing.T) {
	for _, test := range []struct{ sources, ways int }{{1, 2}, {12, 4096}, {13, 10_001}, {130, 10_001}} {
		ways, on := 0, make([]int, test.sources)
		for swap := range swaps(test.sources) {
			if ways == 0 && slices.Contains(swap, true) {
				t.Errorf("%d sources: first %v, want nothing swapped", test.sources, swap)
			}
			for s, yes := range swap {
				on[s] += one(yes)
			}
			ways++
		}
		if ways != test.ways {
			t.Errorf("%d sources: got %d ways, want %d", test.sources, ways, test.ways)
		}
		for _, n := range on {
			within(t, "share of ways that swap a source", float64(n)/float64(ways), 0.5, 0.02)
		}
	}
}

// Swapping by differences is the same as to measure the swapped lists.
func TestSwappedMeasures(t *testing.T) {
	rng := newRand(70)
	d := duel{sources: 9, rows: 4, together: 0.4, champion: 0.6, challenger: 0.8, confidence: [2]float64{0.9, 0.7}}
	champion, challenger := d.draw(rng)
	p := newPairs(2, champion, challenger)
	test := newSwapTest(p)
	for swap := range swaps(p.sources) {
		a, b := slices.Clone(champion), slices.Clone(challenger)
		for i := range a {
			if swap[a[i].Source] {
				a[i], b[i] = b[i], a[i]
			}
		}
		c := newPairs(2, a, b).measure(two)
		got := test.measure(swap)
		near(t, "accuracy", float64(got.gain)/float64(len(a)), c.Accuracy.Difference)
		near(t, "NLL", got.nll/float64(len(a)), c.NLL.Difference)
		near(t, "macro-F1", got.macroF1, c.MacroF1.Difference)
		near(t, "F1", got.f1[1], c.Labels[1].Difference)
	}
}

func TestHolm(t *testing.T) {
	labels := []*LabelDifference{{PValue: 0.04}, {PValue: 0.01}, {PValue: 0.03}, {PValue: 0.9}}
	want := []float64{0.09, 0.04, 0.09, 0.9}
	holm(slices.Clone(labels))
	for i, l := range labels {
		near(t, "corrected p-value", l.PValue, want[i])
	}
	one := []*LabelDifference{{PValue: 0.7}, {PValue: 0.6}}
	holm(one)
	near(t, "at most 1", one[1].PValue, 1)
}
