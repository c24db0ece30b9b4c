package train

import (
	"errors"
	"math"
)

// Counts are the statistics of a head: integers, so that adding documents is
// exact in any order, and subtracting one gives what there was before it.
type Counts struct {
	labels   int
	bits     uint8    // features count in units of 2^-bits
	docs     []uint64 // documents per label
	features []uint32 // row by row, one column per label: values of the feature
}

func newCounts(rows, labels int, bits uint8) *Counts {
	return &Counts{labels: labels, bits: bits, docs: make([]uint64, labels), features: make([]uint32, rows*labels)}
}

// add counts a document of the given label.
func (c *Counts) add(rows []uint32, values []float32, label int) {
	scale := float32(math.Ldexp(1, int(c.bits)))
	c.docs[label]++
	for j, row := range rows {
		c.features[int(row)*c.labels+label] += uint32(values[j] * scale)
	}
}

var errNeverCounted = errors.New("documents to be forgotten were never counted")

// subtract takes back what other counted, of the same rows and labels. When less
// was counted than is to be taken back it returns an error and changes nothing:
// the documents cannot have been added.
func (c *Counts) subtract(other *Counts) error {
	for l, n := range other.docs {
		if c.docs[l] < n {
			return errNeverCounted
		}
	}
	for i, n := range other.features {
		if c.features[i] < n {
			return errNeverCounted
		}
	}
	for l, n := range other.docs {
		c.docs[l] -= n
	}
	for i, n := range other.features {
		c.features[i] -= n
	}
	return nil
}

// merge adds what other counted. Both are of the same rows and labels.
func (c *Counts) merge(other *Counts) {
	for l, n := range other.docs {
		c.docs[l] += n
	}
	for i, n := range other.features {
		c.features[i] += n
	}
}

// rows is the number of rows.
func (c *Counts) rows() int { return len(c.features) / c.labels }

// row returns the counts of a row per label.
func (c *Counts) row(i int) []uint32 { return c.features[i*c.labels:][:c.labels] }

// A vocabularySize is what smoothing needs to know of the features seen.
type vocabularySize struct {
	features int      // seen
	values   []uint64 // sum per label
	total    uint64   // sum of all labels
}

func (c *Counts) vocabularySize() vocabularySize {
	v := vocabularySize{values: make([]uint64, c.labels)}
	for i := range c.rows() {
		row := c.row(i)
		sum := total(row)
		if sum == 0 {
			continue
		}
		v.features++
		v.total += sum
		for label, n := range row {
			v.values[label] += uint64(n)
		}
	}
	return v
}

func total[T uint32 | uint64](list []T) uint64 {
	sum := uint64(0)
	for _, n := range list {
		sum += uint64(n)
	}
	return sum
}
