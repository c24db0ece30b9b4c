package judge

import (
	"cmp"
	"math"
	"slices"
	"testing"
)

// referenceECE sorts and cuts into 15 bins by the rank of each answer.
func referenceECE(list []Judgement) float64 {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b Judgement) int { return cmp.Compare(a.confidence(), b.confidence()) })
	n := len(sorted)
	ece := 0.0
	for bin := range 15 {
		size, confidence, right := 0.0, 0.0, 0.0
		for rank, j := range sorted {
			if lo, hi := bin*n/15, (bin+1)*n/15; rank < lo || rank >= hi {
				continue
			}
			size++
			confidence += j.confidence()
			right += float64(one(j.right()))
		}
		if size > 0 {
			ece += size / float64(n) * math.Abs(right/size-confidence/size)
		}
	}
	return ece
}

func TestECEIsThatOfTheDefinition(t *testing.T) {
	rng := newRand(9)
	for n := 1; n < 200; n++ {
		list := population{sources: n, rows: 1, right: always(0.5)}.draw(rng)
		near(t, "ECE", newRanking(list).expectedCalibrationError(), referenceECE(list))
	}
}

func TestECEOfWeightsIsThatOfRepeats(t *testing.T) {
	rng := newRand(10)
	for range 100 {
		list := population{sources: 1 + rng.IntN(30), rows: 4, right: calibrated}.draw(rng)
		for i := range list { // some of equal confidence
			if i%3 == 0 {
				list[i] = answer(list[i].Source, 0, i%2 == 0, 0.75)
			}
		}
		r := newRanking(list)
		weights := make([]int, r.sources)
		for s := range weights {
			weights[s] = rng.IntN(4)
		}
		weights[0] = 1
		var repeated []Judgement
		for _, j := range list {
			for range weights[j.Source] {
				repeated = append(repeated, j)
			}
		}
		near(t, "ECE", r.weightedCalibrationError(weights), referenceECE(repeated))
	}
}

func TestECEOfBinsByHand(t *testing.T) {
	var sure, fair []Judgement
	for i := range 150 { // bins of ten, of which nine are right
		sure = append(sure, answer(i, 0, i%10 != 0, 1))
		fair = append(fair, answer(i, 0, i%10 != 0, 0.9))
	}
	near(t, "ECE of certainty", newRanking(sure).expectedCalibrationError(), 0.1)
	near(t, "ECE of 0.9", newRanking(fair).expectedCalibrationError(), 0)
	near(t, "ECE of certainty, if perfect", newRanking(sure).perfectCalibrationError(), 0)
	if got := newRanking(fair).perfectCalibrationError(); !(got > 0.03 && got < 0.12) {
		t.Errorf("ECE of 0.9, if perfect: got %v, want that of chance, about 0.07", got)
	}
}

// The interval of the excess is about the error to be expected: it must hold
// it, and must not see an excess where there is none.
func TestExcessECEInterval(t *testing.T) {
	for _, test := range []struct {
		name string
		population
	}{
		{"calibrated", population{sources: 150, rows: 1, even: true, right: calibrated}},
		{"too sure", population{sources: 50, rows: 3, even: true, together: 0.3, right: func(c float64) float64 { return c - 0.15 }}},
	} {
		rng, expected := newRand(11), 0.0
		const many, runs = 2000, 80
		for range many {
			expected += newRanking(test.draw(rng)).expectedCalibrationError() / many
		}
		held, excess := 0, 0
		for range runs {
			m := Measure(two, test.draw(rng))
			held += one(m.ExcessECEInterval.holds(expected-m.PerfectECE) && m.ECEInterval.holds(expected))
			excess += one(m.ExcessECEInterval.Low > 0)
		}
		if held < runs*89/100 {
			t.Errorf("%s: %d of %d intervals hold the expected ECE of %.3f, want about 95%%", test.name, held, runs, expected)
		}
		if test.name == "calibrated" && excess > runs*6/100 {
			t.Errorf("%d of %d intervals of a calibrated model lie above 0, want at most about 2.5%%", excess, runs)
		}
	}
}
