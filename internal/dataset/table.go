package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

const (
	surveyRows  = 100  // rows that guesses about columns are made from
	maxColumns  = 1000 // columns remembered: JSONL keys could be without end,
	maxName     = 256  // each named with at most so many bytes, or asked for
	maxLabel    = 256  // bytes
	maxListed   = 20   // columns that an error or warning lists
	guessValues = 50   // a head has at most so many distinct values,
	guessBytes  = 64   // each at most so long
)

// A kind is what a value is in its file. Fields of CSV and TSV are plain, the
// rest is JSON, still in its spelling.
type kind int

const (
	plain kind = iota
	jsonString
	jsonNumber
	jsonBool
	jsonNull
	jsonArray
	jsonObject
)

func (k kind) String() string {
	return [...]string{"text", "string", "number", "boolean", "null", "array", "object"}[k]
}

// A value is one field of the row at hand. Its bytes are valid until the next
// row is read.
type value struct {
	kind kind
	raw  []byte
}

// A column is one that is wanted, or that the file has, or both.
type column struct {
	name   string
	wanted bool
	has    bool // the file has it
	row    int  // number of the last row with a value, from 1
	value  value

	// From the first rows, for guesses:
	texts    int // values that could be a text,
	bytes    int // and their bytes
	distinct map[string]bool
	notHead  bool // a value is too long or no label at all, or they are too many
}

// A table is the columns of one source and the row at hand.
type table struct {
	row    int // number of the row at hand, good or bad, from 1
	line   int // where it begins
	byName map[string]*column
	order  []*column // those the file has, in the order it has them

	keepAll bool      // all columns are carried along,
	members []*column // those of the row at hand then, in its order
}

// begin starts the next row.
func (t *table) begin(line int) {
	t.row++
	t.line = line
	t.members = t.members[:0]
}

// set gives the column its value in the row at hand.
func (t *table) set(c *column, v value) {
	c.row, c.value = t.row, v
	if t.keepAll {
		t.members = append(t.members, c)
	}
}

// want returns the column with that name, before the file has shown any.
func (t *table) want(name string) *column {
	c := t.byName[name]
	if c == nil {
		c = &column{name: name, wanted: true}
		t.byName[name] = c
	}
	return c
}

// column returns the column of that name, which the file is now known to have,
// or nil if it is not remembered: see maxColumns and maxName.
func (t *table) column(name []byte) *column {
	c := t.byName[string(name)]
	if c == nil && len(t.order) < maxColumns && len(name) <= maxName {
		c = &column{name: string(name)}
		t.byName[c.name] = c
	}
	if c != nil && !c.has {
		c.has = true
		t.order = append(t.order, c)
	}
	return c
}

// survey adds the row at hand to what is known about the columns. After the
// first rows it goes on for columns with a single value so far: files are often
// sorted by label.
func (t *table) survey() {
	for _, c := range t.order {
		if c.row == t.row && (t.row <= surveyRows || len(c.distinct) == 1 && !c.notHead) {
			c.survey()
		}
	}
}

func (c *column) survey() {
	raw := c.value.raw
	switch c.value.kind {
	case jsonNull:
		return
	case jsonArray, jsonObject:
		c.notHead = true
		return
	case jsonString:
		raw = raw[1 : len(raw)-1]
	}
	raw = bytes.TrimSpace(raw)
	if c.value.kind <= jsonString {
		c.texts++
		c.bytes += len(raw)
	}
	if len(raw) == 0 || c.notHead {
		return
	}
	if c.distinct == nil {
		c.distinct = make(map[string]bool)
	}
	if len(raw) > guessBytes || len(c.distinct) > guessValues || isDate(string(raw)) {
		c.notHead = true
		return
	}
	c.distinct[string(raw)] = true
}

// isDate reports whether s begins with a date: rows of one day share it, but
// it is no label.
func isDate(s string) bool {
	for _, layout := range []string{time.DateOnly, "2006/01/02", "02/01/2006", "01/02/2006", "02.01.2006"} {
		if len(s) >= len(layout) {
			if _, err := time.Parse(layout, s[:len(layout)]); err == nil {
				return true
			}
		}
	}
	return false
}

// guessText returns the name of the column with the longest values on average,
// "" if none has any. A column that is wanted for something else is not the text.
func (t *table) guessText() string {
	best, longest := "", 0.0
	for _, c := range t.order {
		if c.texts == 0 || c.name == "" || c.wanted {
			continue
		}
		if mean := float64(c.bytes) / float64(c.texts); mean > longest {
			best, longest = c.name, mean
		}
	}
	return best
}

// guessHeads returns the columns whose values look like labels: few, short and
// repeated. The text and wanted columns are none.
func (t *table) guessHeads(text string) []string {
	rows := min(t.row, surveyRows)
	var heads []string
	for _, c := range t.order {
		n := len(c.distinct)
		repeated := rows <= 10 || 2*n <= rows
		if c.name != "" && c.name != text && !c.wanted && !c.notHead && n >= 2 && n <= guessValues && repeated {
			heads = append(heads, c.name)
		}
	}
	return heads
}

// list returns the names of the columns that pass, those it leaves out counted.
func (t *table) list(pass func(*column) bool) (names []string, more int) {
	for _, c := range t.order {
		switch {
		case c.name == "" || !pass(c):
		case len(names) == maxListed:
			more++
		default:
			names = append(names, c.name)
		}
	}
	return names, more
}

// get returns the column's value in the row at hand, and false for null too.
func (t *table) get(c *column) (value, bool) {
	return c.value, c.row == t.row && c.value.kind != jsonNull
}

// text returns the text of the row, unchanged.
func (t *table) text(c *column) (string, error) {
	switch {
	case c.row != t.row:
		return "", fmt.Errorf("%s: missing", c.name)
	case c.value.kind > jsonString:
		return "", fmt.Errorf("%s: want a string, got %v", c.name, c.value.kind)
	}
	return c.value.string(c.name)
}

// name returns an id, group or target, "" when there is none.
func (t *table) name(c *column) (string, error) {
	v, ok := t.get(c)
	switch {
	case !ok:
		return "", nil
	case v.kind > jsonNumber:
		return "", fmt.Errorf("%s: want a string or a number, got %v", c.name, v.kind)
	}
	s, err := v.string(c.name)
	return strings.TrimSpace(s), err
}

// label returns the label of one head, "" when there is none.
func (t *table) label(c *column) (string, error) {
	v, ok := t.get(c)
	switch {
	case !ok:
		return "", nil
	case v.kind > jsonBool:
		return "", fmt.Errorf("%s: want a string, a number or a boolean, got %v", c.name, v.kind)
	}
	s, err := v.string(c.name)
	s = strings.TrimSpace(s)
	switch {
	case err != nil:
		return "", err
	case len(s) > maxLabel:
		return "", fmt.Errorf("%s: label of %d bytes, the limit is %d", c.name, len(s), maxLabel)
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", fmt.Errorf("%s: label %q has a control character", c.name, s)
	}
	return s, nil
}

// string decodes a value of the named column.
func (v value) string(name string) (string, error) {
	if v.kind != jsonString {
		return string(v.raw), nil
	}
	s, err := unquote(v.raw)
	if err != nil {
		return "", errors.New(name + ": " + err.Error())
	}
	return s, nil
}
