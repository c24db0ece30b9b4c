package train

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// read makes examples come as if from a file: every call returns them anew.
func read(examples []dataset.Example) func() iter.Seq2[dataset.Example, error] {
	return func() iter.Seq2[dataset.Example, error] {
		return func(yield func(dataset.Example, error) bool) {
			for _, ex := range examples {
				ex.Labels = slices.Clone(ex.Labels)
				if !yield(ex, nil) {
					return
				}
			}
		}
	}
}

// counted pins an estimator of counts.
func counted(e Estimator, v model.Value, alphas ...float64) Config {
	return Config{
		Features: []model.Features{LongText}, Values: []model.Value{v}, Estimators: []Estimator{e},
		Alphas: alphas, Members: maxMembers, Folds: 3,
	}
}

// withCopies adds to examples what a corpus has of repeated, altered and
// unlabelled rows, and rows without words.
func withCopies(examples []dataset.Example) []dataset.Example {
	list := slices.Clone(examples)
	for i, ex := range examples {
		switch i % 9 {
		case 0:
			ex.Text += " indeed"
		case 4:
			ex.Group = "other"
		case 7:
			ex.Text = "?!"
		default:
			continue
		}
		ex.Line, ex.ID = 1000+i, fmt.Sprint("copy", i)
		list = append(list, ex)
	}
	return list
}

// What is trained from rows that are read again and again is, to the byte, what
// is trained from rows in memory, and so is the report.
func TestStreamEqualsTrain(t *testing.T) {
	generated, opposed := withCopies(generated(61, 400)), withCopies(opposed(62, 400))
	long := []model.Features{{Words: 2, CharMin: 3, CharMax: 4}}
	for _, c := range []struct {
		name     string
		examples []dataset.Example
		heads    []string
		cfg      Config
		change   func(*Config)
	}{
		{"mnb, binary", generated, twoHeads, counted(MultinomialNB, model.Binary, 0.1), nil},
		{"mnb, tfidf", generated, twoHeads, counted(MultinomialNB, model.TFIDF, 0.1), nil},
		{"cnb, tf", generated, twoHeads, counted(ComplementNB, model.TF, 1), nil},
		{"cnb, binary-l2, the usual alphas", generated, twoHeads, counted(ComplementNB, model.BinaryL2), nil},
		{"twcnb, tfidf, characters", generated, twoHeads, counted(TransformedCNB, model.TFIDF, 0.3, 1), func(c *Config) { c.Features = long }},
		{"targets", opposed, []string{"stance"}, counted(MultinomialNB, model.Binary, 0.1, 1), nil},
		{"targets, a single member", opposed, []string{"stance"}, counted(ComplementNB, model.TFIDF, 0.1, 1), func(c *Config) { c.Members = 1 }},
		{"nested, with thresholds, sets and a prior", generated, twoHeads, counted(MultinomialNB, model.Binary, 0.3), func(c *Config) {
			c.Nested, c.Coverage, c.Prior, c.Purposes = 1, 0.9, Prior{Mode: UniformPrior}, []string{"precision>=0.8"}
		}},
		{"several values and estimators", generated, twoHeads, counted(MultinomialNB, model.Binary, 0.3), func(c *Config) {
			c.Values, c.Estimators = everyValue, []Estimator{MultinomialNB, ComplementNB, TransformedCNB}
		}},
		{"nothing to hold out", texts("a b c d e", "a b c d f"), []string{"topic"}, counted(MultinomialNB, model.Binary, 0.3), nil},
	} {
		if c.change != nil {
			c.change(&c.cfg)
		}
		if len(c.examples) == 2 {
			c.examples[0].Labels, c.examples[1].Labels = []string{"x"}, []string{"y"}
		}
		for seed := range uint64(2) {
			examples := shuffled(c.examples, seed)
			want, wantReport := mustTrain(t, examples, c.heads, c.cfg)
			m, r, err := Stream(t.Context(), read(examples), c.heads, c.cfg)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if m.Revision() != want.Revision() {
				t.Errorf("%s, seed %d: another model", c.name, seed)
			}
			if got, want := asJSON(t, r), asJSON(t, wantReport); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, seed %d: another report", c.name, seed)
			}
		}
	}
}

// The bytes do not depend on how many cores take part.
func TestCoresDoNotChangeTheModel(t *testing.T) {
	examples := append(withCopies(generated(63, 150)), paragraphs(t, 30)...)
	stream := counted(ComplementNB, model.TFIDF, 0.3)
	var want, wantStreamed *model.Model
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(cores)
		m, _ := mustTrain(t, examples, twoHeads, quick())
		streamed, _, err := Stream(t.Context(), read(examples), twoHeads, stream)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want, wantStreamed = m, streamed
		}
		if m.Revision() != want.Revision() || streamed.Revision() != wantStreamed.Revision() {
			t.Errorf("%d cores give another model", cores)
		}
	}
}

func TestStreamRefusesWhatNeedsAllTexts(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Estimators = append(c.Estimators, SVM) }, "estimator svm"},
		{func(c *Config) { c.Features = []model.Features{LongText, singleWords} }, "2 feature sets"},
		{func(c *Config) { c.Folds = 1 }, "1 folds"},
	} {
		cfg := counted(MultinomialNB, model.Binary, 0.1)
		c.change(&cfg)
		if _, _, err := Stream(t.Context(), read(generated(1, 20)), twoHeads, cfg); !says(err, c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
	}
	if _, _, err := Stream(t.Context(), read(nil), twoHeads, counted(MultinomialNB, model.Binary, 0.1)); !says(err, "no labelled rows") {
		t.Errorf("got error %v, want one about no rows", err)
	}
}

// Whichever pass meets other rows, the run ends with an error that names the
// place.
func TestStreamRefusesRowsThatChange(t *testing.T) {
	examples := generated(64, 60)
	cfg := counted(MultinomialNB, model.Binary, 0.1)
	passes := 0
	rows := read(examples)
	count := func() iter.Seq2[dataset.Example, error] { passes++; return rows() }
	if _, _, err := Stream(t.Context(), count, twoHeads, cfg); err != nil {
		t.Fatal(err)
	}
	if passes > 30 {
		t.Errorf("%d passes, want a few more than twenty at most", passes)
	}
	other := func(change func(*dataset.Example)) []dataset.Example {
		list := slices.Clone(examples)
		list[40].Labels = slices.Clone(list[40].Labels)
		change(&list[40])
		return list
	}
	broken := errors.New("the disk is gone")
	for _, c := range []struct {
		name string
		rows func() iter.Seq2[dataset.Example, error]
		want string
	}{
		{"another text", read(other(func(e *dataset.Example) { e.Text += "." })), "generated:41: the rows are not those"},
		{"another label", read(other(func(e *dataset.Example) { e.Labels[0] = "x" })), "generated:41: the rows are not those"},
		{"a row less", read(slices.Delete(slices.Clone(examples), 40, 41)), "generated:42: the rows are not those"},
		{"a row less at the end", read(examples[:59]), "generated:60: the rows are not those"},
		{"a row more", read(append(slices.Clone(examples), dataset.Example{File: "more", Line: 7})), "more:7: the rows are not those"},
		{"no rows", read(nil), "generated:1: the rows are not those"},
		{"an error of reading", func() iter.Seq2[dataset.Example, error] {
			return func(yield func(dataset.Example, error) bool) { yield(dataset.Example{}, broken) }
		}, "the disk is gone"},
	} {
		for pass := 1; pass < passes; pass++ {
			calls := 0
			changing := func() iter.Seq2[dataset.Example, error] {
				if calls++; calls > pass {
					return c.rows()
				}
				return rows()
			}
			if _, _, err := Stream(t.Context(), changing, twoHeads, cfg); !says(err, c.want) {
				t.Errorf("%s after %d passes: got error %v, want %q", c.name, pass, err, c.want)
			}
		}
	}
}

func TestStreamEndsWithItsContext(t *testing.T) {
	for _, after := range []int{1, 2, 5, 12} {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		rows := read(generated(65, 60))
		_, _, err := Stream(ctx, func() iter.Seq2[dataset.Example, error] {
			if calls++; calls == after {
				cancel()
			}
			return rows()
		}, twoHeads, counted(MultinomialNB, model.Binary, 0.1))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after %d passes: got error %v, want that of the context", after, err)
		}
		cancel()
	}
}
