package judge

import "testing"

func TestMacroF1AndAccuracy(t *testing.T) {
	for _, test := range []struct {
		name             string
		truth, predicted []int
		f1, accuracy     float64
	}{
		{"nothing", nil, nil, 0, 0},
		{"all right", []int{0, 1, 1}, []int{0, 1, 1}, 1, 1},
		{"all wrong", []int{0, 0}, []int{1, 1}, 0, 0},
		{"a label only in the truth", []int{0, 0, 0, 1, 1, 2}, []int{0, 0, 1, 1, 0, 1}, (2./3 + 2./5) / 3, 3. / 6},
		{"a label only in the answers", []int{0, 0}, []int{0, 2}, (2. / 3) / 2, 1. / 2},
	} {
		near(t, test.name+": macro-F1", MacroF1(4, test.truth, test.predicted), test.f1)
		near(t, test.name+": accuracy", Accuracy(test.truth, test.predicted), test.accuracy)
	}
}

func TestWeightsCountAsRepeats(t *testing.T) {
	weighted, repeated := make(tally, 3), make(tally, 3)
	for i, row := range [][2]int{{0, 0}, {0, 1}, {2, 2}, {1, 0}, {2, 1}} {
		weighted.add(row[0], row[1], i)
		for range i {
			repeated.add(row[0], row[1], 1)
		}
	}
	for l := range weighted {
		if weighted[l] != repeated[l] {
			t.Errorf("label %d: got %v, want %v", l, weighted[l], repeated[l])
		}
	}
}
