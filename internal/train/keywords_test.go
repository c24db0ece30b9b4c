package train

import (
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

// Rows 0 to 3 are words, row 4 is no word that counts. Label 0 has three texts,
// label 1 four.
func keywordCounts() (*Counts, []kind) {
	kinds := []kind{{1, true}, {1, true}, {1, true}, {1, true}, {0, false}}
	c := newCounts(len(kinds), 2, 0)
	copy(c.docs, []uint64{3, 4})
	copy(c.features, []uint32{
		3, 0, // of label 0
		0, 4, // of label 1
		2, 3, // of both, a little more of label 1
		0, 0, // not seen
		3, 0, // no word
	})
	return c, kinds
}

func TestRankWords(t *testing.T) {
	ranked := rankWords(keywordCounts())
	for label, want := range [][]uint32{{0}, {1, 2}} {
		var got []uint32
		for _, w := range ranked[label] {
			got = append(got, w.row)
		}
		if !slices.Equal(got, want) {
			t.Errorf("label %d: got rows %v, want %v", label, got, want)
		}
	}
}

func TestKeywordRule(t *testing.T) {
	rule := newKeywordRule(keywordCounts())
	for _, c := range []struct {
		name string
		rows []uint32
		want int
	}{
		{"a keyword of label 0", []uint32{0}, 0},
		{"a keyword of label 1", []uint32{1}, 1},
		{"one of each: the more frequent label", []uint32{0, 1}, 1},
		{"one that both have", []uint32{2}, 1},
		{"none", []uint32{3}, 1},
		{"no words", nil, 1},
	} {
		if got := rule.predict(c.rows); got != c.want {
			t.Errorf("%s: got label %d, want %d", c.name, got, c.want)
		}
	}
}

func TestKeywordBaseline(t *testing.T) {
	row := func(text, label string) dataset.Example {
		return dataset.Example{Text: text, Labels: []string{label}}
	}
	training := []dataset.Example{
		row("the keeper saved a goal", "sport"), row("a late goal for the team", "sport"),
		row("the bank cut its rate", "money"), row("shares of the bank fell", "money"),
	}
	held := []dataset.Example{row("another goal", "sport"), row("a bank in trouble", "money"), row("the goal of the bank", "money")}
	list, err := KeywordBaseline(training, held, []string{"topic"})
	if err != nil {
		t.Fatal(err)
	}
	if m := list[0]; m.Accuracy < 0.6 || m.MacroF1 < 0.6 {
		t.Errorf("got %+v, want goal to mean sport and bank money", m)
	}
}
