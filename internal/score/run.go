package score

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/parley-nlp/parley/internal/dataset"
)

// A Job is a run over the rows of sources. What it writes does not depend on
// Workers, nor on whether a model or a server answers.
type Job struct {
	Sources    []dataset.Source
	Data       dataset.Options
	Classifier Classifier
	Format     Format
	Layout     Layout
	Workers    int // batches that are worked on at a time
	Range      Range
	MaxErrors  int // error rows that do not end the run; negative: any number
	Meter      *Meter
	Apart      io.Writer // where error rows go; nil: among the others
	// See is shown every row that is written, in order, and must not keep it; nil
	// for none.
	See func(*Row, *dataset.Example) error
}

// A Range is rows of an input: those from number From on, counted from 0, up to
// number To; all that follow when To is negative.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// All are all rows.
var All = Range{0, -1}

// A Meter tells how far a run is, at any time.
type Meter struct {
	Rows   atomic.Int64 // written, those of earlier runs included
	Errors atomic.Int64 // error rows among them
	Read   atomic.Int64 // bytes of files that have been read, see Source.Counted
}

// windowBytes bounds the texts that are held between reading and writing.
const windowBytes = 24 << 20

// A State is how far a run has come: what is needed to go on.
type State struct {
	Read     int64   `json:"rows_read"`    // of the input, those before the range included
	Hash     string  `json:"input_digest"` // of these rows
	Bytes    int64   `json:"output_bytes"` // written, the header included
	Header   int64   `json:"header_bytes"`
	Revision string  `json:"revision"` // that answers, see Classifier
	Summary  Summary `json:"summary"`
}

// A TooManyError ends a run whose rows have more errors than they may.
type TooManyError struct {
	Limit int
	Row   Error // of the row that was one too many
}

func (e *TooManyError) Error() string {
	if e.Limit == 0 {
		return e.Row.Message
	}
	return fmt.Sprintf("more than %d rows have errors; the last: %s", e.Limit, e.Row.Message)
}

// Run classifies the rows of the job that s does not count yet and writes each
// to out, in their order. A row that cannot be read or classified becomes an
// error row; the run goes on. The error is one that ends it. Mark, unless it is
// nil, is called with every state that out is complete up to, and the last such
// state is returned.
func (j Job) Run(ctx context.Context, s State, out io.Writer, mark func(State) error) (State, error) {
	in := newInput(j.Sources, j.Data)
	encoders, err := j.encoders()
	if err != nil {
		return s, err
	}
	if s, err = begin(s, <-encoders, out, encoders); err != nil {
		return s, err
	}
	j.Meter.set(s)
	rows := in.from(ctx, max(j.Range.From, s.Read), j.Range.To, s.Read, s.Hash)
	work := func(ctx context.Context, b *batch) error { return j.answer(ctx, b, encoders) }
	window := window{4 * j.Workers, windowBytes}
	for b, err := range inOrder(ctx, batches(in, rows), (*batch).size, j.Workers, window, work) {
		if err != nil {
			return s, err
		}
		next, err := j.write(out, b, s)
		if err != nil {
			return s, err
		}
		b.free()
		s = next
		if mark != nil {
			if err := mark(s); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// encoders makes one encoder a worker.
func (j Job) encoders() (chan Encoder, error) {
	list := make(chan Encoder, j.Workers)
	for range j.Workers {
		e, err := NewEncoder(j.Format, j.Layout)
		if err != nil {
			return nil, err
		}
		list <- e
	}
	return list, nil
}

// begin writes the header, where the output is still empty.
func begin(s State, e Encoder, out io.Writer, encoders chan<- Encoder) (State, error) {
	header := e.Header()
	encoders <- e
	if s.Bytes > 0 || len(header) == 0 {
		return s, nil
	}
	n, err := out.Write(header)
	s.Bytes, s.Header = int64(n), int64(n)
	return s, err
}

// answer classifies a batch, and counts and encodes its rows.
func (j Job) answer(ctx context.Context, b *batch, encoders chan Encoder) error {
	if err := b.classify(ctx, j.Classifier); err != nil {
		return err
	}
	for i := range b.lines {
		b.summary.add(&b.lines[i].row, b.lines[i].kind)
	}
	e := <-encoders
	defer func() { encoders <- e }()
	return b.encode(e)
}

// write writes a batch and returns the state behind it. Of a batch with the error
// that is one too many, it writes the rows up to that one.
func (j Job) write(out io.Writer, b *batch, s State) (State, error) {
	rows, tooMany := b.out, error(nil)
	if room := max(0, int64(j.MaxErrors)-s.Summary.Errors); j.MaxErrors >= 0 && b.summary.Errors > room {
		i := b.errorAt(room)
		rows, tooMany = b.out[:b.ends[i]], &TooManyError{j.MaxErrors, *b.lines[i].row.Err}
	}
	if j.Apart != nil {
		var failed []byte
		if rows, failed = b.apart(len(rows)); len(failed) > 0 {
			if _, err := j.Apart.Write(failed); err != nil {
				return s, err
			}
		}
	}
	n, err := out.Write(rows)
	if err != nil || tooMany != nil {
		return s, cmp.Or(err, tooMany)
	}
	if err := j.show(b); err != nil {
		return s, err
	}
	s.Bytes += int64(n)
	s.Read, s.Hash, s.Revision = b.read, renderHash(b.hash), j.Classifier.Revision()
	s.Summary.Add(b.summary)
	j.Meter.set(s)
	return s, nil
}

// show lets See have the rows of a batch.
func (j Job) show(b *batch) error {
	if j.See == nil {
		return nil
	}
	for i := range b.lines {
		if err := j.See(&b.lines[i].row, &b.lines[i].example); err != nil {
			return err
		}
	}
	return nil
}

func (m *Meter) set(s State) {
	if m != nil {
		m.Rows.Store(s.Summary.Rows)
		m.Errors.Store(s.Summary.Errors)
	}
}
