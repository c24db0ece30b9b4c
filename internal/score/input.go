package score

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/cespare/xxhash/v2"

	"github.com/parley-nlp/parley/internal/dataset"
)

// An input reads the rows of sources and keeps a digest of what it has read,
// bad rows included: two inputs with one digest give one output.
type input struct {
	sources []dataset.Source
	options dataset.Options
	read    int64 // rows
	digest  *xxhash.Digest
	scratch []byte
}

func newInput(sources []dataset.Source, o dataset.Options) *input {
	return &input{sources: sources, options: o, digest: xxhash.New()}
}

// rows reads all rows in order. A row that is bad comes as a line with an error;
// any other error is the last that comes.
func (in *input) rows(ctx context.Context) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		for _, src := range in.sources {
			for ex, err := range dataset.Rows(src, in.options) {
				if in.read%1024 == 0 && ctx.Err() != nil { // rows that are skipped end nothing else
					yield(line{}, ctx.Err())
					return
				}
				if _, bad := err.(*dataset.RowError); err == nil || bad {
					in.add(ex, err)
				}
				l, err := newLine(ex, err)
				if !yield(l, err) || err != nil {
					return
				}
			}
		}
	}
}

// add takes a row into the digest.
func (in *input) add(ex dataset.Example, err error) {
	b := binary.AppendUvarint(in.scratch[:0], uint64(ex.Line))
	if err != nil {
		b = appendPart(append(b, 1), err.Error())
	} else {
		b = appendPart(appendPart(appendPart(append(b, 0), ex.ID), ex.Target), ex.Text)
		for _, v := range ex.Kept {
			b = appendPart(appendPart(b, v.Name), v.Text)
		}
	}
	in.digest.Write(b)
	in.read++
	if in.scratch = b; cap(b) > batchBytes {
		in.scratch = nil
	}
}

// appendPart appends a string and, before it, its length.
func appendPart(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// from yields the rows from a place on, up to another one (negative: all), after
// it has read those before it. At the row number done the digest must be that of
// an earlier run.
func (in *input) from(ctx context.Context, from, to, done int64, hash string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		for l, err := range in.rows(ctx) {
			if err != nil {
				yield(l, err)
				return
			}
			if in.read == done && in.hash() != hash {
				yield(l, fmt.Errorf("%w: its first %d rows are not those that were scored", ErrInput, done))
				return
			}
			within := in.read > from && (to < 0 || in.read <= to)
			if within && !yield(l, nil) || to >= 0 && in.read >= max(to, done) {
				return
			}
		}
		if in.read < done {
			yield(line{}, fmt.Errorf("%w: it has %d rows, %d were scored", ErrInput, in.read, done))
		}
	}
}

// hash renders the digest.
func (in *input) hash() string { return renderHash(in.digest.Sum64()) }

func renderHash(sum uint64) string { return fmt.Sprintf("%016x", sum) }
