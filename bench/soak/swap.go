package main

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/parley-nlp/parley/internal/load"
)

// A swapCmd is "soak swap".
type swapCmd struct {
	commonFlags
	heavyLoad
	DocumentBytes int           `default:"16384" help:"About the length of each text. Default: ${default}."`
	Swaps         int           `default:"120" help:"Swaps in the first part. Default: ${default}."`
	Faults        int           `default:"60" help:"Bad revisions in the second part; each is followed by a good one. Default: ${default}."`
	Every         time.Duration `default:"1s" help:"Time between two moves of the alias. Default: ${default}."`
	Share         float64       `default:"0.5" help:"Load as a share of the capacity. Default: ${default}."`
	Turn          int           `default:"10" help:"Swaps between two turns of as long without. Default: ${default}."`
	Poll          time.Duration `default:"200ms" help:"--poll of the server. Default: ${default}."`
}

// The promises.
const (
	p99Growth    = 1.25 // during swaps, of p99 without
	memoryGrowth = 1.10 // of the last quarter's memory over the second's
)

// Run swaps revisions under a share of the load that the server can take. Turns
// with swaps and without follow each other, so that both see the same machine.
func (c *swapCmd) Run(e *env) error {
	return c.soak(e, func(w *workshop) error {
		shelf, err := newShelf(w, "soak")
		if err != nil {
			return err
		}
		defer shelf.close()
		s, err := w.serve(patient, "--store", shelf.dir, "--model-name", shelf.name, "--poll", c.Poll.String())
		if err != nil {
			return err
		}
		target, most, err := w.measure(s, 1, c.DocumentBytes, c.heavyLoad)
		if err != nil {
			return err
		}
		defer target.Close()
		p := &swapping{w: w, cmd: c, shelf: shelf, server: s, target: target, rate: most * c.Share}
		if err := p.good(); err != nil {
			return err
		}
		return p.faulty()
	})
}

// A swapping is the load on a server whose revisions change.
type swapping struct {
	w      *workshop
	cmd    *swapCmd
	shelf  *shelf
	server *server
	target *load.Target
	rate   float64

	mu       sync.Mutex
	swaps    bool // the turn
	with     []time.Duration
	without  []time.Duration
	answered map[string]bool // revisions
	expected string          // the only revision that may answer; "" for any
	since    time.Time
	wrong    []string
}

func (p *swapping) watch(c load.Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Failure != nil {
		return
	}
	if p.swaps {
		p.with = append(p.with, c.Latency())
	} else {
		p.without = append(p.without, c.Latency())
	}
	id := filepath.Base(c.Revision)
	p.answered[id] = true
	if p.expected != "" && c.Due.After(p.since) && id != p.expected && len(p.wrong) < 10 {
		p.wrong = append(p.wrong, fmt.Sprintf("%.12s for %.12s", id, p.expected))
	}
}

func (p *swapping) turn(swaps bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swaps = swaps
}

// expect says which revision alone may answer calls that are due from now on.
func (p *swapping) expect(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected, p.since = id, time.Now()
}

// begin starts the load, and forgets what was seen before.
func (p *swapping) begin() *stream {
	p.with, p.without, p.answered, p.wrong, p.expected = nil, nil, map[string]bool{}, nil, ""
	return p.w.stream(p.target, load.Config{Rate: p.rate, MaxInFlight: 10000, Timeout: timeout, Seed: p.cmd.Seed}, p.watch)
}

// next moves the alias to the next good revision and waits until it answers.
func (p *swapping) next() (time.Duration, error) {
	id := p.shelf.nextGood()
	p.mu.Lock()
	p.answered[id] = false
	p.mu.Unlock()
	moved := time.Now()
	if err := p.shelf.promote(id); err != nil {
		return 0, err
	}
	err := p.w.await("revision "+id+" answers", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.answered[id]
	})
	return time.Since(moved), p.server.explain(err)
}

// good is the first part.
func (p *swapping) good() error {
	w, c := p.w, p.cmd
	w.title("%d swaps, one every %s, at %.0f calls/s", c.Swaps, c.Every, p.rate)
	calls := p.begin()
	defer calls.end()
	var memory []int64
	var slowest time.Duration
	for done := 0; done < c.Swaps; {
		p.turn(false)
		if !w.sleep(time.Duration(c.Turn) * c.Every) {
			return w.ctx.Err()
		}
		p.turn(true)
		for range min(c.Turn, c.Swaps-done) {
			tick := time.Now()
			took, err := p.next()
			if err != nil {
				return err
			}
			slowest = max(slowest, took)
			memory = append(memory, p.server.resident())
			done++
			w.sleep(c.Every - time.Since(tick))
		}
	}
	r, err := calls.end()
	if err != nil {
		return err
	}
	p.tellLoad(r)
	w.figure("from promotion to first answer", "%.0f ms at most, the store being looked at every %s", ms(slowest), c.Poll)
	w.promise(r.Failed == 0 && r.Answered > 0, "no call failed", "%d of %d", r.Failed, r.Answered+r.Failed)
	with, without := p99(p.with), p99(p.without)
	w.promise(ms(with) <= ms(without)*p99Growth, "p99 during swaps", "%.3f ms of %d calls, without %.3f ms of %d: %.2f times, at most %.2f",
		ms(with), len(p.with), ms(without), len(p.without), ms(with)/ms(without), p99Growth)
	p.tellMemory(memory)
	return nil
}

func (p *swapping) tellLoad(r *load.Result) {
	p.w.figure("calls", "%d answered by %d revisions, %d held back", r.Answered, len(r.Revisions), r.Held+r.Unsent)
	p.w.figure("latency ms", "%s", r.Latency)
	p.w.figure("send lag ms", "%s", r.SendLag)
	p.w.figure("attempts", "%s", r.Attempts)
	for _, e := range r.Errors {
		p.w.figure("error "+e.Code, "%d times %s: %s", e.Count, e.Reason, e.Example)
	}
}

// tellMemory compares quarters, as a heap swings from one collection to the
// next.
func (p *swapping) tellMemory(list []int64) {
	quarter := len(list) / 4
	if quarter == 0 || list[0] == 0 {
		p.w.figure("memory", "not compared: %d swaps, %.1f MiB", len(list), mib(mean(list)))
		return
	}
	second, last := mean(list[quarter:2*quarter]), mean(list[len(list)-quarter:])
	p.w.promise(float64(last) <= float64(second)*memoryGrowth, "memory is flat", "resident %.1f MiB after %d swaps, %.1f MiB in the last %d: %.2f times, at most %.2f",
		mib(second), 2*quarter, mib(last), quarter, float64(last)/float64(second), memoryGrowth)
}
