package train

import (
	"crypto/sha256"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/parley-nlp/parley/internal/copies"
	"github.com/parley-nlp/parley/internal/model"
)

const (
	// The shingles of so many are held at a time, or a share of all that keeps
	// the passes few.
	shinglesHeld  = 32 << 20
	shinglePasses = 16
)

// joinNearDuplicates joins examples whose texts are equal or nearly the same.
// bytes is about how much text there is.
//
// Texts are compared in their order, so the shingles of a range are gathered
// before they are compared. Those that no other text has are left out: most are
// such, and the rest is what memory is needed for.
func joinNearDuplicates(u unionFind, each pass, bytes int) {
	sizes, known := joinEqualTexts(u, each, bytes)
	compareTexts(u, each, sizes, known, shinglesAtATime(sizes))
}

// joinEqualTexts joins examples whose texts are equal. It returns how many different shingles each text has, and which of
// them came twice.
func joinEqualTexts(u unionFind, each pass, bytes int) ([]int32, *sketch) {
	sizes, known := make([]int32, len(u)), newSketch(bytes)
	first := map[[16]byte]int{} // by the beginning of a hash of the text
	each(func(batch []numbered) {
		sums := make([][16]byte, len(batch))
		inParallel(len(batch), func(lo, hi int) {
			x := copies.NewShingler()
			for k := lo; k < hi; k++ {
				sum := sha256.Sum256([]byte(batch[k].Text))
				sums[k] = [16]byte(sum[:])
				list := x.Shingles(batch[k].Text)
				sizes[batch[k].i] = int32(len(list))
				for _, s := range list {
					known.add(s)
				}
			}
		})
		for k, ex := range batch {
			if j, ok := first[sums[k]]; ok {
				u.join(ex.i, j)
			} else {
				first[sums[k]] = ex.i
			}
		}
	})
	return sizes, known
}

// compareTexts joins near-duplicates, holding so many shingles at a time at
// most.
func compareTexts(u unionFind, each pass, sizes []int32, known *sketch, most int) {
	x := copies.NewIndex()
	for lo, hi := 0, 0; lo < len(u); lo = hi {
		hi = rangeEnd(sizes, lo, most)
		for k, list := range known.repeatedShingles(each, lo, hi) {
			for _, j := range x.Add(int(sizes[lo+k]), list) { // joins commute: the order does not matter
				u.join(lo+k, j)
			}
		}
	}
}

// shinglesAtATime is how many shingles are held, given how many each text has.
func shinglesAtATime(sizes []int32) int {
	all := 0
	for _, n := range sizes {
		all += int(n)
	}
	return max(shinglesHeld, all/shinglePasses)
}

// rangeEnd returns the end of the range of texts from lo on, one at least, that
// together have at most so many shingles.
func rangeEnd(sizes []int32, lo, most int) int {
	sum := int(sizes[lo])
	hi := lo + 1
	for hi < len(sizes) && sum+int(sizes[hi]) <= most {
		sum += int(sizes[hi])
		hi++
	}
	return hi
}

// repeatedShingles returns, for each text of a range, the shingles that other
// texts may have too.
func (s *sketch) repeatedShingles(each pass, lo, hi int) [][]model.FeatureID {
	lists := make([][]model.FeatureID, hi-lo)
	each(func(batch []numbered) {
		inParallel(len(batch), func(from, to int) {
			x := copies.NewShingler()
			for _, ex := range batch[from:to] {
				if ex.i >= lo && ex.i < hi {
					list := slices.DeleteFunc(x.Shingles(ex.Text), func(id model.FeatureID) bool { return !s.repeated(id) })
					lists[ex.i-lo] = slices.Clone(list)
				}
			}
		})
	})
	return lists
}

// A sketch tells which ids were added twice: without fail when it says that one
// was not. It is a Bloom filter (Bloom, "Space/Time Trade-offs in Hash Coding
// with Allowable Errors", 1970) with a single hash. Goroutines may add at once.
type sketch struct{ once, twice []uint64 }

// Bounds of the bits of a sketch, as powers of two.
const (
	leastSketch = 10
	mostSketch  = 32
)

// newSketch returns a sketch for the shingles of so much text: a bit a byte is
// some six a shingle.
func newSketch(bytes int) *sketch {
	words := 1 << (min(max(bits.Len(uint(bytes)), leastSketch), mostSketch) - 6)
	return &sketch{make([]uint64, words), make([]uint64, words)}
}

func (s *sketch) add(id model.FeatureID) {
	word, bit := s.place(id)
	if atomic.OrUint64(&s.once[word], bit)&bit != 0 {
		atomic.OrUint64(&s.twice[word], bit)
	}
}

// repeated reports whether id may have been added twice.
func (s *sketch) repeated(id model.FeatureID) bool {
	word, bit := s.place(id)
	return s.twice[word]&bit != 0
}

func (s *sketch) place(id model.FeatureID) (word int, bit uint64) {
	return int(id>>6) & (len(s.once) - 1), 1 << (id & 63)
}
