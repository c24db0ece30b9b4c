package bench

import (
	"io"
	"testing"

	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/serve/servetest"
	"github.com/parley-nlp/parley/internal/train"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// The features that the benchmarks read.
var (
	words      = train.LongText
	characters = model.Features{Words: 2, CharMin: 2, CharMax: 5}
)

// corpus reads the built-in corpus.
func corpus(t testing.TB) *dataset.Set {
	t.Helper()
	srcs, err := dataset.FS(data.FS)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.ReadAll(srcs, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// fixed is one candidate: there is nothing to choose.
func fixed(f model.Features) train.Config {
	return train.Config{
		Features:   []model.Features{f},
		Values:     []model.Value{model.Binary},
		Estimators: []train.Estimator{train.MultinomialNB},
		Alphas:     []float64{0.3},
		Members:    1,
	}
}

// trained returns a model of both heads, and the paragraphs.
func trained(t testing.TB, f model.Features) (*model.Model, []string) {
	t.Helper()
	return trainedOn(t, corpus(t), f)
}

func trainedOn(t testing.TB, set *dataset.Set, f model.Features) (*model.Model, []string) {
	t.Helper()
	m, _, err := train.Train(t.Context(), set.Examples, set.Heads, fixed(f))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, ex := range set.Examples {
		texts = append(texts, ex.Text)
	}
	return m, texts
}

// meanLength is the mean length of texts in bytes.
func meanLength(texts []string) int64 {
	n := 0
	for _, text := range texts {
		n += len(text)
	}
	return int64(n / len(texts))
}

func BenchmarkClassifyWords(b *testing.B) { benchmarkClassify(b, words, 0) }

func BenchmarkClassifyWordsAndCharacters(b *testing.B) { benchmarkClassify(b, characters, 0) }

// BenchmarkEvidence is BenchmarkClassifyWords with the five best terms of each
// head's label.
func BenchmarkEvidence(b *testing.B) { benchmarkClassify(b, words, 5) }

// benchmarkClassify classifies and decides a paragraph at a time.
func benchmarkClassify(b *testing.B, f model.Features, terms int) {
	m, texts := trained(b, f)
	c := m.NewClassifier()
	classify := func(text string) {
		r := c.Classify(text, "")
		for h, p := range r.Predictions {
			r.Decide(h, m.Heads()[h].Thresholds())
			if terms > 0 {
				c.Explain(h, p.Best, terms)
			}
		}
	}
	for _, text := range texts { // memory grows to its size
		classify(text)
	}
	b.SetBytes(meanLength(texts))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		classify(texts[i%len(texts)])
	}
}

// BenchmarkParse reads and verifies a model file.
func BenchmarkParse(b *testing.B) {
	m, _ := trained(b, words)
	b.SetBytes(int64(len(m.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := model.Parse(m.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTrain trains both heads with one candidate: features, folds, weights,
// calibration, learning curve.
func BenchmarkTrain(b *testing.B) {
	set := corpus(b)
	size := 0
	for _, ex := range set.Examples {
		size += len(ex.Text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := train.Train(b.Context(), set.Examples, set.Heads, fixed(words)); err != nil {
			b.Fatal(err)
		}
	}
}

// dial serves m on a free port until the test ends and returns a client.
func dial(t testing.TB, m *model.Model) *client.Client {
	t.Helper()
	s, err := serve.New(serve.Config{Log: zerolog.New(io.Discard)})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(m)
	c, err := client.Dial(servetest.Start(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// BenchmarkUnary is a call with one paragraph over loopback.
func BenchmarkUnary(b *testing.B) {
	m, texts := trained(b, words)
	c := dial(b, m)
	b.SetBytes(meanLength(texts))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := c.Classify(b.Context(), texts[i%len(texts)], nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatch is a call with 100 paragraphs over loopback.
func BenchmarkBatch(b *testing.B) {
	const size = 100
	m, texts := trained(b, words)
	c := dial(b, m)
	var items []*parleyv1.BatchClassifyItem
	for _, text := range texts {
		items = append(items, &parleyv1.BatchClassifyItem{Document: &parleyv1.Document{Text: text}})
	}
	b.SetBytes(size * meanLength(texts))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i * size % (len(items) - size)
		resp, err := c.BatchClassify(b.Context(), items[at:at+size], nil)
		if err != nil {
			b.Fatal(err)
		}
		if resp.GetErrorCount() > 0 {
			b.Fatalf("%d items with an error", resp.GetErrorCount())
		}
	}
}

// Everything that the benchmarks compare is the same answer: of a model, of the
// model read again, and of a server.
func TestPathsAgree(t *testing.T) {
	set := corpus(t)
	set.Examples = set.Examples[:300] // of several documents; enough for answers that differ
	m, texts := trainedOn(t, set, words)
	again, err := model.Parse(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, m)
	for _, text := range texts[:20] {
		want := m.NewClassifier().Classify(text, "")
		got := again.NewClassifier().Classify(text, "")
		resp, err := c.Classify(t.Context(), text, nil)
		if err != nil {
			t.Fatal(err)
		}
		for h, p := range want.Predictions {
			label := m.Heads()[h].Labels[p.Best]
			served := resp.GetClassification().GetPredictions()[h].GetScores()[0]
			if got.Predictions[h].Best != p.Best || served.GetLabel() != label || served.GetRawScore() != p.Raw[p.Best] {
				t.Errorf("%.40q, %s: read again %d, served %q (%d), want %q (%d)", text, m.Heads()[h].Name,
					got.Predictions[h].Best, served.GetLabel(), served.GetRawScore(), label, p.Raw[p.Best])
			}
		}
	}
}
