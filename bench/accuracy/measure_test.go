package main

import (
	"math"
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

// tallyOf counts answers that are spelled in one letter each, from a to e.
func tallyOf(truth, predicted string) *tally {
	t := newTally(5)
	for i := range truth {
		t.add(int(truth[i]-'a'), int(predicted[i]-'a'))
	}
	return t
}

// The figures are those of scikit-learn 1.2.1, recorded: accuracy_score,
// f1_score(average='macro') and the same with labels=['a', 'b'].
func TestMeasures(t *testing.T) {
	for _, c := range []struct {
		truth, predicted        string
		accuracy, macroF1, fAvg float64
	}{
		{"aaabbc", "aabbab", 0.5, 0.35555555555555557, 0.5333333333333333},
		{"aabb", "aabb", 1, 1, 1},
		{"aabb", "aacb", 0.75, 0.5555555555555555, 0.8333333333333333},
		{"abab", "cccc", 0, 0, 0},
		{"a", "a", 1, 1, 0.5},
		{
			"bbabccaaaaaababbabaaabaabbaaacdbccaabbaaaaaaacbaaaaabaaabbbb",
			"bbabccaadaaababbabaaabeadbadaebbccaaeeaaaeaeacbaeaaebaaabbec",
			0.7666666666666667, 0.5084217293474766, 0.854387656702025,
		},
	} {
		got := tallyOf(c.truth, c.predicted)
		near(t, c.truth+" accuracy", got.accuracy(), c.accuracy)
		near(t, c.truth+" macro-F1", measure{name: macroF1Name}.of(got), c.macroF1)
		near(t, c.truth+" F_avg", measure{fAvgName, []int{0, 1}}.of(got), c.fAvg)
	}
}

func TestMeanOfFolds(t *testing.T) {
	folds := []*tally{tallyOf("ab", "ab"), tallyOf("", ""), tallyOf("abab", "abba")}
	near(t, "mean without the empty fold", meanOf(folds, (*tally).accuracy), 0.75)
	near(t, "nothing", meanOf(nil, (*tally).accuracy), 0)
}

func TestHalfAccuracy(t *testing.T) {
	for _, c := range []struct {
		what string
		list []confident
		want float64
	}{
		{"no answer", nil, 0},
		{"one", []confident{{0.4, true}}, 1},
		{"the confident half", []confident{{0.1, false}, {0.9, true}, {0.2, false}, {0.8, true}}, 1},
		{"of three the better two", []confident{{0.9, true}, {0.8, false}, {0.7, true}}, 0.5},
		{"all level", []confident{{0.5, true}, {0.5, false}, {0.5, false}, {0.5, false}}, 0.25},
		{"two of three on the border", []confident{{0.9, false}, {0.6, true}, {0.6, true}, {0.6, false}, {0.1, true}}, 4. / 9},
	} {
		near(t, c.what, halfAccuracy(c.list), c.want)
	}
}

func TestMeasureOfASet(t *testing.T) {
	answers := func(target string, truths ...string) []answer {
		var list []answer
		for _, l := range truths {
			list = append(list, answer{Target: target, Truth: l, Probabilities: []float64{1, 0}})
		}
		return list
	}
	for _, c := range []struct {
		what    string
		answers []answer
		want    string
		sides   []int
	}{
		{"no target", answers("", "AGAINST", "FAVOR"), macroF1Name, nil},
		{"one target", answers("tax", "AGAINST", "FAVOR"), macroF1Name, nil},
		{"two targets", append(answers("tax", "AGAINST", "NONE"), answers("war", "FAVOR")...), fAvgName, []int{0, 1}},
		{"two targets, other labels", append(answers("tax", "NONE"), answers("war", "x")...), macroF1Name, nil},
		{"a side that is never true", append(answers("tax", "FAVOR"), answers("war", "NONE")...), fAvgName, []int{1}},
	} {
		m := gather(set{}, []*run{{Labels: []string{"AGAINST", "NONE"}, Answers: c.answers}}).measure()
		if m.name != c.want || !slices.Equal(m.sides, c.sides) {
			t.Errorf("%s: got %v, want %s of %v", c.what, m, c.want, c.sides)
		}
	}
}
