package main

import (
	"fmt"
	"io"
)

// A progress is one line on a terminal, written over as work is done. Elsewhere
// it is silent.
type progress struct {
	w    io.Writer // nil when silent
	what string
	last int // percentage shown
}

func newProgress(w io.Writer, what string) *progress {
	if !isTerminal(w) {
		w = nil
	}
	return &progress{w: w, what: what, last: -1}
}

// update shows that done of total steps are done.
func (p *progress) update(done, total int) {
	if percent := 100 * done / max(total, 1); p.w != nil && percent != p.last {
		p.last = percent
		fmt.Fprintf(p.w, "\r%s: %d%%", p.what, percent)
	}
}

// clear removes the line.
func (p *progress) clear() {
	if p.w != nil && p.last >= 0 {
		fmt.Fprintf(p.w, "\r%*s\r", len(p.what)+6, "")
	}
}
