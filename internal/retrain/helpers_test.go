package retrain

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

var heads = []string{"topic", "stance"}

// labels of each head, and the words that texts of a label have.
var labels = [][]string{{"energy", "peace", "sport"}, {"hopeful", "skeptical"}}

// example makes a text of ten words: some tell its labels, others nothing. The less
// clear, the fewer tell.
func example(random *rand.Rand, n int, clear float64) dataset.Example {
	ex := dataset.Example{ID: fmt.Sprint("row-", n), Group: fmt.Sprint("group-", n/4), Labels: make([]string, len(heads)), File: "base.jsonl", Line: n + 1}
	for h := range heads {
		ex.Labels[h] = labels[h][random.IntN(len(labels[h]))]
	}
	var words []string
	for range 10 {
		word := fmt.Sprint("word", random.IntN(200))
		if random.Float64() < clear {
			h := random.IntN(len(heads))
			word = fmt.Sprint(ex.Labels[h], random.IntN(30))
		}
		words = append(words, word)
	}
	ex.Text = strings.Join(words, " ")
	return ex
}

func examples(seed uint64, from, to int, clear float64) []dataset.Example {
	random := rand.New(rand.NewPCG(seed, 9))
	var list []dataset.Example
	for n := range to {
		if ex := example(random, n, clear); n >= from {
			list = append(list, ex)
		}
	}
	return list
}

// A bench is a ledger, a store and options.
type bench struct {
	*testing.T
	url, dir string
	ledger   *ledger.Ledger
	store    *store.Store
	options  Options
}

func newBench(t *testing.T, base []dataset.Example) *bench {
	t.Helper()
	b := &bench{T: t, url: filepath.Join(t.TempDir(), "labels.db"), dir: filepath.Join(t.TempDir(), "store")}
	b.ledger = b.open()
	var err error
	if b.store, err = store.Open(t.Context(), b.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg := train.Default()
	cfg.Features, cfg.Values, cfg.Estimators = []model.Features{{Words: 1}}, []model.Value{model.Binary}, []train.Estimator{train.MultinomialNB}
	cfg.Alphas, cfg.Members = []float64{0.3}, 1
	b.options = Options{Model: "news", Base: base, BaseHeads: heads, Config: cfg, Share: 0.3, Proof: "the proof"}
	return b
}

func (b *bench) open() *ledger.Ledger {
	b.Helper()
	l, err := ledger.Open(b.Context(), b.url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := l.Close(); err != nil {
			b.Error(err)
		}
	})
	return l
}

// run retrains, and wants an outcome.
func (b *bench) run(want Outcome, change ...func(*Options)) *Report {
	b.Helper()
	o := b.options
	for _, c := range change {
		c(&o)
	}
	r, err := Run(b.Context(), b.ledger, b.store, o)
	if err != nil {
		b.Fatal(err)
	}
	if r.Outcome != want {
		var text strings.Builder
		_ = r.WriteText(&text)
		b.Fatalf("got %q, want %q:\n%s", r.Outcome, want, &text)
	}
	return r
}

// live is the revision that answers.
func (b *bench) live() string {
	b.Helper()
	state, err := b.store.State(b.Context(), "news")
	if err != nil {
		b.Fatal(err)
	}
	return state.Aliases[store.Live].Revision
}

func (b *bench) position() int64 {
	b.Helper()
	n, err := b.ledger.Position(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// give adds the labels of rows, by one annotator of a source.
func (b *bench) give(rows []dataset.Example, source string, selection ledger.Selection) {
	b.Helper()
	var list []ledger.NewLabel
	for _, ex := range rows {
		for h, head := range heads {
			if ex.Labels[h] != "" {
				list = append(list, ledger.NewLabel{Text: ex.Text, ID: ex.ID, Group: ex.Group, Head: head, Label: ex.Labels[h],
					Annotator: source + " desk", Source: source, Selection: selection})
			}
		}
	}
	for len(list) > 0 {
		n := min(len(list), 500)
		out, err := b.ledger.Add(b.Context(), "", list[:n])
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range out {
			if o.Err != nil {
				b.Fatal(o.Err)
			}
		}
		list = list[n:]
	}
}

// flipped gives a share of the rows other labels.
func flipped(rows []dataset.Example, share float64, seed uint64) []dataset.Example {
	random := rand.New(rand.NewPCG(seed, 10))
	var list []dataset.Example
	for _, ex := range rows {
		ex.Labels = append([]string{}, ex.Labels...)
		for h := range heads {
			for was := ex.Labels[h]; random.Float64() < share && ex.Labels[h] == was; {
				ex.Labels[h] = labels[h][random.IntN(len(labels[h]))]
			}
		}
		list = append(list, ex)
	}
	return list
}

// wrong are the rows of which the live model has a label wrong.
func (b *bench) wrong(rows []dataset.Example) []dataset.Example {
	b.Helper()
	m, err := b.store.Load(b.Context(), "news", b.live())
	if err != nil {
		b.Fatal(err)
	}
	a := newModelAnswers(m, nil)
	var list []dataset.Example
	for _, ex := range rows {
		for h, head := range heads {
			if said, _ := a.answer(&ex, head); said != ex.Labels[h] {
				list = append(list, ex)
				break
			}
		}
	}
	return list
}
