package train

import (
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
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
	for _, c := range []struct {
		name  string
		texts [][]feature // each by ascending id
		text  int         // the first that collides
		err   string
	}{
		{"the same feature twice", [][]feature{{{id: 7, check: 70}}, {{id: 7, check: 70}}}, 0, ""},
		{"another id with the same check", [][]feature{{{id: 7, check: 70}, {id: 8, check: 70}}}, 0, ""},
		{"another check", [][]feature{{{id: 8, check: 80}}, {{id: 7, check: 70}}, {{id: 7, check: 71}}}, 2, "the same id 0x7"},
		{"two, in parts of their own", [][]feature{
			{{id: 7, check: 70}, {id: 1 << 63, check: 71}}, {{id: 1 << 63, check: 72}}, {{id: 7, check: 72}},
		}, 1, "the same id 0x8000000000000000"},
	} {
		docs := make([]document, len(c.texts))
		for i, list := range c.texts {
			docs[i] = make(document, len(list))
		}
		text, err := (&vocabulary{}).take(c.texts, docs)
		if text != c.text || !says(err, c.err) {
			t.Errorf("%s: text %d, error %v; want text %d, %q", c.name, text, err, c.text, c.err)
		}
	}
}

func TestVocabularyNumbersRowsByTextsThenId(t *testing.T) {
	v, last := &vocabulary{}, model.FeatureID(1<<63)
	list := [][]feature{
		{{3, 3, 1, kind{1, true}}, {5, 5, 2, kind{}}, {9, 9, 1, kind{2, false}}, {last, last, 1, kind{3, false}}},
		{{9, 9, 4, kind{2, false}}},
	}
	docs := []document{make(document, 4), make(document, 1)}
	if _, err := v.take(list, docs); err != nil {
		t.Fatal(err)
	}
	ids, kinds, texts := v.number()
	if want := []model.FeatureID{9, 3, 5, last}; !slices.Equal(ids, want) {
		t.Errorf("ids %v, want %v", ids, want)
	}
	if want := []kind{{2, false}, {1, true}, {}, {3, false}}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
	if want := []uint32{2, 1, 1, 1}; !slices.Equal(texts, want) {
		t.Errorf("texts %v, want %v", texts, want)
	}
	v.renumber(docs)
	if want := []document{{{0, 1}, {1, 1}, {2, 2}, {3, 1}}, {{0, 4}}}; !reflect.DeepEqual(docs, want) {
		t.Errorf("documents %v, want %v", docs, want)
	}
}

func TestCountFeatures(t *testing.T) {
	for _, c := range []struct {
		ids, checks []model.FeatureID
		want        []feature
		err         string
	}{
		{nil, nil, []feature{}, ""},
		{[]model.FeatureID{4}, []model.FeatureID{40}, []feature{{4, 40, 1, kind{}}}, ""},
		{[]model.FeatureID{4, 2, 4, 9, 4, 2}, []model.FeatureID{40, 20, 40, 90, 40, 20}, []feature{{2, 20, 2, kind{}}, {4, 40, 3, kind{}}, {9, 90, 1, kind{}}}, ""},
		{[]model.FeatureID{4, 2, 4}, []model.FeatureID{40, 20, 41}, nil, "the same id 0x4"},
	} {
		var features, checks []model.Feature
		for i, id := range c.ids {
			features, checks = append(features, model.Feature{ID: id}), append(checks, model.Feature{ID: c.checks[i]})
		}
		got, err := countFeatures(features, checks)
		if !slices.Equal(got, c.want) || !says(err, c.err) {
			t.Errorf("%v: got %v, error %v; want %v, %q", c.ids, got, err, c.want, c.err)
		}
	}
}

func TestIDTableNumbersIdsInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(81, 82))
	table, want := &idTable{}, map[model.FeatureID]int{}
	for range 5000 {
		id := model.FeatureID(rng.Uint64N(2000) << (8 * rng.Uint64N(3))) // many share their last bits
		if _, known := want[id]; !known {
			want[id] = len(want)
		}
		if got := table.add(id); got != want[id] {
			t.Fatalf("id %d has number %d, want %d", id, got, want[id])
		}
	}
	again := newIDTable(table.ids)
	for id, n := range want {
		if table.find(id) != n || again.find(id) != n {
			t.Errorf("id %d has numbers %d and %d, want %d", id, table.find(id), again.find(id), n)
		}
	}
	for id := range model.FeatureID(4000) {
		if _, known := want[id]; !known && again.find(id) != -1 {
			t.Errorf("id %d, never added, has number %d", id, again.find(id))
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
