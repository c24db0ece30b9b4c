package serve

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// answers is the memory of the answers to a call.
type answers struct {
	documents   slab[answer]
	predictions slab[parleyv1.HeadPrediction]
	scores      slab[parleyv1.LabelScore]
	outcomes    slab[parleyv1.BatchClassifyResult_Classification]
}

// An answer is the messages that there is one of for each document.
type answer struct {
	classification parleyv1.Classification
	input          parleyv1.InputReport
	computeTime    durationpb.Duration
}

// newAnswers returns memory for what p asks of so many documents.
func newAnswers(p *plan, documents int) answers {
	return answers{
		slab[answer]{wanted: documents},
		slab[parleyv1.HeadPrediction]{wanted: documents * len(p.heads)},
		slab[parleyv1.LabelScore]{wanted: documents * p.scores()},
		slab[parleyv1.BatchClassifyResult_Classification]{wanted: documents},
	}
}

// next returns an answer without predictions.
func (a *answers) next() *answer {
	out := a.documents.next()
	out.classification.Input, out.classification.ComputeTime = &out.input, &out.computeTime
	return out
}

func (a *answer) setComputeTime(d time.Duration) {
	spent := durationpb.New(d)
	a.computeTime.Seconds, a.computeTime.Nanos = spent.Seconds, spent.Nanos
}

// A slab hands out messages that lie in arrays. In a batch of 100 that takes
// 0.7 us less a document than memory for each message by itself.
type slab[M any] struct {
	wanted   int // at most, from now on
	messages []M
	pointers []*M
}

// slabSize is how many messages an array has at most: a batch of documents with
// errors wants less than it might.
const slabSize = 128

// next returns an empty message.
func (s *slab[M]) next() *M {
	if len(s.messages) == 0 {
		s.messages = make([]M, min(s.wanted, slabSize))
	}
	out := &s.messages[0]
	s.messages = s.messages[1:]
	s.wanted--
	return out
}

// list returns n empty messages.
func (s *slab[M]) list(n int) []*M {
	if n > len(s.pointers) {
		s.pointers = make([]*M, max(n, min(s.wanted, slabSize)))
	}
	out := s.pointers[:n:n]
	s.pointers = s.pointers[n:]
	for i := range out {
		out[i] = s.next()
	}
	return out
}
