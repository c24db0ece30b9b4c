package train

import (
	"math"

	"github.com/parley-nlp/parley/internal/model"
)

// vectors are the documents of a corpus as sparse vectors.
type vectors struct {
	start  []int // of each document; the last entry is the end
	rows   []uint32
	values []float32 // whole numbers of 2^-bits
	bits   uint8
}

// of returns the rows and values of document i.
func (v *vectors) of(i int) ([]uint32, []float32) {
	lo, hi := v.start[i], v.start[i+1]
	return v.rows[lo:hi], v.values[lo:hi]
}

// A seen says what a model trained without some of the documents would know of
// the features.
type seen struct {
	docs int      // trained on, with or without a label
	df   []uint32 // of those the number that have the row
}

// seenBy is what is known by the documents for which keep holds.
func (c *corpus) seenBy(keep func(i int) bool) *seen {
	s := &seen{df: make([]uint32, len(c.ids))}
	for i, d := range c.docs {
		if !keep(i) {
			continue
		}
		s.docs++
		for _, o := range d {
			s.df[o.row]++
		}
	}
	return s
}

// knownWords returns the share of document i's words that are known (1 for a
// text without words), and whether any is.
func (c *corpus) knownWords(s *seen, i int) (share float64, known bool) {
	words, seen := uint32(0), uint32(0)
	for _, o := range c.docs[i] {
		if c.kinds[o.row].counted {
			words += o.count
			if s.df[o.row] > 0 {
				seen += o.count
			}
		}
	}
	if words == 0 {
		return 1, false
	}
	return float64(seen) / float64(words), seen > 0
}

// vectorise returns every document as a model with that knowledge reads it:
// with the features of f that it knows, by value function v.
func (c *corpus) vectorise(s *seen, f model.Features, v model.Value) *vectors {
	idf := make([]uint16, len(c.ids)) // 0: not read
	for row, df := range s.df {
		if df > 0 && c.kinds[row].in(f) {
			idf[row] = model.IDF(s.docs, int(df))
		}
	}
	entries := 0
	for _, df := range s.df {
		entries += int(df)
	}
	all := &vectors{
		start: make([]int, 1, len(c.docs)+1), bits: v.Bits(),
		rows: make([]uint32, 0, entries), values: make([]float32, 0, entries),
	}
	unit := float32(math.Ldexp(1, -int(all.bits)))
	var known document
	var values []int32
	for _, d := range c.docs {
		known = known[:0]
		for _, o := range d {
			if idf[o.row] > 0 {
				known = append(known, o)
			}
		}
		values = v.Values(values, len(known), func(i int) (uint8, uint32, uint16) {
			o := known[i]
			return c.kinds[o.row].words, o.count, idf[o.row]
		})
		for i, o := range known {
			all.rows = append(all.rows, o.row)
			all.values = append(all.values, float32(float32(values[i])*unit))
		}
		all.start = append(all.start, len(all.rows))
	}
	return all
}
