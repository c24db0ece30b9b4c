package guard

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"
)

// gate is what every call passes when its headers have come, before anything
// of its request is read: who calls, may they, is there time, is there room. It
// runs in the goroutine that reads the connection, so it must not wait.
func (g *Guard) gate(ctx context.Context, info *tap.Info) (context.Context, error) {
	m := g.rule(info.FullMethodName)
	if m.open {
		return ctx, nil
	}
	who, why := g.callers.caller(ctx, info.Header)
	if why == noRefusal && m.needs != 0 && who.role&m.needs == 0 {
		why = wrongRole
	}
	if why != noRefusal {
		return ctx, g.refuse(ctx, why, &Ticket{name: info.FullMethodName, caller: who}, m.needs)
	}
	deadline, own := g.deadline(ctx)
	t := &Ticket{guard: g, name: info.FullMethodName, caller: who, deadline: deadline}
	if m.counted {
		t.admission, t.expects = g.admission, m.expects
		if why = g.enter(t); why != noRefusal {
			return ctx, g.refuse(ctx, why, t, m.needs)
		}
	}
	if m.limited {
		if g.memory.full.Load() {
			return ctx, g.refuse(ctx, memoryFull, t, m.needs)
		}
		t.pool = g.labels
	}
	if !own {
		ctx, t.cancel = context.WithDeadline(ctx, deadline)
	}
	return context.WithValue(ctx, ticketKey{}, t), nil
}

// enter looks whether there is room for a call.
func (g *Guard) enter(t *Ticket) refusalReason {
	if g.memory.full.Load() {
		return memoryFull
	}
	return g.admission.enter(t)
}

// deadline returns when a call ends at the latest, and whether that is the
// deadline it has: if it has none it gets the default, if a later one the latest.
func (g *Guard) deadline(ctx context.Context) (deadline time.Time, own bool) {
	now := time.Now()
	deadline, own = ctx.Deadline()
	latest := now.Add(g.cfg.MaxTimeout)
	switch {
	case !own:
		return now.Add(min(g.cfg.DefaultTimeout, g.cfg.MaxTimeout)), false
	case deadline.After(latest):
		return latest, false
	}
	return deadline, true
}

// refuse counts and logs a refusal and returns its error.
func (g *Guard) refuse(ctx context.Context, why refusalReason, t *Ticket, needs Role) error {
	var from net.Addr
	if p, ok := peer.FromContext(ctx); ok {
		from = p.Addr
	}
	g.counters.refuse(why, t.name, t.caller, from)
	switch why {
	case wrongRole:
		return errWrongRole(t.caller, needs)
	case memoryFull:
		return g.errMemory
	case labelsFull:
		return g.errLabels
	case overloaded:
		return g.errOverloaded
	case shortDeadline:
		return errShortDeadline(time.Until(t.deadline), t.least)
	case unknownKey:
		return errUnauthenticated("the key is not one of this server's")
	}
	return errUnauthenticated("the call needs " + g.callers.schemes())
}
