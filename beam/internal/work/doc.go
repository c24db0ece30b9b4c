// Package work is what workers do: they score pieces of files, count, add up, and
// give finished output its names.
//
// Rows do not travel through the runner: a worker reads a piece of a file, answers
// its rows and writes them to a file under a temporary name. What it hands on is
// how many there were and where they are. The last step knows of all pieces: it
// names the files, writes what was counted, and job.json, which says that the
// output is complete. So a job that fails, or is done twice in part, as runners
// may, leaves either no output or the whole of it.
//
//	chunks -> counted line ends -> pieces -> scored files -> named files, job.json
//	                                      -> Counts -> one CombineFn -> shares
//	pieces of labelled rows -> Statistics, sample -> a CombineFn each -> files
package work

import (
	"context"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/parley-nlp/parley/beam/internal/cut"
)

func init() {
	for _, element := range []any{cut.Chunk{}, cut.Scanned{}, cut.Piece{}, Done{}} {
		beam.RegisterType(reflect.TypeOf(element))
	}
	beam.RegisterCoder(reflect.TypeOf(&Sums{}), encodeSums, decodeSums)
	beam.RegisterCoder(reflect.TypeOf(&Counted{}), encodeCounted, decodeCounted)
	beam.RegisterCoder(reflect.TypeOf(&Sampled{}), encodeSampled, decodeSampled)
	register.Emitter1[cut.Chunk]()
	register.Emitter1[cut.Piece]()
	register.Emitter1[Done]()
	register.Emitter1[*Sums]()
	register.Emitter1[*Counted]()
	register.Emitter1[*Sampled]()
	register.Emitter2[int, cut.Scanned]()
	register.Iter1[cut.Scanned]()
	register.Iter1[Done]()
	register.DoFn4x1[context.Context, []byte, func(cut.Chunk), func(cut.Piece), error](&planFn{})
	register.DoFn3x1[context.Context, cut.Chunk, func(int, cut.Scanned), error](&scanFn{})
	register.DoFn3x0[int, func(*cut.Scanned) bool, func(cut.Piece)](&joinFn{})
	register.DoFn4x1[context.Context, cut.Piece, func(Done), func(*Sums), error](&scoreFn{})
	register.DoFn5x1[context.Context, cut.Piece, func(Done), func(*Counted), func(*Sampled), error](&countFn{})
	register.Combiner1[*Sums](&addFn{})
	register.Combiner1[*Counted](&mergeFn{})
	register.Combiner1[*Sampled](&sampleFn{})
	register.DoFn5x1[context.Context, int, func(*Done) bool, func(**Counted) bool, func(**Sampled) bool, error](&finishCountFn{})
	register.DoFn4x1[context.Context, int, func(*Done) bool, func(**Sums) bool, error](&finishFn{})
}
