package serve

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A Shadow says how a share of the texts that the live revision answers is
// classified by the shadow revision too, after the answer, to tell how far the
// two agree.
type Shadow struct {
	// Share is the share of texts, 0 to 1.
	Share float64
	// Workers is how many texts are classified at once; one for four processors.
	Workers int
	// Queue is how many texts wait at most; 1,024. Those beyond are left out.
	Queue int
	// QueueBytes is how many bytes of text wait at most; 16 MiB.
	QueueBytes int
}

func (c Shadow) withDefaults() (Shadow, error) {
	c.Workers = cmp.Or(c.Workers, max(1, runtime.GOMAXPROCS(0)/4))
	c.Queue = cmp.Or(c.Queue, 1024)
	c.QueueBytes = cmp.Or(c.QueueBytes, 16<<20)
	switch {
	case !(c.Share >= 0 && c.Share <= 1):
		return c, fmt.Errorf("shadow share %v: want 0 to 1", c.Share)
	case c.Workers < 0 || c.Queue < 0 || c.QueueBytes < 0:
		return c, fmt.Errorf("shadow workers %d, queue of %d texts and %d bytes: want more than 0", c.Workers, c.Queue, c.QueueBytes)
	}
	return c, nil
}

// A shadower classifies texts again, off the path of the calls.
type shadower struct {
	cfg                     Shadow
	queue                   chan sample
	bytes                   atomic.Int64 // of text in the queue
	busy                    bool         // has the spare processor; changed by who changes what is held
	scored, dropped, failed atomic.Int64
}

func newShadower(cfg Shadow) *shadower {
	return &shadower{cfg: cfg, queue: make(chan sample, cfg.Queue)}
}

// A sample is a text and what the live revision said of it.
type sample struct {
	pair         *shadowPair
	text, target string
	asked        *parleyv1.ClassifyOptions // the thresholds
	answers      []sampleAnswer            // per head that was asked for
}

// A sampleAnswer is what the live revision said with one head.
type sampleAnswer struct {
	head, label string // the best label
	decision    model.Decision
	probability float64
}

// askedBy keeps of a call's options what a sample needs.
func askedBy(o *parleyv1.ClassifyOptions) *parleyv1.ClassifyOptions {
	if o == nil {
		return nil
	}
	return &parleyv1.ClassifyOptions{MinProbability: o.MinProbability, MinMargin: o.MinMargin}
}

// offer puts a text that w has just classified into the queue, if the lot falls
// on it and there is room. It never waits.
func (s *shadower) offer(w *worker, r *model.Result, text string, d *parleyv1.Document) {
	if s.cfg.Share < 1 && rand.Float64() >= s.cfg.Share {
		return
	}
	size := int64(len(text) + len(d.GetTarget()))
	if s.bytes.Add(size) > int64(s.cfg.QueueBytes) || len(s.queue) == cap(s.queue) {
		s.bytes.Add(-size)
		s.dropped.Add(1)
		return
	}
	if len(text) < len(d.GetText()) {
		text = strings.Clone(text) // to let go of the rest
	}
	select {
	case s.queue <- w.sample(r, text, d.GetTarget()):
	default:
		s.bytes.Add(-size)
		s.dropped.Add(1)
	}
}

// sample returns what w has just said of a text.
func (w *worker) sample(r *model.Result, text, target string) sample {
	out := sample{pair: w.pair, text: text, target: target, asked: w.asked, answers: make([]sampleAnswer, 0, len(w.heads))}
	for i, h := range w.heads {
		head, p := &w.model.Heads()[h], &r.Predictions[h]
		out.answers = append(out.answers, sampleAnswer{
			head.Name, head.Labels[p.Best], r.Decide(h, w.thresholds[i]), p.Probabilities[p.Best],
		})
	}
	return out
}

// setBusy says whether there is a shadow from now on.
func (s *shadower) setBusy(busy bool) {
	switch {
	case busy == s.busy:
	case busy:
		spare.take()
	default:
		spare.give()
	}
	s.busy = busy
}

// run classifies what is in the queue until ctx ends.
func (s *shadower) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range s.cfg.Workers {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case next := <-s.queue:
					s.judge(next)
				}
			}
		})
	}
	workers.Wait()
}

// judge classifies a sample with the shadow and counts. A panic there is no
// caller's trouble: it is counted.
func (s *shadower) judge(next sample) {
	defer func() {
		s.bytes.Add(-int64(len(next.text) + len(next.target)))
		if recover() != nil {
			s.failed.Add(1)
		}
	}()
	m := next.pair.shadow.model
	c := m.Acquire()
	defer m.Release(c)
	next.pair.count(&next, m, c.Classify(next.text, next.target))
	s.scored.Add(1)
}

// ShadowReport says how the shadow revision does.
func (s *Server) ShadowReport() ShadowReport {
	out := ShadowReport{Scored: s.shadow.scored.Load(), Dropped: s.shadow.dropped.Load(), Failed: s.shadow.failed.Load()}
	if h := s.held.Load(); h != nil && h.pair != nil {
		out.Live, out.Shadow, out.Heads = h.pair.live.id, h.pair.shadow.id, h.pair.report()
	}
	return out
}
