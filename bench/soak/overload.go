package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/parley-nlp/parley/internal/load"
)

// An overloadCmd is "soak overload".
type overloadCmd struct {
	commonFlags
	heavyLoad
	DocumentBytes int           `default:"16384" help:"About the length of each text. Default: ${default}."`
	Times         float64       `default:"4" help:"Load as a multiple of the capacity. Default: ${default}."`
	Duration      time.Duration `default:"30s" help:"How long. Default: ${default}."`
	Calm          time.Duration `default:"10s" help:"How long half of the capacity is asked for before and after. Default: ${default}."`
	P99           time.Duration `name:"p99" default:"500ms" help:"Bound for the answered calls of the overload. Default: ${default}."`
}

// The promises.
const (
	leastGoodput = 0.9             // of the peak
	recovery     = 2 * time.Second // until calls are answered as before
	calmAgain    = 2               // p99 after the recovery, of that before the overload
)

// heavyModel reads characters, unless a model is given: with words alone a call
// takes little more than reading what its client has sent, refused or not.
func (c *overloadCmd) heavyModel(w *workshop) (string, error) {
	if c.Model != "" {
		return c.Model, nil
	}
	return w.train("heavy", "short", "1")
}

// Run asks for half of the capacity, a multiple of it, and half of it again.
func (c *overloadCmd) Run(e *env) error {
	return c.soak(e, func(w *workshop) error {
		model, err := c.heavyModel(w)
		if err != nil {
			return err
		}
		s, err := w.serve("-m", model, "--log-level", "error")
		if err != nil {
			return err
		}
		target, most, err := w.measure(s, 4, c.DocumentBytes, c.heavyLoad)
		if err != nil {
			return err
		}
		defer target.Close()
		before, err := c.part(w, target, most/2, c.Calm, nil)
		if err != nil {
			return err
		}
		w.title("%g times the capacity for %s", c.Times, c.Duration)
		over, err := c.part(w, target, most*c.Times, c.Duration, nil)
		if err != nil {
			return err
		}
		c.tellOverload(w, over, max(most, before.AnsweredPerSecond))
		w.title("half of the capacity again")
		seen := &aftermath{began: time.Now()}
		if _, err := c.part(w, target, most/2, max(c.Calm, 2*recovery), seen.watch); err != nil {
			return err
		}
		seen.tell(w, before)
		return s.explain(stillThere(s))
	})
}

func stillThere(s *server) error {
	if s.hasEnded() {
		return fmt.Errorf("%s ended: %s", s.name, s.cmd.ProcessState)
	}
	return nil
}

// part makes an open loop and prints its figures.
func (c *overloadCmd) part(w *workshop, target *load.Target, rate float64, d time.Duration, watch func(load.Call)) (*load.Result, error) {
	r, err := target.Run(w.ctx, w.documents, load.Config{
		Rate: rate, MaxInFlight: 50000, Duration: d, Timeout: timeout, Seed: w.Seed, Observe: watch,
	})
	if err != nil {
		return nil, err
	}
	w.figure("asked for", "%.0f calls/s; sent %d, at most %d in flight, %d held back", rate, r.Answered+r.Failed, r.MostInFlight, r.Held+r.Unsent)
	w.figure("answered", "%.0f calls/s", r.AnsweredPerSecond)
	w.figure("latency of answers ms", "%s", r.Latency)
	if r.Failed > 0 {
		w.figure("latency of failures ms", "%s", r.FailedLatency)
	}
	w.figure("send lag ms", "%s", r.SendLag)
	for _, e := range r.Errors {
		w.figure("error "+e.Code, "%d times %s, %d with RetryInfo: %s", e.Count, e.Reason, e.RetryInfo, e.Example)
	}
	return r, w.ctx.Err()
}

func (c *overloadCmd) tellOverload(w *workshop, r *load.Result, peak float64) {
	w.promise(r.AnsweredPerSecond >= leastGoodput*peak, "goodput", "%.0f calls/s, %.2f of the peak of %.0f, at least %.2f", r.AnsweredPerSecond, r.AnsweredPerSecond/peak, peak, leastGoodput)
	w.promise(r.Latency.P99 <= ms(c.P99), "p99 of answers", "%.1f ms, at most %.1f", r.Latency.P99, ms(c.P99))
	shed := 0
	for _, e := range r.Errors {
		if e.Code == "ResourceExhausted" && e.Reason == "OVERLOADED" && e.RetryInfo == e.Count {
			shed += e.Count
		}
	}
	w.promise(int64(shed) == r.Failed && shed > 0, "the rest is told to come back", "%d of %d failures are RESOURCE_EXHAUSTED, OVERLOADED, with RetryInfo", shed, r.Failed)
}

// An aftermath is what follows an overload.
type aftermath struct {
	began time.Time

	mu         sync.Mutex
	lastFailed time.Duration // after began, when the last call that failed was due
	failed     int
	later      []time.Duration // latency of calls that were due after the recovery
}

func (a *aftermath) watch(c load.Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	due := c.Due.Sub(a.began)
	if c.Failure != nil {
		a.failed++
		a.lastFailed = max(a.lastFailed, due)
	}
	if due > recovery && c.Failure == nil {
		a.later = append(a.later, c.Latency())
	}
}

func (a *aftermath) tell(w *workshop, before *load.Result) {
	w.promise(a.lastFailed <= recovery && len(a.later) > 0, "no call fails any more", "%d failed, the last one %.2f s after the overload, at most %.0f s", a.failed, a.lastFailed.Seconds(), recovery.Seconds())
	after := ms(p99(a.later))
	w.promise(after <= calmAgain*before.Latency.P99, "p99 is as it was", "%.2f ms from %.0f s after the overload on, %.2f ms before it: %.2f times, at most %d", after, recovery.Seconds(), before.Latency.P99, after/before.Latency.P99, calmAgain)
}
