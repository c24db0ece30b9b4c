package score

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/parley-nlp/parley/internal/dataset"
)

// MaxDocumentBytes is the longest text that is scored; it is a server's
// default limit too. MaxTargetBytes is the longest target, with a server too.
const (
	MaxDocumentBytes = 1 << 20
	MaxTargetBytes   = 256
)

// batchRows and batchBytes bound a batch: what the client sends in one call.
const (
	batchRows  = 100
	batchBytes = 1 << 20
)

// rowCost is what a row takes beside its text, in bytes.
const rowCost = 512

// A line is a row of the output on its way: a document, until it has its answer.
type line struct {
	document Document
	row      Row
	kind     string // of the row's error, for the summary
	example  dataset.Example
}

// size is what the line holds of the input, in bytes.
func (l *line) size() int {
	n := len(l.document.Text) + len(l.document.Target)
	for _, v := range l.row.Columns {
		n += len(v.Text)
	}
	return n
}

// The kinds of errors that are found before anybody is asked; others are called
// by their code.
const (
	unreadable = "not readable"
	emptyText  = "empty text"
	longText   = "text too long"
	longTarget = "target too long"
)

// A batch is rows that are answered together.
type batch struct {
	lines []line
	bytes int // of the input

	// read is how many rows of the input there are up to here, and hash their
	// digest.
	read int64
	hash uint64

	out     []byte // the rows as they are written
	ends    []int  // where each of them ends in out
	summary Summary
}

// spare are batches that have been written: their memory is used again.
var spare = sync.Pool{New: func() any { return &batch{lines: make([]line, 0, batchRows)} }}

// free gives the batch away.
func (b *batch) free() {
	clear(b.lines)
	*b = batch{lines: b.lines[:0], out: b.out[:0], ends: b.ends[:0]}
	if cap(b.out) <= batchBytes {
		spare.Put(b)
	}
}

func (b *batch) size() int { return b.bytes + rowCost*len(b.lines) }

// batches cuts rows into batches. The error of rows comes last, behind what was
// read before it.
func batches(in *input, rows iter.Seq2[line, error]) iter.Seq2[*batch, error] {
	return func(yield func(*batch, error) bool) {
		b := spare.Get().(*batch)
		flush := func() bool {
			full := b
			b = spare.Get().(*batch)
			return len(full.lines) == 0 || yield(full, nil)
		}
		for l, err := range rows {
			size := l.size()
			if err != nil || len(b.lines) == batchRows || b.bytes+size > batchBytes {
				if !flush() {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			b.lines, b.bytes = append(b.lines, l), b.bytes+size
			b.read, b.hash = in.read, in.digest.Sum64()
		}
		flush()
	}
}

// newLine returns the line of an example, which has its answer already when
// the row is bad.
func newLine(ex dataset.Example, err error) (line, error) {
	var bad *dataset.RowError
	switch {
	case errors.As(err, &bad):
		return line{row: Row{ID: fmt.Sprintf("%s:%d", bad.File, bad.Line), Err: invalid(bad.Error())}, kind: unreadable}, nil
	case err != nil:
		return line{}, err
	}
	l := line{document: Document{ex.Text, ex.Target}, row: Row{ID: ex.ID, Columns: ex.Kept}, example: ex}
	if l.row.ID == "" {
		l.row.ID = fmt.Sprintf("%s:%d", ex.File, ex.Line)
	}
	fail := func(kind, message string) {
		l.kind, l.row.Err = kind, invalid(fmt.Sprintf("%s:%d: %s", ex.File, ex.Line, message))
		l.document, l.example.Text = Document{}, "" // it may be long
	}
	switch {
	case strings.TrimSpace(ex.Text) == "":
		fail(emptyText, "the text is empty")
	case len(ex.Text) > MaxDocumentBytes:
		fail(longText, fmt.Sprintf("the text has %d bytes, the limit is %d", len(ex.Text), MaxDocumentBytes))
	case len(ex.Target) > MaxTargetBytes:
		fail(longTarget, fmt.Sprintf("the target has %d bytes, the limit is %d", len(ex.Target), MaxTargetBytes))
	}
	return l, nil
}

// classify fills in the answers of a batch.
func (b *batch) classify(ctx context.Context, c Classifier) error {
	documents, at := make([]Document, 0, len(b.lines)), make([]int, 0, len(b.lines))
	for i := range b.lines {
		if l := &b.lines[i]; l.row.Err == nil {
			documents, at = append(documents, l.document), append(at, i)
		}
	}
	if len(documents) == 0 {
		return nil
	}
	rows, err := c.Classify(ctx, documents)
	if err != nil {
		return err
	}
	for j, row := range rows {
		l := &b.lines[at[j]]
		row.ID, row.Columns = l.row.ID, l.row.Columns
		if l.row = row; row.Err != nil {
			l.kind = row.Err.Code
		}
		l.document = Document{} // no longer needed
	}
	return nil
}

// encode writes the rows into b.out.
func (b *batch) encode(e Encoder) (err error) {
	for i := range b.lines {
		if b.out, err = e.Append(b.out, &b.lines[i].row); err != nil {
			return err
		}
		b.ends = append(b.ends, len(b.out))
	}
	return nil
}

// apart parts the first size bytes of what encode wrote into rows that have an
// answer and error rows.
func (b *batch) apart(size int) (answered, failed []byte) {
	if b.summary.Errors == 0 {
		return b.out[:size], nil
	}
	from := 0
	for i, end := range b.ends {
		if end > size {
			break
		}
		if row := b.out[from:end]; b.lines[i].row.Err != nil {
			failed = append(failed, row...)
		} else {
			answered = append(answered, row...)
		}
		from = end
	}
	return answered, failed
}

// errorAt returns the place of the n-th error row, counted from 0.
func (b *batch) errorAt(n int64) int {
	for i := range b.lines {
		if b.lines[i].row.Err == nil {
			continue
		}
		if n == 0 {
			return i
		}
		n--
	}
	return len(b.lines) - 1
}
