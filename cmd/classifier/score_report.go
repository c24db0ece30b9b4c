package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/score"
)

// renderSummary says what a run has written; rows of them in the given time, the
// others before.
func renderSummary(w io.Writer, s score.Summary, rows int64, took time.Duration) {
	if s.Rows == 0 {
		return
	}
	fmt.Fprintf(w, "classifier: %s%s\n", score.RowCount(s.Rows), renderPace(s, rows, took))
	s.WriteText(w)
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
		which = fmt.Sprintf(", %s of them now", score.Thousands(rows))
	}
	if rows < enough {
		return which
	}
	return fmt.Sprintf("%s in %.1fs, %s a second", which, took.Seconds(), score.RowCount(perSecond(rows, took)))
}

func perSecond(n int64, took time.Duration) int64 {
	return int64(float64(n) / max(took.Seconds(), 1e-3))
}
