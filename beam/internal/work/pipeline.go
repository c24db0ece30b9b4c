package work

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/parley-nlp/parley/beam/internal/cut"
)

// Score adds the steps of a job that scores to a pipeline.
func Score(s beam.Scope, spec Spec, chunks []cut.Chunk) {
	pieces := Pieces(s, spec, chunks)
	done, parts := beam.ParDo2(s.Scope("Score"), &scoreFn{Spec: spec}, pieces)
	sums := beam.Combine(s.Scope("Add"), &addFn{}, parts)
	all := beam.GroupByKey(s, beam.AddFixedKey(s, done))
	beam.ParDo0(s.Scope("Finish"), &finishFn{Spec: spec}, all, beam.SideInput{Input: sums})
}

// Pieces adds the steps that cut the input.
func Pieces(s beam.Scope, spec Spec, chunks []cut.Chunk) beam.PCollection {
	s = s.Scope("Cut")
	cuts, whole := beam.ParDo2(s, &planFn{spec}, beam.Impulse(s))
	for _, c := range chunks {
		if c.Of > 1 {
			scanned := beam.ParDo(s, &scanFn{spec}, beam.Reshuffle(s, cuts))
			whole = beam.Flatten(s, whole, beam.ParDo(s, &joinFn{}, beam.GroupByKey(s, scanned)))
			break
		}
	}
	return beam.Reshuffle(s, whole)
}
