package train

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// sorted are the labels of a head that have rows, ascending, and their numbers.
func (t *headTally) sorted() (labels []string, numbers []int) {
	for _, label := range slices.Sorted(maps.Keys(t.number)) {
		n := t.number[label]
		if slices.ContainsFunc(t.docs[n], func(d uint64) bool { return d > 0 }) {
			labels, numbers = append(labels, label), append(numbers, n)
		}
	}
	return labels, numbers
}

// counts are those of a head and value, of the given features that are known, of all
// folds but one (-1: of all), over rows ids.
func (s *Statistics) counts(head int, sp space, rows *statisticRows, known *seen, without int) *Counts {
	labels, numbers := s.heads[head].sorted()
	column := make([]int, len(s.heads[head].labels))
	for at, n := range numbers {
		column[n] = at
	}
	c := newCounts(len(rows.ids), len(labels), sp.Value.Bits())
	for at, n := range numbers {
		for fold, docs := range s.heads[head].docs[n] {
			if fold != without {
				c.docs[at] += docs
			}
		}
	}
	for row, id := range rows.ids {
		w := s.words.get(id)
		if known.df[row] == 0 || !w.kind.in(sp.Features) {
			continue
		}
		for _, x := range w.ofLabels() {
			if x.key.head() != head || x.key.fold() == without {
				continue
			}
			n := uint64(x.texts)
			if sp.Value == model.TF {
				n = x.occurrences
			}
			c.features[row*len(labels)+column[x.key.label()]] += uint32(n) // fits, see tooOften
		}
	}
	return c
}

// tooOften returns an error when a label has a feature more often than Counts have
// room for.
func (s *Statistics) tooOften() error {
	for _, w := range s.words.all {
		sum, last := uint64(0), cellKey(0)
		for _, c := range w.ofLabels() { // those of a label lie together
			if first := c.key - cellKey(c.key.fold()); first != last {
				sum, last = 0, first
			}
			if sum += c.occurrences; sum > math.MaxUint32 || c.occurrences > math.MaxUint32 {
				return fmt.Errorf("a feature occurs more than %d times in the rows of a label: take binary values", uint32(math.MaxUint32))
			}
		}
	}
	return nil
}

// seen is what is known by the rows of all folds but one, -1 for all.
func (s *Statistics) seen(rows *statisticRows, without int) *seen {
	k := &seen{df: make([]uint32, len(rows.ids))}
	for fold, n := range s.docs {
		if fold != without {
			k.docs += int(n)
		}
	}
	for row, id := range rows.ids {
		for _, c := range s.words.get(id).ofAll() {
			if c.key.fold() != without {
				k.df[row] += c.texts
			}
		}
	}
	// Sources are not told apart: each text is one.
	k.sources = make([]uint8, len(k.df))
	for row, n := range k.df {
		k.sources[row] = uint8(min(n, MaxMinSources))
	}
	return k
}

// statisticRows number the features, as vocabulary.number does.
type statisticRows struct {
	ids   []model.FeatureID
	kinds []kind
	texts []uint32
}

func (s *Statistics) number() *statisticRows {
	type numbered struct {
		id    model.FeatureID
		texts uint32
	}
	list := make([]numbered, 0, s.words.size())
	for id, w := range s.words.all {
		list = append(list, numbered{id, w.texts()})
	}
	slices.SortFunc(list, func(a, b numbered) int {
		switch {
		case a.texts != b.texts:
			return int(int64(b.texts) - int64(a.texts))
		case a.id < b.id:
			return -1
		}
		return 1
	})
	r := &statisticRows{}
	for _, n := range list {
		r.ids, r.kinds, r.texts = append(r.ids, n.id), append(r.kinds, s.words.get(n.id).kind), append(r.texts, n.texts)
	}
	return r
}
