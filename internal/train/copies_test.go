package train

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/copies"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// plainly is what joinNearDuplicates shall do, without a sketch or ranges.
func plainly(examples []dataset.Example) unionFind {
	u := newUnionFind(len(examples))
	x, sizes := copies.NewShingler(), make([]int, len(examples))
	holders, first := map[model.FeatureID][]int{}, map[string]int{}
	for i, ex := range examples {
		list := x.Shingles(ex.Text)
		sizes[i] = len(list)
		shared := map[int]int{}
		for _, s := range list {
			for _, j := range holders[s][max(0, len(holders[s])-copies.Common):] {
				shared[j]++
			}
			holders[s] = append(holders[s], i)
		}
		for j, n := range shared {
			if copies.Alike(n, sizes[i], sizes[j]) {
				u.join(i, j)
			}
		}
		if j, ok := first[ex.Text]; ok {
			u.join(i, j)
		} else {
			first[ex.Text] = i
		}
	}
	return u
}

func newUnionFind(n int) unionFind {
	u := make(unionFind, n)
	for i := range u {
		u[i] = i
	}
	return u
}

// phrases returns texts of a few stock phrases each, so that some are nearly the
// same and most phrases are in more texts than a shingle leads back to.
func phrases(n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(71, 72))
	var list []string
	for i := range n {
		var words []string
		for range 1 + rng.IntN(6) {
			p := rng.IntN(30)
			words = append(words, fmt.Sprintf("a%d b%d c%d d%d e%d", p, p, p, p, p))
		}
		if rng.IntN(4) == 0 {
			words = append(words, fmt.Sprint("only", i, " here", i))
		}
		list = append(list, strings.Join(words, " "))
	}
	return texts(list...)
}

func TestNearDuplicatesAreThoseOfAPlainComparison(t *testing.T) {
	for name, examples := range map[string][]dataset.Example{
		"phrases": phrases(1500), "generated": withCopies(generated(73, 200)), "corpus": paragraphs(t, 3),
	} {
		want := plainly(examples)
		each := inMemory(examples)
		for _, most := range []int{1, 100, 1 << 30} {
			got := newUnionFind(len(examples))
			sizes, known := joinEqualTexts(got, each, textBytes(examples))
			compareTexts(got, each, sizes, known, most)
			for i := range got {
				if got.find(i) != want.find(i) {
					t.Fatalf("%s, %d shingles at a time: example %d is joined with %d, want %d", name, most, i, got.find(i), want.find(i))
				}
			}
		}
	}
}

func TestRangesHoldAtMostSoManyShingles(t *testing.T) {
	sizes := []int32{3, 4, 10, 0, 0, 2, 5}
	for _, c := range []struct {
		most int
		want []int
	}{{1, []int{1, 2, 3, 5, 6, 7}}, {7, []int{2, 3, 7}}, {10, []int{2, 5, 7}}, {24, []int{7}}} {
		var got []int
		for lo := 0; lo < len(sizes); lo = got[len(got)-1] {
			got = append(got, rangeEnd(sizes, lo, c.most))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d at most: ranges end at %v, want %v", c.most, got, c.want)
		}
	}
}

// A sketch may take an id for repeated that is not, but not often.
func TestSketchKnowsWhatCameTwice(t *testing.T) {
	rng := rand.New(rand.NewPCG(74, 75))
	s := newSketch(60000)
	ids := make([]model.FeatureID, 10000)
	for i := range ids {
		ids[i] = model.FeatureID(rng.Uint64())
		s.add(ids[i])
	}
	for _, id := range ids[:1000] {
		s.add(id)
	}
	wrong := 0
	for i, id := range ids {
		if i < 1000 && !s.repeated(id) {
			t.Fatalf("id %d was added twice and is not said to be", i)
		}
		if i >= 1000 && s.repeated(id) {
			wrong++
		}
	}
	if wrong > 2000 {
		t.Errorf("%d of 9000 ids added once are said to be repeated", wrong)
	}
}
