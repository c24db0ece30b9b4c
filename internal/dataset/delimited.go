package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// delimited reads CSV and TSV; the package comment has the rules. It does not
// use encoding/csv, which changes "\r\n" inside texts, keeps a field whose
// quote is never closed until memory ends, and cannot go back to the line after
// it. FuzzCSV holds the two against each other.
type delimited struct {
	in    *input
	comma byte
	lazy  bool // TSV: a quote that does not quote properly is text
	cols  []*column

	// The record at hand: how many fields it has, and where the first of them
	// are. No more are kept than the header has, or may have.
	fields int
	spans  []span
}

// maxFields limits the header: a row of commas would otherwise take many times
// its own size. It is the limit of spreadsheets.
const maxFields = 16384

// A span is one field of the record at hand, as offsets in the input's data.
type span struct {
	from, to int // without the quotes around it
	doubled  bool
}

// A quoteError says that quotes are broken, in which field and line.
type quoteError struct {
	field int
	msg   string
}

func (e *quoteError) Error() string { return e.msg }

// newDelimited reads the header.
func newDelimited(in *input, comma byte, t *table) (*delimited, error) {
	d := &delimited{in: in, comma: comma, lazy: comma == '\t'}
	n, err := d.record()
	if err != nil {
		return nil, headerError(in, err)
	}
	if d.fields > maxFields {
		return nil, fmt.Errorf("header: %d columns, the limit is %d", d.fields, maxFields)
	}
	seen := make(map[string]bool)
	for _, s := range d.spans {
		raw := d.unquoted(s)
		if msg := d.in.badBytes(raw); msg != "" {
			return nil, fmt.Errorf("header: column %d: %s", len(d.cols)+1, msg)
		}
		name := bytes.TrimSpace(raw)
		if seen[string(name)] && len(name) > 0 {
			return nil, fmt.Errorf("header: column %q appears twice", name)
		}
		seen[string(name)] = true
		c := d.header(t, name)
		if len(name) > 0 && c.name == "" && t.keepAll {
			return nil, fmt.Errorf("header: %w", errKeepAll)
		}
		d.cols = append(d.cols, c)
	}
	in.consume(n)
	return d, nil
}

// header returns the column for one name. Several may have none, and those
// beyond what the table remembers are not wanted.
func (d *delimited) header(t *table, name []byte) *column {
	if len(name) > 0 {
		if c := t.column(name); c != nil {
			return c
		}
	}
	return &column{}
}

// headerError explains why there is no header. Read errors stay as they are.
func headerError(in *input, err error) error {
	if _, ok := err.(*quoteError); ok {
		return fmt.Errorf("header: %w", err)
	}
	if err == errLong {
		return errors.New("header longer than the limit of " + byteSize(in.max))
	}
	return err
}

// next reads the next row into t.
func (d *delimited) next(t *table) error {
	n, err := d.record()
	if err == errLong {
		t.begin(d.in.line)
		d.in.skipLine()
		return badRow("row longer than the limit of " + byteSize(d.in.max))
	}
	if qe, ok := err.(*quoteError); ok {
		t.begin(d.in.line)
		d.in.skipLine()
		return badRow(d.name(qe.field) + ": " + qe.msg)
	}
	if err != nil {
		return err
	}
	t.begin(d.in.line)
	if bytes.HasPrefix(d.in.data(), []byte(mark)) {
		d.in.skipLine()
		return badRow("a byte order mark begins the line: files with headers were joined here")
	}
	err = d.set(t)
	d.in.consume(n)
	return err
}

// set gives the fields of the record at hand to their columns.
func (d *delimited) set(t *table) error {
	if d.fields != len(d.cols) {
		return badRow(fmt.Sprintf("want %s as in the header, got %d", count(len(d.cols), "field"), d.fields))
	}
	for i, c := range d.cols {
		raw := d.unquoted(d.spans[i])
		if msg := d.in.badBytes(raw); msg != "" {
			return badRow(d.name(i) + ": " + msg)
		}
		t.set(c, value{plain, raw})
	}
	return nil
}

// name names a field in errors; a row may have more of them than the header.
func (d *delimited) name(i int) string {
	if i < len(d.cols) && d.cols[i].name != "" {
		return fieldName(d.cols[i].name)
	}
	return fmt.Sprintf("field %d", i+1)
}

// unquoted returns the bytes of a field.
func (d *delimited) unquoted(s span) []byte {
	raw := d.in.data()[s.from:s.to]
	if s.doubled {
		raw = bytes.ReplaceAll(raw, []byte(`""`), []byte(`"`))
	}
	return raw
}

// record finds the fields of the next record that is not an empty line and
// returns its length. It consumes empty lines, but not the record.
func (d *delimited) record() (int, error) {
	for {
		end, err := d.in.lineEnd(0)
		if err != nil {
			return 0, err
		}
		if len(trimEOL(d.in.data()[:end])) == 0 {
			d.in.consume(end)
			continue
		}
		n, err := d.split(end)
		if err == nil && d.lazy && d.cols != nil && d.fields != len(d.cols) && d.literal(end) {
			n = end
		}
		return n, err
	}
}

// split cuts the record whose first line ends at end into spans and returns
// where the record ends.
func (d *delimited) split(end int) (int, error) {
	d.fields, d.spans = 0, d.spans[:0]
	for at := 0; ; {
		s, next, quoted, err := d.quoted(at, end)
		if err != nil {
			return 0, err
		}
		after := s.to + len(`"`)
		if !quoted {
			if s, err = d.bare(at, end); err != nil {
				return 0, err
			}
			next, after = end, s.to
		}
		d.add(s)
		end = next
		if after == len(trimEOL(d.in.data()[:end])) {
			return end, nil
		}
		at = after + 1 // behind the comma
	}
}

// add adds a field to the record at hand.
func (d *delimited) add(s span) {
	d.fields++
	if d.fields <= len(d.cols) || d.cols == nil && d.fields <= maxFields {
		d.spans = append(d.spans, s)
	}
}

// bare returns the field without quotes around it that begins at offset at.
func (d *delimited) bare(at, end int) (span, error) {
	line := trimEOL(d.in.data()[:end])
	s := span{from: at, to: len(line)}
	if i := bytes.IndexByte(line[at:], d.comma); i >= 0 {
		s.to = at + i
	}
	if !d.lazy && bytes.IndexByte(line[at:s.to], '"') >= 0 {
		return s, &quoteError{d.fields, "a quote in a field that does not begin with one"}
	}
	return s, nil
}

// quoted returns the field in quotes that begins at offset at, in the line that
// ends at end, and the end of the line in which it closes. It reports false
// when there is no such field.
func (d *delimited) quoted(at, end int) (s span, lineEnd int, ok bool, err error) {
	if line := trimEOL(d.in.data()[:end]); at == len(line) || line[at] != '"' {
		return s, 0, false, nil
	}
	s.from = at + len(`"`)
	tabs, breaks := false, false // TSV has one or the other between quotes
	for i := s.from; ; {
		line := trimEOL(d.in.data()[:end])
		q := bytes.IndexByte(line[i:], '"')
		stop := i + q
		if q < 0 {
			stop = len(line)
		}
		tabs = tabs || d.lazy && bytes.IndexByte(line[i:stop], d.comma) >= 0
		breaks = breaks || q < 0
		switch {
		case tabs && breaks:
			return s, 0, false, nil
		case q < 0:
			i = end
			if end, err = d.in.lineEnd(end); err != nil {
				return s, 0, false, d.unclosed(at, err)
			}
		case stop+1 < len(line) && line[stop+1] == '"':
			s.doubled = true
			i = stop + len(`""`)
		case stop+1 == len(line) || line[stop+1] == d.comma:
			s.to = stop
			return s, end, true, nil
		case d.lazy:
			return s, 0, false, nil
		default:
			return s, 0, false, d.quoteError(at, "is followed by text after the closing one")
		}
	}
}

// unclosed judges a quoted field that the data, or what of it may be kept, does
// not close: nil when the quote is text.
func (d *delimited) unclosed(at int, err error) error {
	switch {
	case err != io.EOF && err != errLong:
		return err
	case d.lazy:
		return nil
	case err == errLong:
		return d.quoteError(at, "is not closed within the limit of "+byteSize(d.in.max))
	}
	return d.quoteError(at, "is never closed")
}

// quoteError says what is wrong with the quote at offset at.
func (d *delimited) quoteError(at int, msg string) error {
	line := d.in.line + bytes.Count(d.in.data()[:at], []byte("\n"))
	return &quoteError{d.fields, fmt.Sprintf("the quote that opens on line %d %s", line, msg)}
}

// literal reports whether the line that ends at end has as many fields as the
// header when quotes mean nothing, and makes them the record's.
func (d *delimited) literal(end int) bool {
	line := trimEOL(d.in.data()[:end])
	if bytes.Count(line, []byte{d.comma})+1 != len(d.cols) {
		return false
	}
	d.fields, d.spans = 0, d.spans[:0]
	for at := 0; at <= len(line); {
		to := len(line)
		if i := bytes.IndexByte(line[at:], d.comma); i >= 0 {
			to = at + i
		}
		d.add(span{from: at, to: to})
		at = to + 1
	}
	return true
}
