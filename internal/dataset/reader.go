package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A decoder reads the rows of one format into a table. Its errors name neither
// file nor line; a *RowError leaves it ready for the next row.
type decoder interface {
	next(*table) error
}

// A reader reads the examples of one source.
type reader struct {
	name  string
	in    *input
	dec   decoder
	table table

	header bool // the format has one: its columns are all there are
	part   bool // of a file, whose other lines may have what these lack

	text, id, group, target *column
	heads, kept             []*column

	// named are the columns that were named explicitly, apart from text and
	// heads; with needNamed the source must have them.
	named     []namedColumn
	needNamed bool

	// queue holds what was read before it was known that there is a text.
	settled bool
	queue   []result
}

// keptRole is the role of a column that is carried along. Without a header it may
// be missed by all rows: that would be known at the end only, and what was done
// by then is no worse for it.
const keptRole = "kept"

type namedColumn struct {
	role string
	*column
}

// A result is what next returns.
type result struct {
	ex  Example
	err error
}

func badRow(msg string) error { return &RowError{Msg: msg} }

// open opens src and, when the format has one, reads the header.
func open(src Source, opts Options) (*reader, error) {
	in, err := newInput(src, opts)
	if err != nil {
		return nil, err
	}
	r := &reader{name: src.name, in: in, part: src.line > 0, table: table{byName: make(map[string]*column)}}
	r.want(opts)
	r.dec, err = r.newDecoder(opts)
	if err != nil {
		in.close()
		return nil, r.final(err)
	}
	_, keys := r.dec.(*jsonl)
	r.header = !keys
	return r, nil
}

func (r *reader) close() {
	if p, ok := r.dec.(*parquetRows); ok {
		p.close()
	}
	r.in.close()
}

// want makes the wanted columns.
func (r *reader) want(opts Options) {
	c := opts.Columns
	r.text = r.table.want(orName(c.Text, "text"))
	for _, w := range []struct {
		role, name string
		column     **column
	}{{"id", c.ID, &r.id}, {"group", c.Group, &r.group}, {"target", c.Target, &r.target}} {
		*w.column = r.table.want(orName(w.name, w.role))
		if w.name != "" {
			r.named = append(r.named, namedColumn{w.role, *w.column})
		}
	}
	for _, h := range opts.heads() {
		r.heads = append(r.heads, r.table.want(h))
	}
	r.keepNamed(opts.Keep)
}

// newDecoder chooses the decoder by the wanted format, the name, or the data.
func (r *reader) newDecoder(opts Options) (decoder, error) {
	if r.in.file != nil {
		return newParquet(r, r.in.file, r.in.size)
	}
	if r.part {
		return &jsonl{in: r.in, started: true}, nil
	}
	f := opts.Format
	if f == FormatAuto {
		f = formatOf(r.name)
	}
	line, err := r.in.peekLine(f == FormatAuto || f == FormatJSONL)
	switch {
	case err != nil:
		return nil, err
	case isParquet(line[:min(4, len(line))]) && r.in.kind != "":
		return nil, fmt.Errorf("the file is Parquet in %s: unpack it first", r.in.kind)
	case isParquet(line[:min(4, len(line))]):
		return nil, errors.New("the file is Parquet")
	case f == FormatParquet:
		return nil, errors.New("the file is no Parquet")
	}
	if f == FormatAuto {
		f = r.sniff(line)
	}
	switch {
	case bareCR(line, f):
		return nil, errors.New(`the lines end in "\r" alone and must be converted (tr '\r' '\n')`)
	case f == FormatText:
		return newPlainText(r, opts.Split), nil
	case f == FormatJSONL:
		return &jsonl{in: r.in}, nil
	}
	return newDelimited(r.in, separator(line, f), &r.table)
}

// separator returns what is between the fields of the header.
func separator(line []byte, f Format) byte {
	switch {
	case f == FormatTSV:
		return '\t'
	case bytes.IndexByte(line, ',') < 0 && bytes.IndexByte(line, ';') >= 0:
		return ';'
	}
	return ','
}

// bareCR reports whether the first line shows that lines end as they did on old
// Macintoshes.
func bareCR(line []byte, f Format) bool {
	line = bytes.TrimRight(line, "\r\n")
	if f == FormatJSONL {
		return bytes.Contains(line, []byte("}\r{"))
	}
	return bytes.IndexByte(line, '\r') >= 0 && bytes.IndexByte(line, '"') < 0
}

// sniff tells the format from the first line that is not blank. A file called
// *.txt is text, unless that line is a JSON object or a header that names the
// column of the text.
func (r *reader) sniff(line []byte) Format {
	f := FormatCSV
	switch {
	case len(line) > 0 && (line[0] == '{' || line[0] == '['):
		return FormatJSONL
	case bytes.IndexByte(line, '\t') >= 0:
		f = FormatTSV
	}
	if isText(r.name) && !headerHas(line, separator(line, f), r.text.name) {
		return FormatText
	}
	return f
}

// headerHas reports whether a header has a column.
func headerHas(header []byte, comma byte, column string) bool {
	for field := range bytes.SplitSeq(header, []byte{comma}) {
		if string(bytes.Trim(bytes.TrimSpace(field), `"`)) == column {
			return true
		}
	}
	return false
}

// next returns the next row. The error is io.EOF at the end.
func (r *reader) next() (Example, error) {
	if !r.settled {
		r.settled = true
		r.settle()
	}
	if len(r.queue) > 0 {
		first := r.queue[0]
		r.queue = r.queue[1:]
		return first.ex, first.err
	}
	return r.read()
}

// settle reads until it is known whether there is a text column, into the
// queue. Without one every row would be an error; a single one that names the
// columns says more.
func (r *reader) settle() {
	for !r.text.has && !r.part {
		ex, err := r.read()
		r.queue = append(r.queue, result{ex, err})
		enough := err == io.EOF || len(r.queue) == surveyRows
		if enough && !r.text.has && (r.header || len(r.table.order) > 0) {
			r.queue = []result{{err: r.columnError("text", r.text.name)}}
		}
		if enough || isFinal(err) {
			return
		}
	}
	if r.header {
		if err := r.missing(); err != nil {
			r.queue = []result{{err: err}}
		}
	}
}

// missing returns the error for a column that was named explicitly and that the
// source does not have, nil if there is none or it does not matter.
func (r *reader) missing() error {
	for _, c := range r.named {
		if r.needNamed && !c.has && (r.header || c.role != keptRole) {
			return r.columnError(c.role, c.name)
		}
	}
	return nil
}

// read reads one row.
func (r *reader) read() (Example, error) {
	err := r.dec.next(&r.table)
	if err == io.EOF {
		return Example{}, r.end()
	}
	if bad, ok := err.(*RowError); ok {
		return Example{}, r.rowError(bad.Msg)
	}
	if err != nil {
		return Example{}, r.final(err)
	}
	r.table.survey()
	ex, err := r.example()
	if err != nil {
		return Example{}, r.rowError(err.Error())
	}
	return ex, nil
}

func (r *reader) rowError(msg string) error {
	return &RowError{File: r.name, Line: r.table.line, Msg: msg}
}

// end returns the error for the end of the source, io.EOF if all is well.
func (r *reader) end() error {
	if r.part {
		return io.EOF
	}
	if r.table.row == 0 {
		return r.final(ErrNoRows)
	}
	if err := r.missing(); err != nil && r.text.has {
		return err
	}
	return io.EOF
}

// final puts the place to an error that ends reading.
func (r *reader) final(err error) error {
	if err == io.EOF {
		err = ErrNoRows
	}
	broken, ok := err.(*readError)
	if !ok {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	where := "before the first row"
	if r.table.row > 0 {
		where = fmt.Sprintf("after row %d (line %d)", r.table.row, r.table.line)
	}
	if r.in.kind == "" {
		return fmt.Errorf("%s: reading failed %s: %w", r.name, where, broken.err)
	}
	return fmt.Errorf("%s: %s data broken %s: %w", r.name, r.in.kind, where, broken.err)
}

// columnError says that none of the wanted columns of a role is there.
func (r *reader) columnError(role string, wanted ...string) *ColumnError {
	e := &ColumnError{File: r.name, Role: role, Wanted: wanted}
	e.Have, e.More = r.table.list(func(*column) bool { return true })
	if !r.text.has {
		e.TextGuess = r.table.guessText()
	}
	for _, h := range r.heads {
		if h.has {
			return e
		}
	}
	if len(r.heads) > 0 {
		e.HeadGuesses = r.table.guessHeads(e.TextGuess)
	}
	return e
}

// example makes an Example of the row at hand.
func (r *reader) example() (Example, error) {
	t := &r.table
	ex := Example{File: r.name, Line: t.line, Labels: make([]string, len(r.heads))}
	var err error
	if ex.Text, err = t.text(r.text); err != nil {
		return ex, err
	}
	if ex.ID, err = t.name(r.id); err != nil {
		return ex, err
	}
	if ex.Group, err = t.name(r.group); err != nil {
		return ex, err
	}
	if ex.Target, err = t.name(r.target); err != nil {
		return ex, err
	}
	for i, h := range r.heads {
		if ex.Labels[i], err = t.label(h); err != nil {
			return ex, err
		}
	}
	ex.Kept = r.keep()
	return ex, nil
}
