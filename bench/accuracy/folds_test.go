package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What NumPy 1.24.2 draws, recorded.
func TestMersenneTwister(t *testing.T) {
	for _, c := range []struct {
		seed uint32
		want map[int]uint32 // by position
	}{
		{0, map[int]uint32{0: 2357136044, 1: 2546248239, 2: 3071714933, 623: 3791854820, 624: 341544762, 1999: 3856691381}},
		{4294967295, map[int]uint32{0: 419326371, 1: 479346978, 2: 3918654476}},
	} {
		rng := newMersenneTwister(c.seed)
		for i := range 2000 {
			got := rng.uint32()
			if want, ok := c.want[i]; ok && got != want {
				t.Errorf("seed %d: word %d: got %d, want %d", c.seed, i, got, want)
			}
		}
	}
}

// RandomState(0) shuffles range(10), then range(17).
func TestShuffle(t *testing.T) {
	rng := newMersenneTwister(0)
	for _, want := range [][]int{
		{2, 8, 4, 9, 1, 6, 7, 3, 0, 5},
		{5, 2, 3, 16, 11, 0, 9, 12, 15, 14, 1, 10, 13, 8, 6, 7, 4},
	} {
		got := slices.Clone(want)
		slices.Sort(got)
		if rng.shuffle(got); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// digits writes folds as one digit each.
func digits(folds []int) string {
	var b strings.Builder
	for _, f := range folds {
		fmt.Fprint(&b, f)
	}
	return b.String()
}

// The folds are those of scikit-learn 1.2.1, recorded.
func TestStratifiedFolds(t *testing.T) {
	for _, c := range []struct {
		labels string // one character each
		k      int
		want   string
	}{
		{"abababababababababab", 10, "23854192196870360754"},
		{"aaaaaaaaaaaaaaabbbc", 3, "0111200221200122010"},
		{"zyxzyxzyxzzzz", 3, "2220010101021"},
		{"aaaaaaaaaa", 10, "2849167305"},
		{"bcabbacbcaabbbacccabcbaab", 7, "1345221623303416500140652"},
		{
			"ebebddcdeeecdebededddeeeeeeaaeeedcededdaecbbedaecdcdeeeeadcddcbbceeedceeeecedddbbeceeedaeebedcddceddaceedceebadbeeddbacc",
			10,
			"540068135669878678893122665469097435395859504093746084817453907902511737273072691248410547242621234533176890622309118185",
		},
	} {
		got, err := stratifiedFolds(strings.Split(c.labels, ""), c.k)
		if err != nil || digits(got) != c.want {
			t.Errorf("%s in %d folds: got %s, %v, want %s", c.labels, c.k, digits(got), err, c.want)
		}
	}
}

// The same for as many rows as a whole set has, by the SHA-256 of the digits.
func TestStratifiedFoldsOfManyRows(t *testing.T) {
	var labels []string
	for i := range 10662 {
		switch {
		case (i*i+31*i)%11 < 4:
			labels = append(labels, "pos")
		case i%3 != 0:
			labels = append(labels, "neg")
		default:
			labels = append(labels, "none")
		}
	}
	folds, err := stratifiedFolds(labels, 10)
	if err != nil {
		t.Fatal(err)
	}
	const want = "e6862ad4cab12e15bfcc38dce464b682c427d6f320ffa155f10d017e8612f8fc"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(digits(folds)))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTooFewRowsForFolds(t *testing.T) {
	for _, labels := range [][]string{nil, {"a", "b", "a"}} {
		if folds, err := stratifiedFolds(labels, 3); err == nil {
			t.Errorf("%v: got %v, want an error", labels, folds)
		}
	}
	if _, err := stratifiedFolds([]string{"a", "b", "a", "a"}, 3); err != nil {
		t.Error(err) // a label with fewer rows than folds will do beside one with enough
	}
}
