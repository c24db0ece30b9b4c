package work

import (
	"context"
	"slices"

	"github.com/parley-nlp/parley/beam/internal/cut"
)

// planFn reads the plan: chunks that are to be counted first, and whole files.
type planFn struct{ Spec Spec }

func (f *planFn) ProcessElement(ctx context.Context, _ []byte, chunk func(cut.Chunk), whole func(cut.Piece)) error {
	chunks, err := f.Spec.readPlan(ctx)
	if err != nil {
		return err
	}
	for _, c := range chunks {
		if c.Of == 1 {
			whole(c.Whole())
		} else {
			chunk(c)
		}
	}
	return nil
}

// scanFn looks at chunks, by file.
type scanFn struct{ Spec Spec }

func (f *scanFn) ProcessElement(ctx context.Context, c cut.Chunk, emit func(int, cut.Scanned)) error {
	s, err := c.Scan(ctx, f.Spec.Data)
	if err != nil {
		return err
	}
	emit(c.File, s)
	return nil
}

// joinFn makes pieces of the chunks of a file.
type joinFn struct{}

func (f *joinFn) ProcessElement(_ int, next func(*cut.Scanned) bool, emit func(cut.Piece)) {
	var chunks []cut.Scanned
	for s := (cut.Scanned{}); next(&s); {
		chunks = append(chunks, s)
	}
	slices.SortFunc(chunks, func(a, b cut.Scanned) int { return a.Index - b.Index })
	for _, p := range cut.Pieces(chunks) {
		emit(p)
	}
}
