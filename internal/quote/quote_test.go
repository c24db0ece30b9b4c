package quote

import (
	"slices"
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: `"x"`, 2: `"x", "x"`, 20: `"x"` + strings.Repeat(`, "x"`, 19), 25: `"x"` + strings.Repeat(`, "x"`, 19) + " and 5 more"} {
		if got := List(slices.Repeat([]string{"x"}, n)); got != want {
			t.Errorf("%d names: got %s, want %s", n, got, want)
		}
	}
}
