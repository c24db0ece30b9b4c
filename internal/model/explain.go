package model

import (
	"cmp"
	"slices"
)

// Evidence is what one word or word n-gram of a text contributes to a label's
// score, together with the character n-grams that occur first in that word.
type Evidence struct {
	Start, End   int   // bytes of the first occurrence: text[Start:End]
	Contribution int64 // in units of 2^-ScoreBits nats
	Count        int   // occurrences in the text; 1 when the model knows only characters of the word
}

// An Explanation takes a raw score apart: Bias plus the contributions of Terms
// plus Remainder is the score, exactly.
type Explanation struct {
	Bias      int64
	Terms     []Evidence // largest absolute contribution first
	Remainder int64      // sum of the terms that are not listed
}

// Explain takes apart the score that the last text got for one label of head
// h. It lists at most n terms, or all when n is negative.
func (c *Classifier) Explain(h, label, n int) Explanation {
	terms := c.contributions(h, label)
	slices.SortFunc(terms, func(a, b Evidence) int {
		return cmp.Or(
			cmp.Compare(abs(b.Contribution), abs(a.Contribution)),
			cmp.Compare(a.Start, b.Start),
			cmp.Compare(a.End, b.End))
	})
	if n < 0 || n > len(terms) {
		n = len(terms)
	}
	e := Explanation{Bias: c.bias(h, label), Terms: terms[:n]}
	for _, t := range terms[len(e.Terms):] {
		e.Remainder += t.Contribution
	}
	return e
}

// contributions returns the terms of the last text that contribute to label.
func (c *Classifier) contributions(h, label int) []Evidence {
	c.group()
	terms := slices.Clone(c.terms)
	for b, block := range c.m.spec.Heads[h].Blocks {
		values, shift := c.values[block.Value], block.shift()
		for i, row := range c.set.rows {
			terms[c.termOf[i]].Contribution += valueAt(values, i) * c.m.table.weight(row, c.m.table.first[h][b]+label) << shift
		}
		if len(c.aims[h].found) == 0 || c.m.targets[h].first[0][b] < 0 {
			continue
		}
		for _, f := range c.aims[h].found {
			terms[c.termOf[f.at]].Contribution += valueAt(values, int(f.at)) * c.m.targets[h].weight(f.row, c.m.targets[h].first[0][b]+label) << shift
		}
	}
	return slices.DeleteFunc(terms, func(e Evidence) bool { return e.Contribution == 0 })
}

// group finds which term each hit belongs to, once a text for all labels.
func (c *Classifier) group() {
	if c.grouped {
		return
	}
	c.grouped, c.terms, c.termOf = true, c.terms[:0], c.termOf[:0]
	at := make(map[[2]uint32]int, len(c.set.hits))
	for n, span := range c.spans() {
		i, ok := at[span]
		if !ok {
			i = len(c.terms)
			at[span] = i
			c.terms = append(c.terms, Evidence{Start: int(span[0]), End: int(span[1]), Count: 1})
		}
		c.termOf = append(c.termOf, i)
		if hit := &c.set.hits[n]; hit.words > 0 {
			c.terms[i].Count = int(hit.count)
		}
	}
}

// spans returns the bytes of the first occurrence of each hit, from start to end.
// Hits are in the order of their first occurrences, so one more reading of the
// text's n-grams meets them all.
func (c *Classifier) spans() [][2]uint32 {
	list := make([][2]uint32, 0, len(c.set.hits))
	at := uint32(0)
	for lo := 0; lo < len(c.tok.tokens); lo += blockTokens {
		c.grams.read(&c.tok, c.m.spec.Features, lo, min(lo+blockTokens, len(c.tok.tokens)))
		for s := range c.grams.all() {
			if len(list) < len(c.set.hits) && c.set.hits[len(list)].first == at {
				list = append(list, [2]uint32{c.tok.tokens[s.first].start, c.tok.tokens[s.last].end})
			}
			at++
		}
	}
	return list
}

// valueAt is the i-th of values; nil are 1.
func valueAt(values []int32, i int) int64 {
	if values == nil {
		return 1
	}
	return int64(values[i])
}

func abs(n int64) int64 { return max(n, -n) }
