package main

import (
	"errors"
	"fmt"
	"io"
)

// A report prints figures, and keeps count of broken promises.
type report struct {
	out    io.Writer
	kept   int
	broken int
}

// title begins a part.
func (r *report) title(format string, args ...any) {
	fmt.Fprintf(r.out, "\n== "+format+"\n", args...)
}

// figure prints what nothing is promised about.
func (r *report) figure(name, format string, args ...any) {
	fmt.Fprintf(r.out, "      %-34s %s\n", name, fmt.Sprintf(format, args...))
}

// promise prints whether a promise was kept.
func (r *report) promise(kept bool, name, format string, args ...any) {
	word := "PASS"
	if kept {
		r.kept++
	} else {
		word = "FAIL"
		r.broken++
	}
	fmt.Fprintf(r.out, "%s  %-34s %s\n", word, name, fmt.Sprintf(format, args...))
}

// verdict is an error when a promise was broken, or none was put to the test.
func (r *report) verdict() error {
	switch {
	case r.broken > 0:
		return fmt.Errorf("FAIL: %d of %d promises were broken", r.broken, r.broken+r.kept)
	case r.kept == 0:
		return errors.New("FAIL: no promise was put to the test")
	}
	fmt.Fprintf(r.out, "\nPASS: %d promises were kept\n", r.kept)
	return nil
}
