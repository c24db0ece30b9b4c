package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/parley-nlp/parley/internal/load"
)

// A killCmd is "soak kill".
type killCmd struct {
	commonFlags
	Terms      int           `default:"100" help:"Servers ended by SIGTERM. Default: ${default}."`
	Kills      int           `default:"20" help:"Servers ended by SIGKILL. Every other one stands still for --stall before, so that calls wait there. Default: ${default}."`
	Stall      time.Duration `default:"100ms" help:"See --kills. Default: ${default}."`
	Rate       float64       `default:"200" help:"Calls a second. Default: ${default}."`
	Batch      int           `default:"20" help:"Documents of a call; 0: Classify. Default: ${default}."`
	Pause      time.Duration `default:"500ms" help:"Longest time between a restarted server's first answer and the next kill. Default: ${default}."`
	DrainDelay time.Duration `default:"300ms" help:"--drain-delay of the servers. Default: ${default}."`
}

// Run kills servers one at a time: the next one when the one before has
// answered a call again.
func (c *killCmd) Run(e *env) error {
	return c.soak(e, func(w *workshop) error {
		var servers []*server
		for range 3 {
			s, err := w.serve(patient, "-m", w.model, "--drain-delay", c.DrainDelay.String(), "--log-level", "warn")
			if err != nil {
				return err
			}
			servers = append(servers, s)
		}
		target, err := load.Dial(addressesOf(servers), 1)
		if err != nil {
			return err
		}
		defer target.Close()
		for _, p := range []*killPhase{{sig: syscall.SIGTERM, times: c.Terms}, {sig: syscall.SIGKILL, times: c.Kills}} {
			if err := p.run(w, c, servers, target); err != nil {
				return err
			}
		}
		return nil
	})
}

// A killPhase is a number of kills by one signal.
type killPhase struct {
	sig   syscall.Signal
	times int

	mu       sync.Mutex
	killings []*killing
	strays   []string // attempts that failed for another reason than a kill
	hit      int      // calls that had an attempt in flight on a server when it was killed
	retried  int      // those of them that were retried
}

// A killing is the end of one server. Gone is zero until it is known to have
// ended.
type killing struct {
	address  string
	at, gone time.Time
}

func (p *killPhase) run(w *workshop, c *killCmd, servers []*server, target *load.Target) error {
	if p.times == 0 {
		return nil
	}
	draws := rand.New(rand.NewPCG(c.Seed, uint64(p.sig)))
	calls := w.stream(target, load.Config{Rate: c.Rate, MaxInFlight: 10000, Batch: c.Batch, Timeout: 20 * time.Second, Seed: c.Seed}, p.watch)
	defer calls.end()
	began := time.Now()
	for _, s := range servers {
		if err := w.await(s.name+" answers", func() bool { return calls.answeredSince(s.address, began) }); err != nil {
			return err
		}
	}
	for i := range p.times {
		if !w.sleep(time.Duration(draws.Int64N(int64(c.Pause) + 1))) {
			return w.ctx.Err()
		}
		s := servers[draws.IntN(len(servers))]
		if err := p.kill(w, s, c.Stall*time.Duration(i%2)); err != nil {
			return err
		}
		began := time.Now()
		if err := s.start(); err != nil {
			return err
		}
		if err := w.await(s.name+" answers again", func() bool { return calls.answeredSince(s.address, began) }); err != nil {
			return err
		}
	}
	r, err := calls.end()
	if err != nil {
		return err
	}
	p.tell(w, r)
	return nil
}

// kill ends a server. One that is to die at once may stand still before, as a
// machine does that swaps or whose disk hangs.
func (p *killPhase) kill(w *workshop, s *server, stall time.Duration) error {
	if p.sig == syscall.SIGKILL && stall > 0 {
		if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		w.sleep(stall)
	}
	k := &killing{address: s.address, at: time.Now()}
	p.mu.Lock()
	p.killings = append(p.killings, k)
	p.mu.Unlock()
	err := s.end(p.sig)
	p.mu.Lock()
	k.gone = time.Now()
	p.mu.Unlock()
	return err
}

// notice is how long a client may take to see that its connection has ended.
// What it sends meanwhile is in flight on the killed server, too.
const notice = 200 * time.Millisecond

// caused reports whether an attempt was in flight on the server when it was
// killed.
func (k *killing) caused(a load.Attempt) bool {
	return a.Address == k.address && a.Ended.After(k.at) && (k.gone.IsZero() || a.Began.Before(k.gone.Add(notice)))
}

// watch sorts the attempts of a call.
func (p *killPhase) watch(c load.Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hit := false
	for _, a := range c.Attempts {
		caused := false
		for _, k := range p.killings {
			caused = caused || k.caused(a)
		}
		hit = hit || caused && a.Err != nil
		if a.Err != nil && a.Address != "" && !caused && len(p.strays) < 20 {
			p.strays = append(p.strays, fmt.Sprintf("%s: %v", a.Address, a.Err))
		}
	}
	if hit {
		p.hit++
		if c.Failure == nil {
			p.retried++
		}
	}
}

func (p *killPhase) tell(w *workshop, r *load.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.title("%s, %d times: %s", signalName(p.sig), p.times, r.Load)
	w.figure("calls", "%d answered in %.0f s, %d held back, at most %d in flight", r.Answered, r.Seconds, r.Held, r.MostInFlight)
	w.figure("latency ms", "%s", r.Latency)
	w.figure("attempts", "%s", r.Attempts)
	for _, s := range r.Servers {
		w.figure("server "+s.Address, "%d attempts, %d failed", s.Attempts, s.Failed)
	}
	for _, e := range r.Errors {
		w.figure("error "+e.Code, "%d times %s: %s", e.Count, e.Reason, e.Example)
	}
	w.promise(r.Failed == 0 && r.ItemErrors == 0 && r.Answered > 0, "no call failed", "%d calls and %d documents failed of %d calls", r.Failed, r.ItemErrors, r.Answered+r.Failed)
	if p.sig == syscall.SIGKILL {
		w.promise(len(p.strays) == 0, "only calls in flight were retried", "%d attempts failed elsewhere or later %q", len(p.strays), p.strays)
		w.promise(p.retried == p.hit, "none of them was lost", "%d calls were in flight on killed servers and failed there, %d were answered by another", p.hit, p.retried)
	}
}

func signalName(s syscall.Signal) string {
	if s == syscall.SIGKILL {
		return "SIGKILL"
	}
	return "SIGTERM"
}
