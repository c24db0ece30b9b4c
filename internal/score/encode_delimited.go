package score

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
)

// delimitedEncoder writes CSV and TSV: RFC 4180 with a header row, "\n" at the
// end of lines, and quotes only where they are needed. The columns are
//
//	id
//	HEAD_label, HEAD_probability, HEAD_decision        of every head, and where it has them
//	HEAD_scores, HEAD_target_weights, HEAD_label_set, HEAD_evidence
//	tokens, known_tokens, truncated, revision
//	error_code, error_message                          of rows without an answer
//	the columns of the input, and more_columns when others may come
//
// Scores, sets, evidence and more_columns hold JSON, spelled as in JSONL. A
// column of the input has its own name, with "input." before it when that is
// taken. What a row does not have is empty.
type delimitedEncoder struct {
	comma  byte
	layout Layout
	heads  []*Prediction // of the row at hand, in the order of the layout
	cell   []byte
	extra  []dataset.Value
}

func newDelimitedEncoder(comma byte, l Layout) *delimitedEncoder {
	return &delimitedEncoder{comma: comma, layout: l, heads: make([]*Prediction, len(l.Heads))}
}

func (e *delimitedEncoder) Header() []byte {
	var b []byte
	for i, name := range e.layout.Names() {
		if i > 0 {
			b = append(b, e.comma)
		}
		b = appendCell(b, name, e.comma)
	}
	return append(b, '\n')
}

// Names returns the names of the columns that a row has in a table.
func (l Layout) Names() []string {
	names := []string{"id"}
	for _, h := range l.Heads {
		names = append(names, h.Name+"_label", h.Name+"_probability", h.Name+"_decision")
		for _, c := range []struct {
			has  bool
			name string
		}{{h.Scores, "_scores"}, {h.Targets, "_target_weights"}, {h.Sets, "_label_set"}, {l.Evidence, "_evidence"}} {
			if c.has {
				names = append(names, h.Name+c.name)
			}
		}
	}
	names = append(names, "tokens", "known_tokens", "truncated", "revision", "error_code", "error_message")
	for _, name := range l.Columns {
		names = append(names, freeName(names, name))
	}
	if l.More {
		names = append(names, freeName(names, "more_columns"))
	}
	return names
}

// freeName returns the name that a column of the input has in the output.
func freeName(taken []string, name string) string {
	for slices.Contains(taken, name) {
		name = "input." + name
	}
	return name
}

func (e *delimitedEncoder) Append(dst []byte, r *Row) ([]byte, error) {
	if err := r.check(e.layout.Evidence); err != nil {
		return dst, err
	}
	if err := e.place(r); err != nil {
		return dst, err
	}
	b := appendCell(dst, r.ID, e.comma)
	for i, p := range e.heads {
		b = e.appendHead(b, &e.layout.Heads[i], p)
	}
	b = e.appendInput(b, r)
	if r.Err != nil {
		b = e.append(e.append(b, r.Err.Code), r.Err.Message)
	} else {
		b = append(b, e.comma, e.comma)
	}
	return append(e.appendColumns(b, r.Columns), '\n'), nil
}

// place puts the predictions of a row into the order of the layout.
func (e *delimitedEncoder) place(r *Row) error {
	clear(e.heads)
	for i := range r.Predictions {
		p := &r.Predictions[i]
		h := i
		if h >= len(e.heads) || e.layout.Heads[h].Name != p.Head {
			if h = e.layout.head(p.Head); h < 0 {
				return fmt.Errorf("row %q has a head %q that the header does not have", r.ID, p.Head)
			}
		}
		e.heads[h] = p
	}
	return nil
}

// appendHead appends the cells of a head; p is nil when the row has no answer.
func (e *delimitedEncoder) appendHead(b []byte, h *HeadLayout, p *Prediction) []byte {
	if p == nil {
		p = &Prediction{}
		b = append(b, e.comma, e.comma, e.comma)
	} else {
		b = e.append(b, p.Label)
		b = appendFloat(append(b, e.comma), p.Probability)
		b = e.append(b, p.Decision)
	}
	if h.Scores {
		b = e.appendJSON(b, p.Scores != nil, func(cell []byte) []byte { return appendScores(cell, p.Scores) })
	}
	if h.Targets {
		b = e.append(b, p.TargetWeights)
	}
	if h.Sets {
		b = e.appendJSON(b, p.LabelSet != nil, func(cell []byte) []byte { return appendStrings(cell, p.LabelSet) })
	}
	if e.layout.Evidence {
		b = e.appendJSON(b, p.Decision != "", func(cell []byte) []byte { return appendEvidence(cell, p.Evidence) })
	}
	return b
}

func (e *delimitedEncoder) appendInput(b []byte, r *Row) []byte {
	if r.Err != nil {
		return append(b, e.comma, e.comma, e.comma, e.comma)
	}
	b = strconv.AppendInt(append(b, e.comma), int64(r.Input.Tokens), 10)
	b = strconv.AppendInt(append(b, e.comma), int64(r.Input.KnownTokens), 10)
	b = strconv.AppendBool(append(b, e.comma), r.Input.Truncated)
	return e.append(b, r.Revision)
}

// appendColumns appends the columns of the input. They mostly come in the order
// of the layout.
func (e *delimitedEncoder) appendColumns(b []byte, columns []dataset.Value) []byte {
	for i, name := range e.layout.Columns {
		if i >= len(columns) || columns[i].Name != name {
			i = slices.IndexFunc(columns, func(v dataset.Value) bool { return v.Name == name })
		}
		if i < 0 {
			b = append(b, e.comma)
		} else {
			b = e.append(b, plainText(columns[i]))
		}
	}
	if e.layout.More {
		e.extra = e.extra[:0]
		for _, v := range columns {
			if !slices.Contains(e.layout.Columns, v.Name) {
				e.extra = append(e.extra, v)
			}
		}
		b = e.appendJSON(b, len(e.extra) > 0, func(cell []byte) []byte { return appendObject(cell, e.extra) })
	}
	return b
}

// plainText is a value without JSON around it: the inside of a string, nothing
// for null.
func plainText(v dataset.Value) string {
	switch {
	case !v.JSON:
		return v.Text
	case v.Text == "null":
		return ""
	case v.Text[0] != '"':
		return v.Text
	case strings.IndexByte(v.Text, '\\') < 0:
		return v.Text[1 : len(v.Text)-1]
	}
	var s string
	if err := json.Unmarshal([]byte(v.Text), &s); err != nil {
		return v.Text
	}
	return s
}

// append appends the separator and a cell.
func (e *delimitedEncoder) append(b []byte, cell string) []byte {
	return appendCell(append(b, e.comma), cell, e.comma)
}

// appendJSON appends the separator and what write makes, if the row has it.
func (e *delimitedEncoder) appendJSON(b []byte, has bool, write func([]byte) []byte) []byte {
	b = append(b, e.comma)
	if !has {
		return b
	}
	e.cell = write(e.cell[:0])
	return appendCell(b, e.cell, e.comma)
}

// appendCell appends one cell, in quotes when a reader could take it for
// anything else than what it is.
func appendCell[T string | []byte](b []byte, cell T, comma byte) []byte {
	if !needsQuotes(cell, comma) {
		return append(b, cell...)
	}
	b = append(b, '"')
	from := len(b)
	b = append(b, cell...)
	if n := bytes.Count(b[from:], []byte{'"'}); n > 0 {
		b = doubleQuotes(b, from, n)
	}
	return append(b, '"')
}

// needsQuotes reports whether a cell holds a separator, a quote or a line break,
// or white space at an end that a reader may drop.
func needsQuotes[T string | []byte](cell T, comma byte) bool {
	if len(cell) == 0 {
		return false
	}
	if first, last := cell[0], cell[len(cell)-1]; first == ' ' || last == ' ' {
		return true
	}
	for i := range len(cell) {
		switch cell[i] {
		case comma, '"', '\n', '\r':
			return true
		}
	}
	return false
}

// doubleQuotes doubles the n quotes in b[from:], from behind.
func doubleQuotes(b []byte, from, n int) []byte {
	b = append(b, make([]byte, n)...)
	to := len(b)
	for i := to - n - 1; i >= from; i-- {
		to--
		b[to] = b[i]
		if b[i] == '"' {
			to--
			b[to] = '"'
		}
	}
	return b
}
