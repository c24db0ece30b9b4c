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
				Blocks: []Block{{Binary, 11, false}}, Bias: []int64{1 << 19, -1 << 18}, InverseTemperature: 1, TargetInverseTemperature: 1,
			},
			{
				Name: "stance", Labels: []string{"con", "neutral", "pro"}, DocCounts: []uint64{1, 0, 1}, Prior: []float64{2.0 / 5, 1.0 / 5, 2.0 / 5},
				Blocks: []Block{{TF, 12, false}}, Bias: []int64{0, 0, 0}, InverseTemperature: 0.5, TargetInverseTemperature: 1, MinProbability: 0.4,
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
			Blocks: []Block{{Binary, 11, false}, {TFIDF, 8, false}}, Bias: []int64{1 << 19, -1 << 18}, InverseTemperature: 1, TargetInverseTemperature: 1,
		},
		{
			Name: "stance", Labels: []string{"con", "neutral", "pro"}, DocCounts: []uint64{2, 1, 1}, Prior: []float64{0.5, 0.25, 0.25},
			Blocks: []Block{{Binary, 9, true}, {TF, 12, false}, {BinaryL2, 7, true}, {TFIDF, 6, true}}, Bias: []int64{7, -1 << 20, 1 << 16}, InverseTemperature: 0.5,
			Targets: []Target{
				{Name: peacePlan, DocCounts: []uint64{1, 0, 0}, Prior: []float64{0.125, 0.125, 0.75}, Bias: []int64{-1 << 19, 1, 2}},
				{Name: tariffs, DocCounts: []uint64{0, 1, 1}, Prior: []float64{0.25, 0.625, 0.125}, Bias: []int64{3, 4, 5}},
			},
			TargetInverseTemperature: 0.25, DecisionWeights: []float64{0.5, 4, 1}, MinProbability: 0.4, LabelThresholds: []float64{0, 0.5, 2},
			Sets: LabelSets{Coverage: 0.875, Thresholds: []float64{0.125, 0.25, 0.5}},
		},
		{
			Name: "tone", Labels: []string{"cold", "warm"}, DocCounts: []uint64{1, 1}, Prior: []float64{0.5, 0.5},
			Blocks: []Block{{BinaryL2, 8, true}}, Bias: []int64{0, 0}, InverseTemperature: 2,
			Targets:                  []Target{{Name: tariffs, DocCounts: []uint64{0, 1}, Prior: []float64{0.375, 0.625}, Bias: []int64{-9, 9}}},
			TargetInverseTemperature: 4,
		},
	}}
	aimed := map[int]map[FeatureID][]int16{1: {}, 2: {}} // per head
	for i, id := range featureIDs(t, f, words...) {
		s.IDs = append(s.IDs, id)
		s.Weights = append(s.Weights, foretold(i, s.columns())...)
		s.IDF = append(s.IDF, uint16(1<<IDFBits+i*331%9000))
		for k, target := range []string{peacePlan, tariffs} {
			if (i+k)%3 > 0 {
				aimed[1][Cross(id, target)] = foretold(i+5+k, s.Heads[1].targetColumns())
			}
			if i%3 > 0 && target == tariffs {
				aimed[2][Cross(id, target)] = foretold(i+9, s.Heads[2].targetColumns())
			}
		}
	}
	for n, rows := range aimed {
		h := &s.Heads[n]
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			h.TargetIDs, h.TargetWeights = append(h.TargetIDs, id), append(h.TargetWeights, rows[id]...)
		}
	}
	return s
}

// foretold returns a row of weights made from i and the column.
func foretold(i, columns int) []int16 {
	row := make([]int16, columns)
	for c := range row {
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
