package train

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

func TestSortExamplesGoesByContent(t *testing.T) {
	examples := generated(1, 50)
	want, wantSum := sortExamples(examples, twoHeads)
	for seed := range uint64(20) {
		moved := shuffled(examples, seed)
		for i := range moved {
			moved[i].File, moved[i].Line = "elsewhere", 1000-i
		}
		got, sum := sortExamples(moved, twoHeads)
		for i := range got {
			if got[i].Text != want[i].Text {
				t.Fatalf("seed %d: text %d is %q, want %q", seed, i, got[i].Text, want[i].Text)
			}
		}
		if sum != wantSum {
			t.Errorf("seed %d: another sum", seed)
		}
	}
}

func TestSumTellsContentsApart(t *testing.T) {
	base := dataset.Example{Text: "text", Group: "group", Target: "target", Labels: []string{"ab", "c"}}
	_, sum := sortExamples([]dataset.Example{base}, twoHeads)
	for _, c := range []struct {
		name   string
		change func(*dataset.Example)
		same   bool
	}{
		{"nothing", func(*dataset.Example) {}, true},
		{"the id", func(e *dataset.Example) { e.ID = "id" }, true},
		{"the place", func(e *dataset.Example) { e.File, e.Line = "f", 1 }, true},
		{"the text", func(e *dataset.Example) { e.Text = "test" }, false},
		{"the group", func(e *dataset.Example) { e.Group = "" }, false},
		{"the target", func(e *dataset.Example) { e.Target = "" }, false},
		{"a label", func(e *dataset.Example) { e.Labels = []string{"ab", "d"} }, false},
		{"where one label ends", func(e *dataset.Example) { e.Labels = []string{"a", "bc"} }, false},
	} {
		e := base
		c.change(&e)
		if _, got := sortExamples([]dataset.Example{e}, twoHeads); (got == sum) != c.same {
			t.Errorf("%s changed: same sum %t, want %t", c.name, got == sum, c.same)
		}
	}
	if _, got := sortExamples([]dataset.Example{base}, []string{"topic", "tone"}); got == sum {
		t.Error("other heads have the same sum")
	}
}

func TestCorpusHoldsTheFeaturesOfTheTexts(t *testing.T) {
	f := model.Features{Words: 2, CharMin: 2, CharMax: 3}
	examples := texts("one two one two", "two! one", "")
	c, err := newCorpus(context.Background(), examples, f)
	if err != nil {
		t.Fatal(err)
	}
	x, err := model.NewExtractor(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, ex := range examples {
		got, want := map[model.FeatureID]uint32{}, map[model.FeatureID]uint32{}
		for _, o := range c.docs[i] {
			got[c.ids[o.row]] = o.count
		}
		for _, feature := range x.Extract(ex.Text) {
			want[feature.ID]++
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", ex.Text, got, want)
		}
	}
	df := c.seenBy(func(int) bool { return true }).df
	for i := 1; i < len(c.ids); i++ {
		if df[i] > df[i-1] || df[i] == df[i-1] && c.ids[i] <= c.ids[i-1] {
			t.Errorf("row %d, id %d in %d texts, follows id %d in %d texts", i, c.ids[i], df[i], c.ids[i-1], df[i-1])
		}
	}
}

func TestVectorsHaveTheFeaturesAskedFor(t *testing.T) {
	all := model.Features{Words: 3, CharMin: 2, CharMax: 3}
	examples := texts("one two three four", "four five one", "#six!")
	c, err := newCorpus(context.Background(), examples, all)
	if err != nil {
		t.Fatal(err)
	}
	known := c.seenBy(func(int) bool { return true })
	for _, f := range []model.Features{{Words: 1}, {Words: 2}, {Words: 3}, {Words: 1, CharMin: 2, CharMax: 3}, all} {
		small, err := newCorpus(context.Background(), examples, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range everyValue {
			got, want := c.vectorise(known, f, v), small.vectorise(small.seenBy(func(int) bool { return true }), f, v)
			if !slices.Equal(got.values, want.values) || !slices.Equal(got.start, want.start) {
				t.Errorf("%s, %s values: got %v, want %v", f, v, got.values, want.values)
			}
			for j, row := range got.rows {
				if c.ids[row] != small.ids[want.rows[j]] {
					t.Fatalf("%s, %s values: entry %d is of another feature", f, v, j)
				}
			}
		}
	}
}

// Of a text that was not seen only the features of others are read, and its
// normalised values have length 1 with those alone.
func TestVectorsOfUnseenTexts(t *testing.T) {
	c, err := newCorpus(context.Background(), texts("red green", "red blue blue", "grey"), model.Features{Words: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range everyValue {
		docs := c.vectorise(c.seenBy(func(i int) bool { return i == 0 }), c.features, v)
		for i, want := range []int{2, 1, 0} {
			rows, values := docs.of(i)
			if len(rows) != want || i == 1 && values[0] != 1 {
				t.Errorf("%s, text %d: got %v, want %d values", v, i, values, want)
			}
		}
	}
}

func TestVocabularyRefusesACollision(t *testing.T) {
	v := vocabulary{}
	first, other := []model.Feature{{ID: 7, Words: 1}}, []model.Feature{{ID: 8, Words: 1}}
	for _, checks := range [][]model.Feature{{{ID: 70}}, {{ID: 70}}} { // the same feature twice
		if err := v.add(first, checks); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.add(other, []model.Feature{{ID: 70}}); err != nil {
		t.Errorf("another id with the same check: %v", err)
	}
	err := v.add(first, []model.Feature{{ID: 71}})
	if err == nil || !strings.Contains(err.Error(), "the same id 0x7") {
		t.Errorf("got error %v, want one about the id 0x7", err)
	}
}

func TestVocabularyNumbersRowsById(t *testing.T) {
	v := vocabulary{}
	features := []model.Feature{{ID: 9, Words: 2}, {ID: 3, Words: 1, Counted: true}, {ID: 5}}
	if err := v.add(features, features); err != nil {
		t.Fatal(err)
	}
	ids, kinds := v.rows()
	if want := []model.FeatureID{3, 5, 9}; !slices.Equal(ids, want) {
		t.Errorf("ids %v, want %v", ids, want)
	}
	if want := []kind{{1, true}, {0, false}, {2, false}}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
	for row, id := range ids {
		if v[id].row != uint32(row) {
			t.Errorf("id %d has row %d, want %d", id, v[id].row, row)
		}
	}
}

func TestCountFeatures(t *testing.T) {
	for _, c := range []struct {
		ids  []model.FeatureID
		want []feature
	}{
		{nil, nil},
		{[]model.FeatureID{4}, []feature{{4, 1}}},
		{[]model.FeatureID{4, 2, 4, 9, 4, 2}, []feature{{2, 2}, {4, 3}, {9, 1}}},
	} {
		var features []model.Feature
		for _, id := range c.ids {
			features = append(features, model.Feature{ID: id})
		}
		if got := countFeatures(features); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.ids, got, c.want)
		}
	}
}

func TestKindIn(t *testing.T) {
	for _, c := range []struct {
		words uint8
		f     model.Features
		want  bool
	}{
		{1, model.Features{Words: 1}, true},
		{2, model.Features{Words: 1}, false},
		{2, model.Features{Words: 2}, true},
		{3, model.Features{Words: 2, CharMin: 2, CharMax: 5}, false},
		{0, model.Features{Words: 3}, false},
		{0, model.Features{Words: 1, CharMin: 2, CharMax: 2}, true},
	} {
		if got := (kind{words: c.words}).in(c.f); got != c.want {
			t.Errorf("a feature of %d words in %s: got %t, want %t", c.words, c.f, got, c.want)
		}
	}
}
