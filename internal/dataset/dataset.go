// Package dataset reads labelled and unlabelled rows from JSONL, CSV and TSV
// files and plain text, as they are or compressed with gzip or zstd, and from
// Parquet files.
//
//	Files, FS, Reader -> Sources
//	Rows(source)      -> one Example at a time, for scoring
//	ReadAll(sources)  -> a Set with its warnings, for training and evaluation
//
// One bad row never stops a file: it yields a *RowError that names the file
// and the line, and reading goes on. Every other error is final. Memory is
// bounded by Options.MaxRowBytes, whatever the file holds.
//
// # JSONL
//
// One object a line; blank lines are skipped. The columns are the keys. The
// text must be a string; id, group and target may also be numbers, labels
// numbers or booleans, taken as they are spelled. A label that is absent, null
// or "" is no label. What a careful reader cannot take literally is an error of
// its row: a key that appears twice, half of a surrogate pair, anything after
// the object. A file none of whose first 100 rows has a text is taken to have
// no text column.
//
// # CSV
//
// RFC 4180 with a header row: fields may be quoted, and then hold commas, line
// breaks and doubled quotes. A header without a comma but with semicolons makes
// a semicolon-separated file. A broken quote (never closed, text after the
// closing one, or a quote in a field that is not quoted) costs the line on
// which its row begins; reading goes on at the next line.
//
// # TSV
//
// Separated by tabs, with a header row. Writers of TSV disagree about quotes,
// and texts often begin with a quotation mark, so a quote at the start of a
// field counts as quoting only when all of this holds, and is text otherwise:
//
//   - a later quote closes it: one before a tab or the end of a line;
//   - every quote between the two is doubled;
//   - between the two there are tabs or line breaks, but not both;
//   - read so, the row has as many fields as the header, or else its first line
//     taken literally has not.
//
// A stray quotation mark thus never swallows the lines below it, as every row
// of two or more columns has a tab; a quoted text of several lines still works.
//
// # Plain text
//
// A row is a line, or a paragraph: see Split and paragraph. Its group is the
// name of the file.
//
// # Parquet
//
// The columns are those that are no lists, maps or groups. A text must be one;
// other values may be numbers or booleans, and times, which are read as RFC 3339
// writes them. The numbers of rows stand where other formats have lines. A file
// that is not at hand as such, as standard input, goes to a temporary file first.
//
// # Values
//
// Texts are never changed, but for the line breaks within paragraphs. Names of
// columns, labels, ids, groups and targets lose surrounding white space.
//
// # Encodings
//
// Files are UTF-8; a byte order mark at the start is dropped, and of JSONL and
// plain text one at the start of a line too: files are joined so. UTF-16 and
// Windows-1252 are converted where they are asked for or clear: see Encoding.
package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// An Example is one row.
type Example struct {
	Text   string
	ID     string // "" when the row has none, as for Group and Target
	Group  string // rows of one group stay on one side of every split
	Target string // what the stance is towards

	// Labels holds one label for each head, "" where the row has none: in the
	// order of Options.Heads, or of Set.Heads when the example is part of a Set.
	Labels []string

	// Kept is what the row has in the columns of Options.Keep.
	Kept []Value

	// File and Line say where the row begins; Line counts from 1.
	File string
	Line int
}

// Columns names the columns that are not labels. An empty name stands for the
// usual one: "text", "id", "group", "target". Only the text column has to be
// there, and those that are named explicitly: a misspelt group would otherwise
// go unnoticed.
type Columns struct {
	Text, ID, Group, Target string
}

// A Format says how rows are written.
type Format int

// The formats. FormatAuto goes by the file's name, and where that says nothing
// (standard input, other endings) by its first bytes.
const (
	FormatAuto Format = iota
	FormatJSONL
	FormatCSV
	FormatTSV
	FormatText // plain text: see Split
	FormatParquet
)

// DefaultMaxRowBytes is the limit of a row's length when Options has none.
const DefaultMaxRowBytes = 64 << 20

// Options says what to read. The zero value reads the usual columns, with the
// heads "topic" and "stance".
type Options struct {
	Columns     Columns
	Heads       []string // label columns; none: "topic" and "stance"
	NoLabels    bool     // no label column is wanted: Labels stay empty
	Keep        []string // columns to carry along, KeepAll for all
	Format      Format
	Encoding    Encoding
	Split       Split // of plain text
	MaxRowBytes int   // a longer row is a *RowError; 0: DefaultMaxRowBytes
}

// defaultHeads are the heads that are taken when none is asked for.
var defaultHeads = []string{"topic", "stance"}

// heads returns the label columns to look for.
func (o Options) heads() []string {
	switch {
	case o.NoLabels:
		return nil
	case len(o.Heads) == 0:
		return defaultHeads
	}
	return o.Heads
}

// check reports options that cannot be meant.
func (o Options) check() error {
	if err := o.Encoding.check(); err != nil {
		return err
	}
	text := orName(o.Columns.Text, "text")
	for i, h := range o.heads() {
		switch {
		case h == "":
			return errors.New("a head has no name")
		case slices.Contains(o.heads()[:i], h):
			return fmt.Errorf("head %q is wanted twice", h)
		case h == text:
			return fmt.Errorf("column %q is wanted as the text and as a head", h)
		}
	}
	return nil
}

func orName(name, usual string) string {
	if name == "" {
		return usual
	}
	return name
}

// Rows reads the rows of one source in order. A bad row yields a *RowError and
// reading goes on; any other error is final and comes last. A source without
// rows yields an error that wraps ErrNoRows, one without a text column a
// *ColumnError. A head that the source does not have gives empty labels.
func Rows(src Source, opts Options) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		if err := opts.check(); err != nil {
			yield(Example{}, err)
			return
		}
		r, err := open(src, opts)
		if err != nil {
			yield(Example{}, err)
			return
		}
		defer r.close()
		r.needNamed = true
		for ex, err := range r.rows {
			if !yield(ex, err) {
				return
			}
		}
	}
}

// rows calls yield for every row until the end, the first final error, or
// until yield says no.
func (r *reader) rows(yield func(Example, error) bool) {
	for {
		ex, err := r.next()
		if err == io.EOF || !yield(ex, err) || isFinal(err) {
			return
		}
	}
}

// isFinal reports whether reading ends with err.
func isFinal(err error) bool {
	_, bad := err.(*RowError)
	return err != nil && !bad
}
