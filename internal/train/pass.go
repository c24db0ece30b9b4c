package train

import (
	"iter"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// A pass calls visit with all examples of a corpus and their texts, some at a
// time. The order is any; what is made of a pass must not depend on it. A batch
// is valid until visit returns.
type pass func(visit func(batch []numbered))

// A numbered example has its position in the order of contents.
type numbered struct {
	i int
	dataset.Example
}

const (
	// batchRows and batchBytes bound the examples that are worked on at a time.
	batchRows  = 1024
	batchBytes = 1 << 20 // of text
)

// batches cuts examples into parts that are worked on at a time.
func batches(examples []dataset.Example) iter.Seq[[]dataset.Example] {
	return func(yield func([]dataset.Example) bool) {
		size, from := 0, 0
		for i, ex := range examples {
			size += len(ex.Text)
			if i+1 == len(examples) || isBatch(i+1-from, size) {
				if !yield(examples[from : i+1]) {
					return
				}
				size, from = 0, i+1
			}
		}
	}
}

// isBatch reports whether so many rows with so much text are to be worked on.
func isBatch(rows, bytes int) bool { return rows >= batchRows || bytes >= batchBytes }

// inMemory passes over examples that are all at hand.
func inMemory(examples []dataset.Example) pass {
	return func(visit func([]numbered)) {
		var batch []numbered
		next := 0
		for part := range batches(examples) {
			batch = batch[:0]
			for _, ex := range part {
				batch = append(batch, numbered{next, ex})
				next++
			}
			visit(batch)
		}
	}
}

// A numberedDocument is the features of a numbered example.
type numberedDocument struct {
	i   int
	doc document
}

// documents calls visit with all documents, as a pass does with examples.
func (c *corpus) documents(visit func(batch []numberedDocument)) {
	var batch []numberedDocument
	if c.docs != nil {
		for i, d := range c.docs {
			if batch = append(batch, numberedDocument{i, d}); len(batch) == batchRows || i+1 == len(c.docs) {
				visit(batch)
				batch = batch[:0]
			}
		}
		return
	}
	c.pass(func(examples []numbered) {
		batch = slices.Grow(batch[:0], len(examples))[:len(examples)]
		inParallel(len(examples), func(lo, hi int) {
			x, _ := model.NewExtractor(c.features, 0) // the vocabulary has seen the error
			for k := lo; k < hi; k++ {
				batch[k] = numberedDocument{examples[k].i, c.document(x.Extract(examples[k].Text))}
			}
		})
		visit(batch)
	})
}

// document counts the features of a text, all of which have rows.
func (c *corpus) document(features []model.Feature) document {
	rows := make([]uint32, len(features))
	for j, f := range features {
		rows[j] = uint32(c.rows.find(f.ID))
	}
	slices.Sort(rows)
	d := make(document, 0, len(rows))
	for j, row := range rows {
		if j == 0 || row != rows[j-1] {
			d = append(d, occurrence{row, 0})
		}
		d[len(d)-1].count++
	}
	return d
}
