package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
)

// ErrNoRows is wrapped by the error for a source that has no rows.
var ErrNoRows = errors.New("no rows")

// A RowError says why one row cannot be used. Line is where the row begins.
type RowError struct {
	File string
	Line int
	Msg  string
}

func (e *RowError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// A ColumnError says that a column which is wanted is not there, and guesses
// from the first rows which ones may have been meant.
type ColumnError struct {
	File   string   // the first source, when none of several has the column
	Others int      // how many more sources lack it
	Role   string   // "text", "label", "id", "group" or "target"
	Wanted []string // names of which one at least is missed
	Have   []string // columns of File in file order, at most 20
	More   int      // columns beyond those

	TextGuess   string   // the likely text column; "" when the wanted one is there
	HeadGuesses []string // likely heads; none when a wanted one is there
}

func (e *ColumnError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Others > 0 {
		fmt.Fprintf(&b, " and %s", count(e.Others, "other file"))
	}
	fmt.Fprintf(&b, ": no %s column %s", e.Role, quoteJoin(e.Wanted, " or "))
	if len(e.Have) == 0 {
		b.WriteString("; there are no named columns")
		return b.String()
	}
	fmt.Fprintf(&b, "; the columns are %s", quoteJoin(e.Have, ", "))
	if e.More > 0 {
		fmt.Fprintf(&b, " and %d more", e.More)
	}
	return b.String()
}

// Hint returns the flags that would choose the guessed columns, one argument an
// element and not quoted for any shell. It is empty when there is no guess.
func (e *ColumnError) Hint() []string {
	var flags []string
	if e.TextGuess != "" {
		flags = append(flags, "--text-field", e.TextGuess)
	}
	for _, h := range e.HeadGuesses {
		flags = append(flags, "--head", h)
	}
	return flags
}

// fieldName is a name as messages begin with it: as it is, unless it would upset
// a terminal.
func fieldName(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

// quoteJoin quotes names, as one may hold a comma or a space.
func quoteJoin(names []string, sep string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, sep)
}

// count renders n things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// fileError names the file once: errors of the os package carry the operation
// and a path of their own.
func fileError(name string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// byteSize renders a limit as people say it.
func byteSize(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return count(n, "byte")
}
