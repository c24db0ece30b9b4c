package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/parley-nlp/parley/client"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A Config says what load to make.
type Config struct {
	// Rate is the mean number of calls a second in an open loop; 0: closed loop.
	Rate float64
	// MaxInFlight bounds the calls of an open loop that wait for an answer. A call
	// beyond it starts late, and is counted as held.
	MaxInFlight int
	// Concurrency is the number of callers in a closed loop.
	Concurrency int
	// Batch is the number of documents of a BatchClassify; 0: Classify.
	Batch int
	// WarmUp comes before Duration; its calls are not counted.
	WarmUp, Duration time.Duration
	// Timeout is the deadline of each call, from when it is sent.
	Timeout time.Duration
	// Seed determines the arrivals and the order of the documents.
	Seed uint64
	// Observe, if there is one, is called with every call that is counted, one at a
	// time and in the order in which they end.
	Observe func(Call)
}

// Check returns an error when a field is out of its limits.
func (c Config) Check() error {
	switch {
	case !(c.Rate >= 0 && c.Rate <= 1e6):
		return fmt.Errorf("rate %v: want 0 to 1,000,000 calls a second", c.Rate)
	case c.Rate > 0 && (c.MaxInFlight < 1 || c.MaxInFlight > 1_000_000):
		return fmt.Errorf("%d calls in flight: want 1 to 1,000,000", c.MaxInFlight)
	case c.Rate == 0 && (c.Concurrency < 1 || c.Concurrency > 100_000):
		return fmt.Errorf("concurrency %d: want 1 to 100,000", c.Concurrency)
	case c.Batch < 0 || c.Batch > 100_000:
		return fmt.Errorf("batches of %d: want 0 (no batches) to 100,000 documents", c.Batch)
	case c.WarmUp < 0 || c.Duration <= 0 || c.Timeout <= 0:
		return fmt.Errorf("warm-up %s, duration %s, timeout %s: want a duration and a timeout above 0", c.WarmUp, c.Duration, c.Timeout)
	}
	return nil
}

// A Target is one or more clients of the same servers.
type Target struct{ clients []*client.Client }

// Dial makes so many clients of a target, each with connections of its own.
func Dial(target string, connections int, opts ...client.Option) (*Target, error) {
	if connections < 1 || connections > 1000 {
		return nil, fmt.Errorf("%d connections: want 1 to 1,000", connections)
	}
	opts = append(slices.Clip(opts), client.WithDialOptions(grpc.WithStatsHandler(recorder{})))
	t := &Target{}
	for range connections {
		c, err := client.Dial(target, opts...)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		t.clients = append(t.clients, c)
	}
	return t, nil
}

// Close ends the connections.
func (t *Target) Close() error {
	var errs []error
	for _, c := range t.clients {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Run makes the load of c with documents, and returns when its last call has
// ended. When ctx ends no more calls are made, those in flight are waited for,
// and what there is so far is returned.
func (t *Target) Run(ctx context.Context, documents []*parleyv1.Document, c Config) (*Result, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if len(documents) == 0 {
		return nil, errors.New("no documents to send")
	}
	r := &run{cfg: c, target: t, documents: shuffled(documents, c.Seed), tally: newTally()}
	r.begin = time.Now()
	r.from = r.begin.Add(c.WarmUp)
	r.end = r.from.Add(c.Duration)
	if c.Rate > 0 {
		r.open(ctx)
	} else {
		r.closed(ctx)
	}
	r.calls.Wait()
	return r.result(), nil
}

func shuffled(documents []*parleyv1.Document, seed uint64) []*parleyv1.Document {
	list := slices.Clone(documents)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// A run is one load in progress.
type run struct {
	cfg              Config
	target           *Target
	documents        []*parleyv1.Document
	begin, from, end time.Time
	calls            sync.WaitGroup
	tally            *tally
}

// result counts time until the last call ended: answers that came after the
// load's end were not given within it.
func (r *run) result() *Result {
	last := r.tally.last
	if time.Now().After(r.end) && last.Before(r.end) {
		last = r.end
	}
	out := r.tally.result(last.Sub(r.from))
	out.Load = r.cfg.shape(len(r.target.clients))
	return out
}
