package score

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-nlp/parley/bench"
	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// BenchmarkRun compares, on all cores and the corpus:
//
//	model   the model alone, without reading or writing
//	local   JSON lines in, JSON lines out
//	server  what a server in this process answers to batches made beforehand
//	remote  JSON lines in, JSON lines out, with that server
//
// local/model and remote/server say what a run costs beside the answers.
func BenchmarkRun(b *testing.B) {
	file, set := corpus(b)
	cfg := plain
	cfg.Alphas = []float64{1}
	m, _, err := train.Train(b.Context(), set.Examples, set.Heads, cfg)
	if err != nil {
		b.Fatal(err)
	}
	documents := documentsOf(set)
	c := startWith(b, m)
	b.Run("model", func(b *testing.B) { benchModel(b, m, documents) })
	b.Run("local", func(b *testing.B) { benchRun(b, mustLocalWith(b, m, Options{}), file, runtime.GOMAXPROCS(0)) })
	b.Run("server", func(b *testing.B) { benchServer(b, c, documents) })
	b.Run("remote", func(b *testing.B) { benchRun(b, mustRemote(b, c, Options{}), file, MostCalls) })
}

// corpus is that in data/, several times over.
func corpus(b *testing.B) ([]byte, *dataset.Set) {
	file, err := os.ReadFile("../../data/train.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	set, err := dataset.ReadAll([]dataset.Source{dataset.Reader("train.jsonl", bytes.NewReader(file))}, dataset.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Repeat(file, 10), set
}

func documentsOf(set *dataset.Set) []Document {
	var documents []Document
	for range 10 {
		for _, ex := range set.Examples {
			documents = append(documents, Document{Text: ex.Text})
		}
	}
	return documents
}

// measured starts a clock of the processor, for which rows are worked on; the
// function it returns reports them. The time of all cores together does not
// depend on what else the machine does, as that of the wall does.
func measured(b *testing.B) (report func(rows int)) {
	before := bench.CPUSeconds()
	return func(rows int) {
		all := float64(rows) * float64(b.N)
		b.ReportMetric(all/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric(1e6*(bench.CPUSeconds()-before)/all, "cpu-us/row")
	}
}

// eachCore calls do with every index below n, on so many goroutines.
func eachCore(n, goroutines int, do func(next func() (int, bool))) {
	var at atomic.Int64
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			do(func() (int, bool) {
				i := int(at.Add(1)) - 1
				return i, i < n
			})
		})
	}
	wait.Wait()
}

func benchModel(b *testing.B, m *model.Model, documents []Document) {
	report := measured(b)
	for b.Loop() {
		eachCore(len(documents)/batchRows, runtime.GOMAXPROCS(0), func(next func() (int, bool)) {
			c := m.Acquire()
			defer m.Release(c)
			for i, ok := next(); ok; i, ok = next() {
				for _, d := range documents[i*batchRows : (i+1)*batchRows] {
					r := c.Classify(d.Text, "")
					for h := range r.Predictions {
						r.Decide(h, m.Heads()[h].Thresholds())
					}
				}
			}
		})
	}
	report(len(documents) / batchRows * batchRows)
}

func benchRun(b *testing.B, c Classifier, file []byte, workers int) {
	rows := 0
	report := measured(b)
	for b.Loop() {
		j := jobOf(c)
		j.Sources = []dataset.Source{dataset.Reader("train.jsonl", bytes.NewReader(file))}
		j.Workers = workers
		s, err := j.Run(b.Context(), State{}, io.Discard, nil)
		if err != nil {
			b.Fatal(err)
		}
		rows = int(s.Summary.Rows)
	}
	report(rows)
}

func benchServer(b *testing.B, c *client.Client, documents []Document) {
	var batches [][]*parleyv1.BatchClassifyItem
	for len(documents) >= batchRows {
		var items []*parleyv1.BatchClassifyItem
		for _, d := range documents[:batchRows] {
			items = append(items, &parleyv1.BatchClassifyItem{Document: &parleyv1.Document{Text: d.Text}})
		}
		batches, documents = append(batches, items), documents[batchRows:]
	}
	report := measured(b)
	for b.Loop() {
		eachCore(len(batches), 8, func(next func() (int, bool)) {
			for i, ok := next(); ok; i, ok = next() {
				if _, err := c.BatchClassify(context.Background(), batches[i], &parleyv1.ClassifyOptions{TopK: 1}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	report(len(batches) * batchRows)
}
