package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
)

// KeepAll in Options.Keep stands for every column that the text and the id are
// not taken from.
const KeepAll = "*"

// A Value is what a row has in a column that is carried along.
type Value struct {
	Name string
	Text string // a JSON value in its spelling, or the text of a CSV field
	JSON bool   // Text is JSON
}

// errKeepAll is the error for more columns than can be carried along.
var errKeepAll = errors.New("not all columns can be kept: " + count(maxColumns, "column") + " of names up to " + count(maxName, "byte") + " are the most")

// keepNamed makes the columns that are to be carried along.
func (r *reader) keepNamed(names []string) {
	for _, name := range names {
		if name == KeepAll {
			r.table.keepAll = true
			continue
		}
		c := r.table.want(name)
		if slices.Contains(r.kept, c) {
			continue
		}
		r.kept = append(r.kept, c)
		r.named = append(r.named, namedColumn{keptRole, c})
	}
}

// keep returns what the row at hand has in the columns that are carried along:
// first those that are named, then the others in the order of the row.
func (r *reader) keep() []Value {
	if len(r.kept) == 0 && !r.table.keepAll {
		return nil
	}
	values := make([]Value, 0, len(r.kept)+len(r.table.members))
	for _, c := range r.kept {
		if c.row == r.table.row {
			values = append(values, c.keep())
		}
	}
	for _, c := range r.table.members {
		if r.others(c) {
			values = append(values, c.keep())
		}
	}
	return values
}

// others reports whether a column is one that KeepAll adds.
func (r *reader) others(c *column) bool {
	return c.name != "" && c != r.text && c != r.id && !slices.Contains(r.kept, c)
}

// keep returns the column's value. Arrays and objects lose their white space:
// some readers take the "\r" that it may hold for the end of a line.
func (c *column) keep() Value {
	v := Value{Name: c.name, JSON: c.value.kind != plain}
	if c.value.kind == jsonArray || c.value.kind == jsonObject {
		var b bytes.Buffer
		if json.Compact(&b, c.value.raw) == nil {
			v.Text = b.String()
			return v
		}
	}
	v.Text = string(c.value.raw)
	return v
}

// KeptColumns returns the names of the columns that rows of the sources will
// carry along, in the order in which the sources have them. With KeepAll it
// looks at the beginning of each source; more is true when rows further down
// may have others, as in JSONL. Standard input can be read from its beginning
// afterwards.
func KeptColumns(srcs []Source, opts Options) (names []string, more bool, err error) {
	for _, name := range opts.Keep {
		if name != KeepAll && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if !slices.Contains(opts.Keep, KeepAll) {
		return names, false, nil
	}
	for _, src := range srcs {
		r, err := open(src.ahead(), opts)
		if errors.Is(err, ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		more = more || !r.header
		for _, c := range r.first() {
			if r.others(c) && !slices.Contains(names, c.name) {
				names = append(names, c.name)
			}
		}
		r.close()
	}
	return names, more, nil
}

// first returns the columns that the first rows have.
func (r *reader) first() []*column {
	for i := 0; i < surveyRows && !r.header; i++ {
		if err := r.dec.next(&r.table); err == io.EOF || isFinal(err) {
			break // what is wrong is said when the rows are read
		}
	}
	return r.table.order
}

// ahead returns the source for a look at its beginning.
func (s Source) ahead() Source {
	if s.stream != nil {
		s.open = s.stream.ahead
	}
	return s
}

// A stream is a reader that can be read once, apart from looks at its beginning.
type stream struct {
	r    io.Reader
	seen bytes.Buffer
}

func (s *stream) ahead() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(bytes.NewReader(s.seen.Bytes()), io.TeeReader(s.r, &s.seen))), nil
}

func (s *stream) open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(&s.seen, s.r)), nil
}
