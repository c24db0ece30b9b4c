package model

import (
	"slices"
	"testing"
)

// tiny returns a model of two heads that knows the given words. Every weight
// is made from its row and column, so that tests can foretell scores.
func tiny(t testing.TB, f Features, words ...string) *Model {
	t.Helper()
	x, err := NewExtractor(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []FeatureID
	for _, w := range words {
		for _, feature := range x.Extract(w) {
			ids = append(ids, feature.ID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	s := Spec{
		Features: f,
		Heads: []Head{
			{Name: "topic", Labels: []string{"money", "sport"}, DocCounts: []uint64{2, 1}, Value: Binary, WeightBits: 11, Bias: []int64{1 << 19, -1 << 18}, InverseTemperature: 1},
			{Name: "stance", Labels: []string{"con", "neutral", "pro"}, DocCounts: []uint64{1, 0, 1}, Value: TF, WeightBits: 12, Bias: []int64{0, 0, 0}, InverseTemperature: 0.5, MinProbability: 0.4},
		},
		IDs: ids,
	}
	for i := range ids {
		for c := range 5 {
			s.Weights = append(s.Weights, int16((i*7+c*c*13)%401-200))
		}
	}
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseOfBytesIsTheSameModel(t *testing.T) {
	m := tiny(t, Features{Words: 2, CharMin: 2, CharMax: 5}, "goal scored in the match", "shares fell")
	again, err := Parse(slices.Clone(m.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if again.Revision() != m.Revision() {
		t.Errorf("revision %s, want %s", again.Revision(), m.Revision())
	}
}
