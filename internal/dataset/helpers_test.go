package dataset

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// text returns a source whose name chooses the format.
func text(name, data string) Source { return Reader(name, strings.NewReader(data)) }

// dump reads a source and renders each row, bad row and final error on a line.
func dump(src Source, opts Options) []string {
	var lines []string
	for ex, err := range Rows(src, opts) {
		switch {
		case err == nil:
			lines = append(lines, show(ex))
		case isFinal(err):
			lines = append(lines, "final: "+err.Error())
		default:
			lines = append(lines, "bad: "+err.Error())
		}
	}
	return lines
}

func show(ex Example) string {
	s := fmt.Sprintf("%d: %q", ex.Line, ex.Text)
	for _, f := range []struct{ name, value string }{{"id", ex.ID}, {"group", ex.Group}, {"target", ex.Target}} {
		if f.value != "" {
			s += fmt.Sprintf(" %s=%s", f.name, f.value)
		}
	}
	for _, l := range ex.Labels {
		s += " [" + l + "]"
	}
	return s
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	g, w := strings.Join(got, "\n"), strings.Join(want, "\n")
	if g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// columnError returns the *ColumnError that reading ends with.
func columnError(t *testing.T, err error) *ColumnError {
	t.Helper()
	ce, ok := errors.AsType[*ColumnError](err)
	if !ok {
		t.Fatalf("got error %v, want a *ColumnError", err)
	}
	return ce
}

// lastError returns the final error of a source.
func lastError(src Source, opts Options) error {
	var last error
	for _, err := range Rows(src, opts) {
		last = err
	}
	return last
}
