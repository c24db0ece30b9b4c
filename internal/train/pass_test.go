package train

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

func TestInParallelCoversEveryNumberOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(cores)
		for _, n := range []int{0, 1, 3, 5, 100} {
			visits := make([]atomic.Int32, n)
			inParallel(n, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					visits[i].Add(1)
				}
			})
			for i := range visits {
				if visits[i].Load() != 1 {
					t.Errorf("%d cores: %d of %d is visited %d times", cores, i, n, visits[i].Load())
				}
			}
		}
	}
}

func TestBatchesAreBounded(t *testing.T) {
	var examples []dataset.Example
	for i := range 3000 {
		examples = append(examples, dataset.Example{Text: "short", Line: i})
	}
	examples[10].Text = strings.Repeat("long ", batchBytes)
	next := 0
	for batch := range batches(examples) {
		if len(batch) > batchRows || len(batch) == 0 {
			t.Errorf("a batch of %d rows", len(batch))
		}
		for k, ex := range batch {
			if ex.Line != next {
				t.Fatalf("row %d comes after row %d", ex.Line, next-1)
			}
			if next++; ex.Line == 10 && k != len(batch)-1 {
				t.Error("a batch goes on after a long text")
			}
		}
	}
	if next != len(examples) {
		t.Errorf("%d of %d rows", next, len(examples))
	}
}

// Documents that are made anew are those that are kept.
func TestDocumentsMadeAnew(t *testing.T) {
	examples := generated(76, 1500)
	c, err := newCorpus(context.Background(), examples, ShortText)
	if err != nil {
		t.Fatal(err)
	}
	again := *c
	again.docs, again.rows = nil, newIDTable(c.ids)
	seen := 0
	again.documents(func(batch []numberedDocument) {
		for _, d := range batch {
			if seen++; !reflect.DeepEqual(d.doc, c.docs[d.i]) {
				t.Fatalf("document %d: got %v, want %v", d.i, d.doc, c.docs[d.i])
			}
		}
	})
	if seen != len(examples) {
		t.Errorf("%d documents, want %d", seen, len(examples))
	}
}
