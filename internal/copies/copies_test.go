package copies_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/copies"
)

// words are texts of n different words, the first of number from.
func words(from, n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("w%d", from+i))
	}
	return strings.Join(list, " ")
}

// TestIndex: texts are alike from a half of their shingles on.
func TestIndex(t *testing.T) {
	x, s := copies.NewIndex(), copies.NewShingler()
	add := func(text string) []int {
		list := s.Shingles(text)
		got := x.Add(len(list), list)
		slices.Sort(got)
		return got
	}
	for i, c := range []struct {
		text string
		want []int
	}{
		{words(0, 12), nil},      // 10 shingles
		{words(3, 12), []int{0}}, // 7 of 13 are shared
		{words(4, 12), []int{1}}, // with the first 6 of 14, with the second 9 of 11
		{strings.ToUpper(words(0, 12)), []int{0, 1}},
		{"w0 w1", nil}, {"w0 w1", nil}, // no shingles: like none
		{"", nil},
		{words(100, 3), nil},
		{words(100, 3), []int{7}},
	} {
		if got := add(c.text); !slices.Equal(got, c.want) {
			t.Errorf("text %d: alike are %v, want %v", i, got, c.want)
		}
	}
	list := s.Shingles(words(100, 3))
	if got := x.Find(len(list), list); len(got) != 2 {
		t.Errorf("found %v: want 2 texts", got)
	}
}

// TestIndexOfManyCopies: a phrase that very many have leads back to the latest.
func TestIndexOfManyCopies(t *testing.T) {
	x, s := copies.NewIndex(), copies.NewShingler()
	list := slices.Clone(s.Shingles(words(0, 12)))
	for i := range 3 * copies.Common {
		alike := x.Add(len(list), list)
		if want := min(i, copies.Common); len(alike) != want || i > 0 && slices.Max(alike) != i-1 {
			t.Fatalf("copy %d: %d alike, want the latest %d", i, len(alike), want)
		}
	}
}
