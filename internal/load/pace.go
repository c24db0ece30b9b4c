package load

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// open starts calls at the times of a Poisson process. It waits for none of
// them, but for a slot when there are MaxInFlight.
func (r *run) open(ctx context.Context) {
	gaps := rand.New(rand.NewPCG(r.cfg.Seed, 1))
	slots := make(chan struct{}, r.cfg.MaxInFlight)
	last := r.begin
	for n := 0; ; n++ {
		due := last.Add(r.gap(gaps))
		last = due
		if due.After(r.end) || !waitUntil(ctx, due) {
			return
		}
		if len(slots) == cap(slots) {
			r.tally.held++
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if r.tally.held > 0 && time.Now().After(r.end) {
			r.tally.unsent += 1 + r.remaining(gaps, due)
			return
		}
		r.calls.Go(func() {
			r.call(ctx, n, due)
			<-slots
		})
	}
}

// gap draws the time between two arrivals.
func (r *run) gap(gaps *rand.Rand) time.Duration {
	return time.Duration(gaps.ExpFloat64() / r.cfg.Rate * float64(time.Second))
}

// remaining counts the arrivals after one that was due.
func (r *run) remaining(gaps *rand.Rand, due time.Time) int {
	for n := 0; ; n++ {
		if due = due.Add(r.gap(gaps)); due.After(r.end) {
			return n
		}
	}
}

// closed has Concurrency callers, each with one call at a time.
func (r *run) closed(ctx context.Context) {
	var next atomic.Int64
	for range r.cfg.Concurrency {
		r.calls.Go(func() {
			for ctx.Err() == nil {
				now := time.Now()
				if now.After(r.end) {
					return
				}
				r.call(ctx, int(next.Add(1)-1), now)
			}
		})
	}
}

// coarse is how far from its end a wait is left to the runtime's timers, which
// may be a millisecond late.
const coarse = 2 * time.Millisecond

// waitUntil reports whether t came before ctx ended.
func waitUntil(ctx context.Context, t time.Time) bool {
	if left := time.Until(t); left > coarse {
		timer := time.NewTimer(left - coarse)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	for left := time.Until(t); left > 0; left = time.Until(t) {
		fineSleep(left)
	}
	return ctx.Err() == nil
}
