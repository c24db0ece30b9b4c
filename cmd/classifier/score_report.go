package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/score"
)

// maxCounted is how many labels of a head are counted on standard error.
const maxCounted = 20

// renderSummary says what a run has written; rows of them in the given time, the
// others before.
func renderSummary(w io.Writer, s score.Summary, rows int64, took time.Duration) {
	if s.Rows == 0 {
		return
	}
	fmt.Fprintf(w, "classifier: %s%s\n", rowCount(s.Rows), renderPace(s, rows, took))
	if s.Errors > 0 {
		fmt.Fprintf(w, "  errors: %s\n", renderCounts(s.Kinds))
	}
	for _, h := range s.Heads {
		fmt.Fprintf(w, "  %s: %s\n", h.Head, renderHead(h))
	}
	if len(s.Revisions) > 1 {
		fmt.Fprintf(w, "  answered by several revisions: %s\n", strings.Join(s.Revisions, ", "))
	}
}

// enough is how many rows a rate is worth saying of.
const enough = 1000

// renderPace says how many rows were written in this run, and how fast.
func renderPace(s score.Summary, rows int64, took time.Duration) string {
	which := ""
	if rows > 0 && rows < s.Rows {
		which = fmt.Sprintf(", %s of them now", thousands(rows))
	}
	if rows < enough {
		return which
	}
	return fmt.Sprintf("%s in %.1fs, %s a second", which, took.Seconds(), rowCount(perSecond(rows, took)))
}

func renderHead(h score.HeadCount) string {
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
		parts = append(parts, name+" "+thousands(counts[name]))
	}
	if more := len(names) - maxCounted; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

func rowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return thousands(n) + " rows"
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func perSecond(n int64, took time.Duration) int64 {
	return int64(float64(n) / max(took.Seconds(), 1e-3))
}
