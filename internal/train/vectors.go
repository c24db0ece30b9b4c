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
	docs    int      // trained on, with or without a label
	df      []uint32 // of those the number that have the row
	sources []uint8  // of those documents, up to the corpus's limit; nil: not asked for
}

// seenBy is what is known by the documents for which keep holds.
func (c *corpus) seenBy(keep func(i int) bool) *seen {
	if c.counted != nil {
		return c.counted.seen(c.counted.rows, -1)
	}
	s := &seen{df: make([]uint32, len(c.ids))}
	counter := c.sourceCounter()
	c.documents(func(batch []numberedDocument) {
		for _, d := range batch {
			if keep(d.i) {
				s.add(d.doc)
				if counter != nil {
					counter.add(d.doc, c.source[d.i])
				}
			}
		}
	})
	if counter != nil {
		s.sources = counter.counts()
	}
	return s
}

// sourceCounter returns a counter up to the limit, or nil if sources are not to
// be counted.
func (c *corpus) sourceCounter() *sourceCounter {
	if c.sourceLimit <= 1 {
		return nil
	}
	return newSourceCounter(len(c.ids), c.sourceLimit)
}

func (s *seen) add(d document) {
	s.docs++
	for _, o := range d {
		s.df[o.row]++
	}
}

// seenByOthers is, for each of so many folds, what is known by the documents of
// the other folds; those of fold -1 are out of sight.
func (c *corpus) seenByOthers(fold []int, folds int) []*seen {
	if c.counted != nil {
		return c.counted.seenByOthers()
	}
	others := make([]*seen, folds)
	counters := make([]*sourceCounter, folds)
	for f := range others {
		others[f], counters[f] = &seen{df: make([]uint32, len(c.ids))}, c.sourceCounter()
	}
	c.documents(func(batch []numberedDocument) {
		inParallel(folds, func(lo, hi int) {
			for f := lo; f < hi; f++ {
				for _, d := range batch {
					if fold[d.i] == f {
						others[f].add(d.doc)
						if counters[f] != nil {
							counters[f].add(d.doc, c.source[d.i])
						}
					}
				}
			}
		})
	})
	all := &seen{df: make([]uint32, len(c.ids))}
	for _, s := range others {
		all.docs += s.docs
		for row, n := range s.df {
			all.df[row] += n
		}
	}
	for _, s := range others {
		s.docs = all.docs - s.docs
		for row, n := range s.df {
			s.df[row] = all.df[row] - n
		}
	}
	if c.sourceLimit > 1 {
		sourcesOfOthers(others, counters)
	}
	return others
}

// sourcesOfOthers fills in for each fold the sources of the other folds: no
// source is in two.
func sourcesOfOthers(others []*seen, counters []*sourceCounter) {
	for _, s := range others {
		s.sources = make([]uint8, len(s.df))
	}
	for f, counter := range counters {
		for row, n := range counter.counts() {
			for g, s := range others {
				if g != f {
					s.sources[row] = min(s.sources[row]+n, uint8(counter.limit))
				}
			}
		}
	}
}

// knownToOthers returns for each document the share of its words that the other
// folds know, and whether they know any.
func (c *corpus) knownToOthers(fold []int, others []*seen) (shares []float64, known []bool) {
	shares, known = make([]float64, len(fold)), make([]bool, len(fold))
	c.documents(func(batch []numberedDocument) {
		inParallel(len(batch), func(lo, hi int) {
			for _, d := range batch[lo:hi] {
				if f := fold[d.i]; f >= 0 {
					shares[d.i], known[d.i] = c.knownWords(others[f], d.doc)
				}
			}
		})
	})
	return shares, known
}

// knownWords returns the share of a document's words that are known (1 for a
// text without words), and whether any is.
func (c *corpus) knownWords(s *seen, d document) (share float64, known bool) {
	words, seen := uint32(0), uint32(0)
	for _, o := range d {
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

// A lens reads documents as a model with some knowledge does: the features of a
// set that it knows, by a value function.
type lens struct {
	corpus *corpus
	value  model.Value
	idf    []uint16 // 0: not read
}

func (c *corpus) lens(s *seen, sp space) *lens {
	l := &lens{c, sp.Value, make([]uint16, len(c.ids))}
	for row, df := range s.df {
		if df > 0 && c.kinds[row].in(sp.Features) {
			l.idf[row] = model.IDF(s.docs, int(df))
		}
	}
	return l
}

// A vector is a document as a lens reads it. It is scratch memory: one
// goroutine at a time.
type vector struct {
	rows   []uint32
	values []float32

	known document
	whole []int32
}

// read reads a document, which replaces what v held.
func (v *vector) read(d document, l *lens) {
	v.rows, v.values, v.known = v.rows[:0], v.values[:0], v.known[:0]
	for _, o := range d {
		if l.idf[o.row] > 0 {
			v.known = append(v.known, o)
		}
	}
	v.whole = l.value.Values(v.whole, len(v.known), func(i int) (uint8, uint32, uint16) {
		o := v.known[i]
		return l.corpus.kinds[o.row].words, o.count, l.idf[o.row]
	})
	unit := float32(math.Ldexp(1, -int(l.value.Bits())))
	for i, o := range v.known {
		v.rows = append(v.rows, o.row)
		v.values = append(v.values, float32(float32(v.whole[i])*unit))
	}
}

// vectorise returns every document as a model with that knowledge reads it:
// with the features of f that it knows, by value function v.
func (c *corpus) vectorise(s *seen, f model.Features, v model.Value) *vectors {
	l := c.lens(s, space{f, v})
	entries := 0
	for _, df := range s.df {
		entries += int(df)
	}
	all := &vectors{
		start: make([]int, 1, len(c.docs)+1), bits: v.Bits(),
		rows: make([]uint32, 0, entries), values: make([]float32, 0, entries),
	}
	var one vector
	for _, d := range c.docs {
		one.read(d, l)
		all.rows = append(all.rows, one.rows...)
		all.values = append(all.values, one.values...)
		all.start = append(all.start, len(all.rows))
	}
	return all
}
