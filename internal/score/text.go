package score

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxCounted is how many labels of a head are counted for people.
const maxCounted = 20

// WriteText writes the counts for people, a line for all errors and one a head.
func (s *Summary) WriteText(w io.Writer) {
	if s.Errors > 0 {
		fmt.Fprintf(w, "  errors: %s\n", renderCounts(s.Kinds))
	}
	for _, h := range s.Heads {
		fmt.Fprintf(w, "  %s: %s\n", h.Head, renderHead(h))
	}
}

func renderHead(h HeadCount) string {
	var parts []string
	if len(h.Labels) > 0 {
		parts = append(parts, renderCounts(h.Labels))
	}
	if len(h.Abstained) > 0 {
		parts = append(parts, "no label: "+renderCounts(h.Abstained))
	}
	return strings.Join(parts, "; ")
}

// renderCounts lists counts, the largest first.
func renderCounts(counts map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names[:min(len(names), maxCounted)] {
		parts = append(parts, name+" "+Thousands(counts[name]))
	}
	if more := len(names) - maxCounted; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// RowCount is a number of rows in words: "1 row", "1,234 rows".
func RowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return Thousands(n) + " rows"
}

// Thousands writes 1234567 as 1,234,567.
func Thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
