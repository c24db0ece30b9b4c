package guard

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// A Guard stands before the methods. gate.go has the way of a call through it.
type Guard struct {
	cfg       Config
	counters  *Counters
	rules     map[string]methodRule
	callers   *callers
	admission *admission
	labels    *pool
	memory    *memoryGuard
	scheduler *scheduler

	// Made once: under overload there is no time to.
	errOverloaded, errMemory, errLabels error
}

// New returns a guard, which reads the files that its configuration names. Its
// log gets a line for what is refused, for ten of a kind a second at most.
func New(cfg Config, log zerolog.Logger) (*Guard, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	counters := newCounters(log)
	callers, err := newCallers(cfg.Security, counters)
	if err != nil {
		return nil, err
	}
	memory := newMemoryGuard(cfg.MemoryLimitBytes, log)
	return &Guard{
		cfg:       cfg,
		counters:  counters,
		rules:     methodRules(),
		callers:   callers,
		admission: newAdmission(cfg.MaxQueue),
		labels:    &pool{limit: maxLabelCalls},
		memory:    memory,
		scheduler: newScheduler(),

		errOverloaded: errOverloaded(cfg.MaxQueue),
		errMemory:     errMemory(memory.limit),
		errLabels:     errLabels(maxLabelCalls),
	}, nil
}

// The windows are how many bytes a client may send that nobody has read yet:
// they bound what it can fill memory with. Those of gRPC would grow to 16 MiB;
// at first they are 64 KiB, of which a few calls beyond the server's capacity
// block all others of their connection.
const (
	streamWindow = 256 << 10
	connWindow   = 1 << 20
)

// Options are those of a gRPC server behind the guard.
func (g *Guard) Options() []grpc.ServerOption {
	c := g.cfg.Connections
	return []grpc.ServerOption{
		grpc.Creds(g.callers.credentials()),
		grpc.InTapHandle(g.gate),
		grpc.MaxConcurrentStreams(uint32(c.MaxStreams)),
		grpc.MaxHeaderListSize(uint32(c.MaxHeaderBytes)),
		grpc.ConnectionTimeout(c.HandshakeTimeout),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: c.MaxAge, MaxConnectionAgeGrace: c.MaxAgeGrace, Time: c.PingInterval, Timeout: c.PingTimeout,
		}),
		// Clients may ping idle connections: proxies forget those.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: c.MinPingInterval, PermitWithoutStream: true}),
	}
}

// tickInterval is how often the guard looks at the clock and the memory.
const tickInterval = 100 * time.Millisecond

// Counters are what the guard has done so far.
func (g *Guard) Counters() *Counters { return g.counters }

// InFlight returns the work that was let in and not answered yet: how many
// calls, and the time that they are expected to take.
func (g *Guard) InFlight() (calls int64, expected time.Duration) {
	work := g.admission.work()
	return work.calls, work.time
}

// Watch keeps the guard up to date until the function that it returns is
// called.
func (g *Guard) Watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick, reload := time.NewTicker(tickInterval), time.NewTicker(g.cfg.Security.ReloadInterval)
		defer tick.Stop()
		defer reload.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				g.admission.tick(g.scheduler.busy())
				g.memory.measure()
			case <-reload.C:
				g.callers.reload()
			}
		}
	}()
	return func() { cancel(); <-done }
}
