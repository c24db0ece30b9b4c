package train

import "github.com/parley-nlp/parley/internal/model"

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

// row returns the counts of a row per label.
func (c *Counts) row(i int) []uint32 { return c.features[i*c.labels:][:c.labels] }

// value is what count occurrences of a feature in a document count for.
func value(v model.Value, count uint32) uint32 {
	if v == model.TF {
		return count
	}
	return 1
}
