package store

import (
	"math"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// A weighted is a feature's weights for two labels, in nats.
type weighted map[string][2]float64

// weightedModel makes a model of single words with a head of each name.
func weightedModel(t *testing.T, words weighted, strings bool, heads ...model.Head) *model.Model {
	t.Helper()
	var texts []string
	for word := range words {
		texts = append(texts, word)
	}
	s := model.Spec{Features: model.Features{Words: 1}, Heads: heads}
	var names []string
	s.IDs, names = features(t, s.Features, texts)
	for _, name := range names {
		for range heads {
			for _, w := range words[name] {
				s.Weights = append(s.Weights, int16(math.Ldexp(w, 10)))
			}
		}
	}
	if strings {
		s.Strings = names
	}
	m, err := model.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func head(name string, labels ...string) model.Head {
	return model.Head{
		Name: name, Labels: labels, DocCounts: []uint64{2, 1}, Prior: []float64{0.5, 0.5}, Bias: []int64{0, 0},
		Blocks: []model.Block{{Value: model.Binary, WeightBits: 10}}, InverseTemperature: 1, TargetInverseTemperature: 1,
		Evaluation: model.Evaluation{Examples: 3, MacroF1: 0.5},
	}
}

func TestCompare(t *testing.T) {
	was := weightedModel(t, weighted{"still": {1, -1}, "moved": {1, -1}, "lost": {0.5, -0.5}}, true, head("topic", "a", "b"), head("old", "a", "b"))
	named := head("topic", "a", "b")
	named.Names = []string{"Alpha", "b"}
	named.Bias = []int64{1 << model.ScoreBits, 0}
	named.DocCounts = []uint64{5, 1}
	named.Evaluation.MacroF1 = 0.75
	// "still" gets 2 nats more for both labels alike, which moves no answer.
	is := weightedModel(t, weighted{"still": {3, 1}, "moved": {-2, 2}, "gained": {0.25, -0.25}}, true, named, head("new", "a", "b"))

	d := Compare(was, is, 2)
	if d.From != was.Revision() || d.To != is.Revision() || !d.SameData || !d.Named || d.Gained != 1 || d.Lost != 1 || d.Known != (Counts{3, 3}) {
		t.Errorf("diff %+v", d)
	}
	if !slices.Equal(d.HeadsGained, []string{"new"}) || !slices.Equal(d.HeadsLost, []string{"old"}) || len(d.Heads) != 1 {
		t.Fatalf("heads %+v", d)
	}
	h := d.Heads[0]
	if !slices.Equal(h.Renamed, []Renaming{{"a", "a", "Alpha"}}) || h.LabelsGained != nil || h.LabelsLost != nil {
		t.Errorf("labels of %+v", h)
	}
	if h.Evaluation[1] != (Figure{"macro-F1", 0.5, 0.75}) {
		t.Errorf("evaluation %+v", h.Evaluation)
	}
	want := LabelDiff{
		Label: "a", Documents: Counts{2, 5}, Moved: (3 + 0.5 + 0.25) / 4, Bias: 1,
		Features: []FeatureMove{{"moved", 1, -2, "both"}, {"lost", 0.5, 0, "from"}},
	}
	if len(h.Labels) != 2 || string(encode(h.Labels[0])) != string(encode(want)) {
		t.Errorf("labels %s, want %s", encode(h.Labels), encode(want))
	}
	if back := Compare(is, was, 9).Heads[0].Labels[0]; back.Features[0] != (FeatureMove{"moved", -2, 1, "both"}) || len(back.Features) != 3 {
		t.Errorf("the other way round %s", encode(back))
	}
	same := Compare(was, was, 5)
	if l := same.Heads[0].Labels[0]; l.Moved != 0 || len(l.Features) != 0 || same.Gained+same.Lost != 0 {
		t.Errorf("with itself %s", encode(same))
	}
}

func TestCompareOtherLabels(t *testing.T) {
	was := weightedModel(t, weighted{"x": {1, -1}}, true, head("topic", "a", "b"))
	is := weightedModel(t, weighted{"x": {1, -1}}, false, head("topic", "b", "c"))
	d := Compare(was, is, 3)
	h := d.Heads[0]
	if !slices.Equal(h.LabelsGained, []string{"c"}) || !slices.Equal(h.LabelsLost, []string{"a"}) || len(h.Labels) != 1 || d.Named {
		t.Errorf("diff %s", encode(d))
	}
}

// TestCompareWithoutStrings names features by their ids.
func TestCompareWithoutStrings(t *testing.T) {
	was := weightedModel(t, weighted{"x": {1, -1}}, false, head("topic", "a", "b"))
	is := weightedModel(t, weighted{"x": {2, -2}}, false, head("topic", "a", "b"))
	move := Compare(was, is, 3).Heads[0].Labels[0].Features[0]
	if len(move.Feature) != 16 || move.To != 2 {
		t.Errorf("move %+v", move)
	}
}
