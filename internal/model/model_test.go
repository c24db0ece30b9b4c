package model

import (
	"maps"
	"slices"
	"testing"
)

// build returns the model that s describes.
func build(t testing.TB, s Spec) *Model {
	t.Helper()
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// featureIDs returns the ids of the features of texts, ascending.
func featureIDs(t testing.TB, f Features, texts ...string) []FeatureID {
	t.Helper()
	ids := map[FeatureID]bool{}
	for _, text := range texts {
		for _, feature := range extract(t, f, 0, text) {
			ids[feature.ID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// tiny returns a model of two heads that knows the given words. Every weight
// is made from its row and column, so that tests can foretell scores.
func tiny(t testing.TB, f Features, words ...string) *Model {
	t.Helper()
	s := Spec{
		Features: f,
		Heads: []Head{
			{
				Name: "topic", Labels: []string{"money", "sport"}, DocCounts: []uint64{2, 1}, Prior: []float64{3.0 / 5, 2.0 / 5},
				Blocks: []Block{{Binary, 11}}, Bias: []int64{1 << 19, -1 << 18}, InverseTemperature: 1, TargetInverseTemperature: 1,
			},
			{
				Name: "stance", Labels: []string{"con", "neutral", "pro"}, DocCounts: []uint64{1, 0, 1}, Prior: []float64{2.0 / 5, 1.0 / 5, 2.0 / 5},
				Blocks: []Block{{TF, 12}}, Bias: []int64{0, 0, 0}, InverseTemperature: 0.5, TargetInverseTemperature: 1, MinProbability: 0.4,
			},
		},
		IDs: featureIDs(t, f, words...),
	}
	for i := range s.IDs {
		for c := range 5 {
			s.Weights = append(s.Weights, int16((i*7+c*c*13)%401-200))
		}
	}
	return build(t, s)
}

// The targets that aimedSpec knows.
const (
	peacePlan = "peace plan"
	tariffs   = "zölle" // sorts after it
)

// aimedSpec describes a model of three heads with every kind of block that
// knows the given words: topic has two blocks, stance all four and two targets,
// tone one block and one of the targets. Two of three features have weights of
// their own in texts about a target.
func aimedSpec(t testing.TB, f Features, words ...string) Spec {
	t.Helper()
	s := Spec{Features: f, Heads: []Head{
		{
			Name: "topic", Labels: []string{"money", "sport"}, DocCounts: []uint64{3, 1}, Prior: []float64{0.75, 0.25},
			Blocks: []Block{{Binary, 11}, {TFIDF, 8}}, Bias: []int64{1 << 19, -1 << 18}, InverseTemperature: 1, TargetInverseTemperature: 1,
		},
		{
			Name: "stance", Labels: []string{"con", "neutral", "pro"}, DocCounts: []uint64{2, 1, 1}, Prior: []float64{0.5, 0.25, 0.25},
			Blocks: []Block{{Binary, 9}, {TF, 12}, {BinaryL2, 7}, {TFIDF, 6}}, Bias: []int64{7, -1 << 20, 1 << 16}, InverseTemperature: 0.5,
			Targets: []Target{
				{Name: peacePlan, DocCounts: []uint64{1, 0, 0}, Prior: []float64{0.125, 0.125, 0.75}, Bias: []int64{-1 << 19, 1, 2}},
				{Name: tariffs, DocCounts: []uint64{0, 1, 1}, Prior: []float64{0.25, 0.625, 0.125}, Bias: []int64{3, 4, 5}},
			},
			TargetInverseTemperature: 0.25, DecisionWeights: []float64{0.5, 4, 1}, MinProbability: 0.4, LabelThresholds: []float64{0, 0.5, 2},
			Sets: LabelSets{Coverage: 0.875, Thresholds: []float64{0.125, 0.25, 0.5}},
		},
		{
			Name: "tone", Labels: []string{"cold", "warm"}, DocCounts: []uint64{1, 1}, Prior: []float64{0.5, 0.5},
			Blocks: []Block{{BinaryL2, 8}}, Bias: []int64{0, 0}, InverseTemperature: 2,
			Targets:                  []Target{{Name: tariffs, DocCounts: []uint64{0, 1}, Prior: []float64{0.375, 0.625}, Bias: []int64{-9, 9}}},
			TargetInverseTemperature: 4,
		},
	}}
	first := s.offsets() // of each block: two of topic, four of stance, one of tone
	known := map[string][2]int{peacePlan: {first[2], first[6]}, tariffs: {first[2], first[7]}}
	rows := map[FeatureID][]int16{}
	for i, id := range featureIDs(t, f, words...) {
		rows[id] = foretold(i, 0, first[7], first[7])
		for k, target := range []string{peacePlan, tariffs} {
			if (i+k)%3 > 0 {
				rows[Cross(id, target)] = foretold(i+5+k, known[target][0], known[target][1], first[7])
			}
		}
	}
	s.IDs = slices.Sorted(maps.Keys(rows))
	for i, id := range s.IDs {
		s.Weights = append(s.Weights, rows[id]...)
		s.IDF = append(s.IDF, uint16(1<<IDFBits+i*331%9000))
	}
	return s
}

// foretold returns a row whose columns from lo up to hi have weights made from
// i and the column.
func foretold(i, lo, hi, columns int) []int16 {
	row := make([]int16, columns)
	for c := lo; c < hi; c++ {
		row[c] = int16((i*7+c*c*13)%401 - 200)
	}
	return row
}

// aimed returns the model of aimedSpec.
func aimed(t testing.TB, f Features, words ...string) *Model {
	t.Helper()
	return build(t, aimedSpec(t, f, words...))
}

func TestParseOfBytesIsTheSameModel(t *testing.T) {
	f := Features{Words: 2, CharMin: 2, CharMax: 5}
	for _, m := range []*Model{tiny(t, f, "goal scored in the match", "shares fell"), aimed(t, f, "goal scored in the match", "shares fell")} {
		again, err := Parse(slices.Clone(m.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if again.Revision() != m.Revision() {
			t.Errorf("revision %s, want %s", again.Revision(), m.Revision())
		}
	}
}
