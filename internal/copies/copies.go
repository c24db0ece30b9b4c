// Package copies tells which texts are nearly the same: an agency's report in two
// papers, a post and its quotation. Texts are compared by the sequences of three
// words that they have.
package copies

import (
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

const (
	// shingleWords is the length of the word sequences by which texts are
	// compared. Broder, "On the resemblance and containment of documents"
	// (1997).
	shingleWords = 3
	// nearDuplicate is the share of shingles (Jaccard index) from which two
	// texts count as copies of one another.
	nearDuplicate = 0.5
	// Common is how many texts a shingle leads back to: of a phrase that more
	// have, the latest. A copy of many copies thus still finds one.
	Common = 64
)

// A Shingler is scratch memory: one goroutine at a time.
type Shingler struct {
	x   *model.Extractor
	ids []model.FeatureID
}

// NewShingler returns a Shingler.
func NewShingler() *Shingler {
	x, err := model.NewExtractor(model.Features{Words: shingleWords}, 0)
	if err != nil {
		panic(err) // a constant that NewExtractor takes
	}
	return &Shingler{x: x}
}

// Shingles returns the different shingles of a text, ascending. The slice is
// valid until the next call.
func (s *Shingler) Shingles(text string) []model.FeatureID {
	s.ids = s.ids[:0]
	for _, f := range s.x.Extract(text) {
		if f.Words == shingleWords {
			s.ids = append(s.ids, f.ID)
		}
	}
	slices.Sort(s.ids)
	s.ids = slices.Compact(s.ids)
	return s.ids
}

// Alike reports whether texts of a and b shingles, of which they share some, are
// near-duplicates.
func Alike(shared, a, b int) bool {
	return shared > 0 && float64(shared) >= nearDuplicate*float64(a+b-shared)
}

// An Index finds near-duplicates among the texts that were added to it, which are
// numbered from 0. Texts of less than three words have no shingles and are like
// none: equal texts are the caller's to find.
type Index struct {
	sizes   []int // of each text: its different shingles
	numbers map[model.FeatureID]int32
	holders [][]int32 // by number of a shingle: the latest texts that have it
	shared  []int32   // by text: shingles that it shares with the one at hand
}

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{numbers: map[model.FeatureID]int32{}} }

// Add adds a text that has so many different shingles, of which those are given
// that another text may have too. It returns the texts before it that are alike,
// in no order.
func (x *Index) Add(size int, shingles []model.FeatureID) []int {
	alike := x.Find(size, shingles)
	i := int32(len(x.sizes))
	for _, s := range shingles {
		n, known := x.numbers[s]
		if !known {
			n = int32(len(x.holders))
			x.numbers[s], x.holders = n, append(x.holders, nil)
		}
		h := x.holders[n]
		x.holders[n] = append(h[max(0, len(h)-Common+1):], i)
	}
	x.sizes, x.shared = append(x.sizes, size), append(x.shared, 0)
	return alike
}

// Find returns the texts that are alike, in no order.
func (x *Index) Find(size int, shingles []model.FeatureID) []int {
	var touched, alike []int
	for _, s := range shingles {
		n, known := x.numbers[s]
		if !known {
			continue
		}
		for _, j := range x.holders[n] {
			if x.shared[j] == 0 {
				touched = append(touched, int(j))
			}
			x.shared[j]++
		}
	}
	for _, j := range touched {
		if Alike(int(x.shared[j]), size, x.sizes[j]) {
			alike = append(alike, j)
		}
		x.shared[j] = 0
	}
	return alike
}
