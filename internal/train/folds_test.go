package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/copies"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

const (
	fox    = "the quick brown fox jumps over the lazy dog near the old river bank"
	fox2   = "the quick brown fox jumps over the lazy dog near the old river mill"
	fox3   = "a quick brown fox jumps over the lazy dog near the old river mill"
	summit = "the leaders met at an air base and left without signing anything at all"
)

func TestGroups(t *testing.T) {
	of := func(group, text string) dataset.Example { return dataset.Example{Group: group, Text: text} }
	for _, c := range []struct {
		name     string
		examples []dataset.Example
		want     []int
	}{
		{"nothing in common", texts(fox, summit), []int{0, 1}},
		{"no group is no group", texts("one", "two", "three"), []int{0, 1, 2}},
		{"the same group", []dataset.Example{of("a", fox), of("b", "x"), of("a", summit)}, []int{0, 1, 0}},
		{"equal texts", texts(fox, summit, fox), []int{0, 1, 0}},
		{"equal short texts", texts("no", "yes", "no"), []int{0, 1, 0}},
		{"near-duplicates", texts(fox, summit, fox2), []int{0, 1, 0}},
		{"another case and other marks", texts(fox, "The quick, brown fox jumps over the lazy dog -- near the old river bank."), []int{0, 0}},
		{"a quotation in a longer text", texts(fox, fox+" "+summit+" "+summit+" said the speaker"), []int{0, 1}},
		{"a chain of near-duplicates", texts(fox, fox2, fox3), []int{0, 0, 0}},
		{"a copy joins two groups", []dataset.Example{of("a", fox), of("a", "x"), of("b", "y"), of("b", fox2), of("c", "z")}, []int{0, 0, 0, 0, 1}},
		{"texts without words", texts("...", "---", "..."), []int{0, 1, 0}},
	} {
		if got := groups(c.examples); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// Half of the word triples of both texts must be shared: n words in a row that
// differ leave the rest.
func TestNearDuplicatesShareHalfOfTheirShingles(t *testing.T) {
	words := func(prefix string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprint(&b, prefix, i, " ")
		}
		return b.String()
	}
	for _, c := range []struct {
		same, other int
		want        bool
	}{{22, 10, true}, {22, 11, false}} { // 20 shared triples of 20 + 10 + 10, or of 20 + 11 + 11
		got := groups(texts(words("w", c.same)+words("a", c.other), words("w", c.same)+words("b", c.other)))
		if joined := got[0] == got[1]; joined != c.want {
			t.Errorf("%d words of which %d are the same: joined %t, want %t", c.same+c.other, c.same, joined, c.want)
		}
	}
}

func TestManyCopiesAreOneSource(t *testing.T) {
	var list []string
	for i := range 5 * copies.Common {
		list = append(list, fmt.Sprintf("%s number%d", fox, i))
	}
	if got := slices.Max(groups(texts(list...))) + 1; got != 1 {
		t.Errorf("got %d sources, want 1", got)
	}
}

// partition renders components as sets of texts, whatever their numbers.
func partition(examples []dataset.Example) []string {
	sets := map[int][]string{}
	for i, c := range groups(examples) {
		sets[c] = append(sets[c], examples[i].Text)
	}
	var list []string
	for _, s := range sets {
		slices.Sort(s)
		list = append(list, strings.Join(s, "|"))
	}
	slices.Sort(list)
	return list
}

func TestGroupsDoNotDependOnOrder(t *testing.T) {
	examples := append(generated(3, 60), texts(fox, fox2, fox3, summit, fox, "no", "no")...)
	want := partition(examples)
	for seed := range uint64(50) {
		if got := partition(shuffled(examples, seed)); !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %q, want %q", seed, got, want)
		}
	}
}

func TestComponentsAreNumberedInOrder(t *testing.T) {
	next := 0
	for i, c := range groups(shuffled(generated(4, 80), 1)) {
		if c > next {
			t.Fatalf("example %d has component %d before any has %d", i, c, next)
		}
		next = max(next, c+1)
	}
}

// dealt returns components of random sizes and labels of two heads, some of
// them missing.
func dealt(rng *rand.Rand, n, largest int) (component []int, labels [][]int) {
	labels = make([][]int, 2)
	for c := 0; len(component) < n; c++ {
		for range 1 + rng.IntN(largest) {
			component = append(component, c)
			labels[0] = append(labels[0], rng.IntN(4))
			labels[1] = append(labels[1], rng.IntN(3)-1)
		}
	}
	return component, labels
}

func TestFoldsKeepComponentsTogether(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for deal := range uint64(100) {
		component, labels := dealt(rng, 20+rng.IntN(100), 6)
		k := 2 + rng.IntN(4)
		fold := folds(component, labels, k, deal)
		of, used := map[int]int{}, map[int]bool{}
		for i, c := range component {
			if f, ok := of[c]; ok && f != fold[i] {
				t.Fatalf("component %d is in folds %d and %d", c, f, fold[i])
			}
			of[c], used[fold[i]] = fold[i], true
		}
		if len(used) != k {
			t.Fatalf("%d components in %d folds, want %d", len(of), len(used), k)
		}
	}
}

func TestFoldsShareLabelsEvenly(t *testing.T) {
	const k = 5
	rng := rand.New(rand.NewPCG(13, 14))
	for deal, largest := range []int{1, 4, 1, 4} {
		component, labels := dealt(rng, 400, largest)
		fold := folds(component, labels, k, uint64(deal))
		for h, of := range labels {
			counts, totals := map[[2]int]int{}, map[int]int{}
			for i, l := range of {
				counts[[2]int{fold[i], l}]++
				totals[l]++
			}
			for l, n := range totals {
				for f := range k {
					even := float64(n) / k
					if got := counts[[2]int{f, l}]; l >= 0 && math.Abs(float64(got)-even) > 2+0.05*even {
						t.Errorf("components up to %d: fold %d has %d of head %d's label %d, want about %.1f", largest, f, got, h, l, even)
					}
				}
			}
		}
	}
}

func TestSplitUsesNoMoreFoldsThanSources(t *testing.T) {
	for _, c := range []struct {
		groups, k, want int
	}{{1, 5, 0}, {2, 5, 2}, {3, 0, 3}, {9, 0, 5}, {9, 4, 4}} {
		var examples []dataset.Example
		for i, ex := range generated(5, 30) {
			ex.Group = fmt.Sprint(i % c.groups)
			examples = append(examples, ex)
		}
		cfg := quick()
		cfg.Folds = c.k
		_, r := mustTrain(t, examples, twoHeads, cfg)
		if r.Folds != c.want || r.Sources != c.groups {
			t.Errorf("%d sources, %d folds asked for: got %d folds and %d sources, want %d folds", c.groups, c.k, r.Folds, r.Sources, c.want)
		}
	}
}

func TestAnotherDealIsAnother(t *testing.T) {
	component, labels := dealt(rand.New(rand.NewPCG(21, 22)), 100, 3)
	first := folds(component, labels, 5, 1)
	if again := folds(component, labels, 5, 1); !slices.Equal(first, again) {
		t.Error("the same deal differs")
	}
	if second := folds(component, labels, 5, 2); slices.Equal(first, second) {
		t.Error("two deals are the same")
	}
}

func TestKnownWords(t *testing.T) {
	c, err := newCorpus(context.Background(), texts("red red green", "red blue", "blue @green", "grey", "?!"), model.Features{Words: 2})
	if err != nil {
		t.Fatal(err)
	}
	fold := []int{0, 0, 1, 1, 1}
	for i, want := range []struct {
		share float64
		known bool
	}{{0, false}, {0.5, true}, {1, true}, {0, false}, {1, false}} { // of the first fold the second knows blue; a mention is no word
		share, known := c.knownWords(c.seenBy(func(j int) bool { return fold[j] != fold[i] }), c.docs[i])
		if share != want.share || known != want.known {
			t.Errorf("text %d: got %v, %t, want %v, %t", i, share, known, want.share, want.known)
		}
	}
}

func TestUnionFindIsTheSameForAnyOrderOfJoins(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	pairs := [][2]int{{0, 5}, {5, 3}, {8, 9}, {9, 2}, {7, 7}, {3, 1}}
	want := []int{0, 0, 2, 0, 4, 0, 6, 7, 2, 2}
	for range 50 {
		u := unionFind{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		for _, p := range rng.Perm(len(pairs)) {
			u.join(pairs[p][0], pairs[p][1])
		}
		got := make([]int, len(u))
		for i := range got {
			got[i] = u.find(i)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got roots %v, want %v", got, want)
		}
	}
}
