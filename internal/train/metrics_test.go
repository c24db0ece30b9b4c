package train

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// near fails the test when got is not want.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-12) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// The truth of six texts is a a a b b c, the answers are a a b b a b; d never
// occurs.
func TestMetricsOfAHandfulOfAnswers(t *testing.T) {
	p := func(a, b, c float64) []float64 { return []float64{a, b, c, 0} }
	m := measure([]string{"a", "b", "c", "d"}, []judgement{
		{0, 0, 1, p(0.5, 0.3, 0.2)}, {0, 0, 2, p(0.8, 0.1, 0.1)}, {0, 1, 3, p(0.4, 0.6, 0)},
		{1, 1, 4, p(0, 1, 0)}, {1, 0, 5, p(0.5, 0.25, 0.25)}, {2, 1, 6, p(0.1, 0.9, 0)},
	})
	if want := [][]int{{2, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}}; !reflect.DeepEqual(m.Confusion, want) {
		t.Errorf("confusion: got %v, want %v", m.Confusion, want)
	}
	if want := []LabelMetrics{
		{"a", 3, 3, 2. / 3, 2. / 3, 2. / 3}, {"b", 2, 3, 1. / 3, 1. / 2, 2. / 5}, {"c", 1, 0, 0, 0, 0}, {"d", 0, 0, 0, 0, 0},
	}; !reflect.DeepEqual(m.Labels, want) {
		t.Errorf("labels: got %v, want %v", m.Labels, want)
	}
	if m.Examples != 6 || m.MajorityLabel != "a" {
		t.Errorf("got %d examples, majority %q, want 6, a", m.Examples, m.MajorityLabel)
	}
	near(t, "accuracy", m.Accuracy, 3./6)
	near(t, "macro-F1", m.MacroF1, (2./3+2./5+0)/3)
	near(t, "accuracy of always a", m.MajorityAccuracy, 3./6)
	near(t, "macro-F1 of always a", m.MajorityMacroF1, 2*3./(6+3)/3)
	near(t, "NLL", m.NLL, -(math.Log(0.5)+math.Log(0.8)+math.Log(0.4)+math.Log(1)+math.Log(0.25)+math.Log(1e-12))/6)
	near(t, "NLL of the base rate", m.BaseNLL, -(3./6*math.Log(3./6) + 2./6*math.Log(2./6) + 1./6*math.Log(1./6)))
	// Six bins of one text each, nine of none.
	near(t, "ECE", m.ECE, (0.5+0.2+0.6+0+0.5+0.9)/6)
}

// A label that only the predictions have counts against them, not against the
// rule of always naming the majority label.
func TestMajorityIsNotBlamedForPredictions(t *testing.T) {
	m := measure([]string{"a", "b"}, []judgement{{0, 0, 7, []float64{1, 0}}, {0, 1, 8, []float64{0, 1}}})
	near(t, "macro-F1", m.MacroF1, (2./3+0)/2)
	near(t, "macro-F1 of always a", m.MajorityMacroF1, 1)
}

func TestMetricsWithoutExamples(t *testing.T) {
	m := measure([]string{"a", "b"}, nil)
	want := Metrics{Labels: []LabelMetrics{{Label: "a"}, {Label: "b"}}, Confusion: [][]int{{0, 0}, {0, 0}}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

// referenceECE sorts and cuts into 15 bins by the rank of each outcome.
func referenceECE(outcomes []outcome) float64 {
	sorted := slices.Clone(outcomes)
	slices.SortStableFunc(sorted, func(a, b outcome) int { return cmp.Compare(a.confidence, b.confidence) })
	n := len(sorted)
	ece := 0.0
	for bin := range 15 {
		size, confidence, right := 0.0, 0.0, 0.0
		for rank, o := range sorted {
			if lo, hi := bin*n/15, (bin+1)*n/15; rank < lo || rank >= hi {
				continue
			}
			size++
			confidence += o.confidence
			if o.right {
				right++
			}
		}
		if size > 0 {
			ece += size / float64(n) * math.Abs(right/size-confidence/size)
		}
	}
	return ece
}

func TestECEIsThatOfTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for n := 1; n < 200; n++ {
		list := make([]outcome, n)
		for i := range list {
			list[i] = outcome{rng.Float64(), rng.IntN(2) == 0}
		}
		near(t, "ECE", expectedCalibrationError(list), referenceECE(list))
	}
}

func TestECEOfBinsByHand(t *testing.T) {
	var sure, calibrated []outcome
	for i := range 150 { // bins of ten, of which nine are right
		sure = append(sure, outcome{1, i%10 != 0})
		calibrated = append(calibrated, outcome{0.9, i%10 != 0})
	}
	near(t, "ECE of certainty", expectedCalibrationError(sure), 0.1)
	near(t, "ECE of 0.9", expectedCalibrationError(calibrated), 0)
	near(t, "ECE of certainty, if perfect", perfectCalibrationError(sure), 0)
	if got := perfectCalibrationError(calibrated); !(got > 0.03 && got < 0.12) {
		t.Errorf("ECE of 0.9, if perfect: got %v, want that of chance, about 0.07", got)
	}
}
