package score

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
)

// MaxDocumentBytes is the longest text that is scored; it is a server's
// default limit too. MaxTargetBytes is the longest target, with a server too.
const (
	MaxDocumentBytes = 1 << 20
	MaxTargetBytes   = 256
)

// chunkRows and chunkBytes bound what is read before it is classified.
const (
	chunkRows  = 1000
	chunkBytes = 8 << 20
)

// A Summary counts what a run did.
type Summary struct {
	Rows   int // written, errors included
	Errors int // error rows
}

// Run classifies every row of the sources and writes a line of JSON for each,
// in their order. A row that cannot be read or classified becomes an error
// row; the run goes on. The error is one that ends it.
func Run(ctx context.Context, c Classifier, srcs []dataset.Source, opts dataset.Options, out io.Writer) (Summary, error) {
	var s Summary
	w := bufio.NewWriterSize(out, 1<<16)
	for chunk, err := range chunks(srcs, opts) {
		if err != nil {
			return s, err
		}
		if err := classify(ctx, c, chunk); err != nil {
			return s, err
		}
		if err := write(w, chunk, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// A line is a row of the output on its way: a document, until it has its answer.
type line struct {
	document Document
	row      Row
}

// chunks reads the sources, some rows at a time.
func chunks(srcs []dataset.Source, opts dataset.Options) iter.Seq2[[]line, error] {
	return func(yield func([]line, error) bool) {
		var chunk []line
		bytes := 0
		for _, src := range srcs {
			for ex, err := range dataset.Rows(src, opts) {
				l, final := newLine(ex, err)
				if final != nil {
					if len(chunk) == 0 || yield(chunk, nil) {
						yield(nil, final)
					}
					return
				}
				chunk, bytes = append(chunk, l), bytes+len(ex.Text)+len(ex.Target)
				if len(chunk) == chunkRows || bytes >= chunkBytes {
					if !yield(chunk, nil) {
						return
					}
					chunk, bytes = nil, 0
				}
			}
		}
		if len(chunk) > 0 {
			yield(chunk, nil)
		}
	}
}

// newLine returns the line of an example, which has its answer already when
// the row is bad.
func newLine(ex dataset.Example, err error) (line, error) {
	var bad *dataset.RowError
	switch {
	case errors.As(err, &bad):
		return line{row: Row{ID: fmt.Sprintf("%s:%d", bad.File, bad.Line), Err: invalid(bad.Error())}}, nil
	case err != nil:
		return line{}, err
	}
	l := line{document: Document{ex.Text, ex.Target}, row: Row{ID: ex.ID, Columns: ex.Kept}}
	if l.row.ID == "" {
		l.row.ID = fmt.Sprintf("%s:%d", ex.File, ex.Line)
	}
	switch {
	case strings.TrimSpace(ex.Text) == "":
		l.row.Err = invalid(fmt.Sprintf("%s:%d: the text is empty", ex.File, ex.Line))
	case len(ex.Text) > MaxDocumentBytes:
		l.row.Err = invalid(fmt.Sprintf("%s:%d: the text has %d bytes, the limit is %d", ex.File, ex.Line, len(ex.Text), MaxDocumentBytes))
	case len(ex.Target) > MaxTargetBytes:
		l.row.Err = invalid(fmt.Sprintf("%s:%d: the target has %d bytes, the limit is %d", ex.File, ex.Line, len(ex.Target), MaxTargetBytes))
	}
	return l, nil
}

// classify fills in the answers of a chunk.
func classify(ctx context.Context, c Classifier, chunk []line) error {
	var documents []Document
	var at []int
	for i, l := range chunk {
		if l.row.Err == nil {
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
		row.ID, row.Columns = chunk[at[j]].row.ID, chunk[at[j]].row.Columns
		chunk[at[j]].row = row
	}
	return nil
}

// write writes the rows of a chunk and counts them.
func write(w *bufio.Writer, chunk []line, s *Summary) error {
	for _, l := range chunk {
		b, err := l.row.MarshalJSON()
		if err != nil {
			return err
		}
		if _, err := w.Write(append(b, '\n')); err != nil {
			return err
		}
		s.Rows++
		if l.row.Err != nil {
			s.Errors++
		}
	}
	return w.Flush()
}
