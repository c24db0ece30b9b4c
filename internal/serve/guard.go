package serve

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// A Guard says who may call, how much at once, and for how long. The zero value
// of a field means its default.
type Guard struct {
	Security    Security
	Connections Connections

	// MaxQueue is how long calls may have to wait for a processor, as expected
	// from the calls before: 100 ms. When they would wait longer, calls are
	// refused.
	MaxQueue time.Duration
	// MemoryLimitBytes is how much memory the process should use at most; what
	// GOMEMLIMIT says. Near it all calls are refused. Setting the Go runtime's
	// own limit is the caller's business.
	MemoryLimitBytes int64
	// DefaultTimeout is the time for a call whose client set none; 30 s.
	DefaultTimeout time.Duration
	// MaxTimeout is the longest a call may take, whatever its client allows;
	// 2 min.
	MaxTimeout time.Duration
}

// Connections says how many connections there may be and how they end. The
// zero value of a field means its default.
type Connections struct {
	Max              int           // connections at a time; 1,000
	MaxStreams       int           // calls at a time on a connection; 256
	MaxHeaderBytes   int           // metadata of a call; 16 KiB
	HandshakeTimeout time.Duration // for TLS and the first frames; 10 s
	WriteTimeout     time.Duration // for a client to take some bytes; 30 s
	MaxAge           time.Duration // after which a client has to connect anew, give or take a tenth; 5 min
	MaxAgeGrace      time.Duration // for the calls that are then in flight; 30 s
	PingInterval     time.Duration // of the server, to clients that are silent; 1 min
	PingTimeout      time.Duration // for the answer; 20 s
	MinPingInterval  time.Duration // that clients have to keep; 10 s
}

func (g Guard) withDefaults() (Guard, error) {
	g.MaxQueue = cmp.Or(g.MaxQueue, 100*time.Millisecond)
	g.DefaultTimeout = cmp.Or(g.DefaultTimeout, 30*time.Second)
	g.MaxTimeout = cmp.Or(g.MaxTimeout, 2*time.Minute)
	g.Connections = g.Connections.withDefaults()
	g.Security.ReloadInterval = cmp.Or(g.Security.ReloadInterval, 5*time.Second)
	switch {
	case g.MaxQueue < 0 || g.MemoryLimitBytes < 0:
		return g, fmt.Errorf("a queue of %s and a memory limit of %d bytes: want more than 0", g.MaxQueue, g.MemoryLimitBytes)
	case g.DefaultTimeout < 0 || g.MaxTimeout < 0 || g.Security.ReloadInterval < 0:
		return g, fmt.Errorf("default timeout %s, longest timeout %s, reload interval %s: want more than 0", g.DefaultTimeout, g.MaxTimeout, g.Security.ReloadInterval)
	}
	if err := g.Connections.check(); err != nil {
		return g, err
	}
	return g, g.Security.check()
}

func (c Connections) withDefaults() Connections {
	return Connections{
		Max:              cmp.Or(c.Max, 1000),
		MaxStreams:       cmp.Or(c.MaxStreams, 256),
		MaxHeaderBytes:   cmp.Or(c.MaxHeaderBytes, 16<<10),
		HandshakeTimeout: cmp.Or(c.HandshakeTimeout, 10*time.Second),
		WriteTimeout:     cmp.Or(c.WriteTimeout, 30*time.Second),
		MaxAge:           cmp.Or(c.MaxAge, 5*time.Minute),
		MaxAgeGrace:      cmp.Or(c.MaxAgeGrace, 30*time.Second),
		PingInterval:     cmp.Or(c.PingInterval, time.Minute),
		PingTimeout:      cmp.Or(c.PingTimeout, 20*time.Second),
		MinPingInterval:  cmp.Or(c.MinPingInterval, 10*time.Second),
	}
}

func (c Connections) check() error {
	if c.Max < 0 || c.MaxStreams < 0 || c.MaxHeaderBytes < 0 {
		return fmt.Errorf("limits of %d connections, %d streams and %d header bytes: want more than 0", c.Max, c.MaxStreams, c.MaxHeaderBytes)
	}
	for _, d := range []time.Duration{c.HandshakeTimeout, c.WriteTimeout, c.MaxAge, c.MaxAgeGrace, c.PingInterval, c.PingTimeout, c.MinPingInterval} {
		if d < 0 {
			return fmt.Errorf("time %s for connections: want more than 0", d)
		}
	}
	return nil
}

// A guard stands before the methods. gate.go has the way of a call through it.
type guard struct {
	cfg       Guard
	counters  *GuardCounters
	rules     map[string]methodRule
	callers   *callers
	admission *admission
	memory    *memoryGuard
	scheduler *scheduler

	// Made once: under overload there is no time to.
	errOverloaded, errMemory error
}

func newGuard(cfg Guard, log zerolog.Logger) (*guard, error) {
	counters := newGuardCounters(log)
	callers, err := newCallers(cfg.Security, counters)
	if err != nil {
		return nil, err
	}
	memory := newMemoryGuard(cfg.MemoryLimitBytes, log)
	return &guard{
		cfg:       cfg,
		counters:  counters,
		rules:     methodRules(),
		callers:   callers,
		admission: newAdmission(cfg.MaxQueue),
		memory:    memory,
		scheduler: newScheduler(),

		errOverloaded: errOverloaded(cfg.MaxQueue),
		errMemory:     errMemory(memory.limit),
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

// options are those of a gRPC server behind the guard.
func (g *guard) options() []grpc.ServerOption {
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

// watch keeps the guard up to date until the function that it returns is
// called.
func (g *guard) watch() (stop func()) {
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
