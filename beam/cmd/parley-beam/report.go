package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/score"
)

// maxCounted is how many labels of a head are counted on standard error.
const maxCounted = 20

// renderSummary says what a job has done.
func renderSummary(w io.Writer, s score.Summary, took time.Duration) {
	pace := int64(float64(s.Rows) / max(took.Seconds(), 1e-3))
	fmt.Fprintf(w, "parley-beam: %s in %.1fs, %s a second\n", rowCount(s.Rows), took.Seconds(), rowCount(pace))
	if s.Errors > 0 {
		fmt.Fprintf(w, "  errors: %s\n", renderCounts(s.Kinds))
	}
	for _, h := range s.Heads {
		var parts []string
		if len(h.Labels) > 0 {
			parts = append(parts, renderCounts(h.Labels))
		}
		if len(h.Abstained) > 0 {
			parts = append(parts, "no label: "+renderCounts(h.Abstained))
		}
		fmt.Fprintf(w, "  %s: %s\n", h.Head, strings.Join(parts, "; "))
	}
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

// titleOf is what a page about these files is called, as classifier calls it.
func titleOf(files []string) string {
	if len(files) == 1 {
		return path.Base(files[0])
	}
	return fmt.Sprintf("%s and %d more", path.Base(files[0]), len(files)-1)
}
