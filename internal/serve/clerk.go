package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/metrics"
)

// Labels says where labels go. The zero value of a field means its default.
type Labels struct {
	// Open opens the ledger; nil: there is none. It is called again until it succeeds:
	// a server starts and classifies while its ledger is away.
	Open func(context.Context) (*ledger.Ledger, error)
	// Poll is how often the ledger is asked for its position; 5 s.
	Poll time.Duration
}

func (l Labels) withDefaults() (Labels, error) {
	l.Poll = cmp.Or(l.Poll, 5*time.Second)
	if l.Poll < 0 {
		return l, fmt.Errorf("ledger poll time %s: want more than 0", l.Poll)
	}
	return l, nil
}

// A clerk has the ledger: it opens it, looks whether it answers, and counts.
type clerk struct {
	cfg    Labels
	log    zerolog.Logger
	ledger atomic.Pointer[ledger.Ledger] // nil until it could be opened
	turn   chan struct{}                 // whoever fills it may open the ledger
	failed failedOpen
	ties   ties

	outcomes   [labelOutcomes]atomic.Uint64
	position   atomic.Int64
	lastAnswer atomic.Int64 // nanoseconds since 1970
	errors     atomic.Uint64
	took       *metrics.Histogram
}

// A failedOpen is the last attempt to open the ledger.
type failedOpen struct {
	sync.Mutex
	err  error
	time time.Time
}

// Times that a ledger may take: to be opened, to say its position; and how long after
// a failure calls do not try to open it.
const (
	openTimeout     = 5 * time.Second
	positionTimeout = 5 * time.Second
	openPause       = time.Second
)

func newClerk(cfg Labels, log zerolog.Logger) *clerk {
	if cfg.Open == nil {
		return nil
	}
	return &clerk{
		cfg: cfg, turn: make(chan struct{}, 1), ties: newTies(), took: newLedgerTimes(),
		log: log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}), // a ledger that is away fails every call
	}
}

func newLedgerTimes() *metrics.Histogram {
	return metrics.NewHistogram(float64(time.Second), int64(time.Millisecond), int64(10*time.Millisecond), int64(100*time.Millisecond), int64(time.Second))
}

// open returns the ledger, and opens it if need be. Its error is the call's.
func (c *clerk) open(ctx context.Context) (*ledger.Ledger, error) {
	if c == nil {
		return nil, errNoLedger()
	}
	if l := c.ledger.Load(); l != nil {
		return l, nil
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, c.fail(ctx, ctx.Err())
	}
	defer func() { <-c.turn }()
	if l := c.ledger.Load(); l != nil {
		return l, nil
	}
	if err := c.failed.recent(); err != nil {
		return nil, c.fail(ctx, err)
	}
	soon, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	l, err := c.cfg.Open(soon)
	if err != nil {
		if ctx.Err() == nil { // else it was the caller who gave up
			c.failed.set(err)
		}
		return nil, c.fail(ctx, err)
	}
	c.ledger.Store(l)
	return l, nil
}

func (f *failedOpen) set(err error) {
	f.Lock()
	defer f.Unlock()
	f.err, f.time = err, time.Now()
}

// recent returns the error of an attempt that was made a moment ago.
func (f *failedOpen) recent() error {
	f.Lock()
	defer f.Unlock()
	if time.Since(f.time) < openPause {
		return f.err
	}
	return nil
}

// fail returns what a call says of an error of the ledger, and logs one that is the
// ledger's fault: its errors hold no texts and no passwords.
func (c *clerk) fail(ctx context.Context, err error) error {
	if ctx.Err() == nil && isLedgersFault(err) {
		c.errors.Add(1)
		c.log.Warn().Str("request_id", callOf(ctx).id).Err(err).Msg("ledger")
	}
	return ledgerError(ctx, err)
}

// time measures what a call asks of the ledger.
func (c *clerk) time() (done func()) {
	start := time.Now()
	return func() { c.took.Observe(int64(time.Since(start))) }
}

// run looks at the ledger until ctx ends.
func (c *clerk) run(ctx context.Context) {
	look := time.NewTicker(c.cfg.Poll)
	defer look.Stop()
	for {
		c.look(ctx)
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// look asks the ledger for its position.
func (c *clerk) look(ctx context.Context) {
	c.ties.dropOld()
	l, err := c.open(ctx)
	if err != nil {
		return // logged
	}
	soon, cancel := context.WithTimeout(ctx, positionTimeout)
	defer cancel()
	position, err := l.Position(soon)
	if err == nil {
		c.position.Store(position)
		c.lastAnswer.Store(time.Now().UnixNano())
	} else if ctx.Err() == nil {
		c.errors.Add(1)
		c.log.Warn().Err(errors.Join(err, soon.Err())).Msg("ledger")
	}
}

func (c *clerk) close() {
	l := c.ledger.Load()
	if l == nil {
		return
	}
	if err := l.Close(); err != nil {
		c.log.Warn().Err(err).Msg("ledger")
	}
}
