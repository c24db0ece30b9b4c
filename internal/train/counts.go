package train

import (
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// Counts are the statistics of a head: integers, so that adding documents is
// exact in any order, and subtracting one gives what there was before it.
type Counts struct {
	labels   int
	docs     []uint64 // documents per label
	features []uint32 // row by row, one column per label: values of the feature
}

func newCounts(rows, labels int) *Counts {
	return &Counts{labels: labels, docs: make([]uint64, labels), features: make([]uint32, rows*labels)}
}

// clone returns counts of its own that equal c.
func (c *Counts) clone() *Counts {
	return &Counts{labels: c.labels, docs: slices.Clone(c.docs), features: slices.Clone(c.features)}
}

// add counts a document of the given label.
func (c *Counts) add(d document, label int, v model.Value) {
	c.docs[label]++
	for _, o := range d {
		c.features[int(o.row)*c.labels+label] += value(v, o.count)
	}
}

// subtract takes back what add counted.
func (c *Counts) subtract(d document, label int, v model.Value) {
	c.docs[label]--
	for _, o := range d {
		c.features[int(o.row)*c.labels+label] -= value(v, o.count)
	}
}

// pick returns the counts with the given rows only, in that order.
func (c *Counts) pick(rows []uint32) *Counts {
	p := &Counts{labels: c.labels, docs: c.docs, features: make([]uint32, 0, len(rows)*c.labels)}
	for _, row := range rows {
		p.features = append(p.features, c.row(int(row))...)
	}
	return p
}

// rows is the number of rows.
func (c *Counts) rows() int { return len(c.features) / c.labels }

// row returns the counts of a row per label.
func (c *Counts) row(i int) []uint32 { return c.features[i*c.labels:][:c.labels] }

// value is what count occurrences of a feature in a document count for.
func value(v model.Value, count uint32) uint32 {
	if v == model.TF {
		return count
	}
	return 1
}
