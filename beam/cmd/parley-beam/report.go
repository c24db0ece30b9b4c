package main

import (
	"fmt"
	"io"
	"path"
	"time"

	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// renderSummary says what a job has done.
func renderSummary(w io.Writer, s score.Summary, took time.Duration) {
	pace := int64(float64(s.Rows) / max(took.Seconds(), 1e-3))
	fmt.Fprintf(w, "parley-beam: %s in %.1fs, %s a second\n", score.RowCount(s.Rows), took.Seconds(), score.RowCount(pace))
	s.WriteText(w)
}

// titleOf is what a page about these files is called, as classifier calls it.
func titleOf(files []string) string {
	if len(files) == 1 {
		return path.Base(place.Bare(files[0]))
	}
	return fmt.Sprintf("%s and %d more", path.Base(place.Bare(files[0])), len(files)-1)
}
