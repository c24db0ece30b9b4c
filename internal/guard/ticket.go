package guard

import (
	"context"
	"runtime"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Ticket is a call that was let in. Nil is that of a call which passed no
// gate, and may be used as well.
type Ticket struct {
	admission *admission // nil if the call does not count
	pool      *pool      // nil if its number is not limited
	inPool    bool
	guard     *Guard
	name      string // of the method
	caller    *caller
	deadline  time.Time
	cancel    context.CancelFunc // of that deadline; unused: the context of the stream, its parent, ends first
	expects   *expectation

	tick    int64
	usual   load // what it counts for while it waits and receives
	running load
	turn    chan struct{} // closed when it is its turn; nil if it had it at once
	hasTurn bool
	begun   time.Time
	ended   bool
	bytes   int           // of its request, and callBytes
	least   time.Duration // that it takes
	refused refusalReason // after it was let in
}

type ticketKey struct{}

// TicketOf returns the ticket of a call, nil if it did not pass the gate.
func TicketOf(ctx context.Context) *Ticket {
	t, _ := ctx.Value(ticketKey{}).(*Ticket)
	return t
}

// Start is called when the goroutine of a call runs.
func (t *Ticket) Start() {
	if t != nil && t.admission != nil {
		t.admission.start(t)
	}
}

// Arrive is called when the bytes of a request are there, not decoded yet. Its
// error is the call's.
func (t *Ticket) Arrive(ctx context.Context, bytes int) error {
	if t != nil && t.pool != nil {
		if t.inPool = t.pool.enter(); !t.inPool {
			t.refused = labelsFull
			return t.guard.refuse(ctx, t.refused, t, 0)
		}
	}
	if t == nil || t.admission == nil {
		return nil
	}
	if t.refused = t.admission.begin(t, bytes); t.refused != noRefusal {
		return t.guard.refuse(ctx, t.refused, t, 0)
	}
	if err := t.wait(ctx); err != nil {
		return status.FromContextError(err).Err()
	}
	return nil
}

// wait waits until it is the turn of a call that has begun. Its error is that
// of ctx when that ends first.
func (t *Ticket) wait(ctx context.Context) error {
	if t.turn != nil {
		select {
		case <-t.turn:
			runtime.Gosched() // those that read and write go first
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t.begun = time.Now()
	return nil
}

// Failed is called when a request could not be received.
func (t *Ticket) Failed(err error) {
	if t != nil && t.refused == noRefusal && status.Code(err) == codes.ResourceExhausted {
		t.guard.counters.refused[messageTooLarge].Add(1) // by gRPC; the call has a log line of its own
	}
}

// End is called when the answer is made.
func (t *Ticket) End() {
	if t != nil && t.admission != nil {
		t.admission.end(t)
	}
	if t != nil && t.inPool {
		t.pool.leave()
	}
}

// RoleOf is what the caller of a call may do. Anybody may do everything where no
// credential is asked for.
func RoleOf(ctx context.Context) Role {
	if t := TicketOf(ctx); t != nil {
		return t.caller.role
	}
	return Admin
}

// ErrRole is the error of a call, or of a part of it, whose caller has none of the
// roles that it needs.
func ErrRole(ctx context.Context, needs Role) error {
	if t := TicketOf(ctx); t != nil {
		return errWrongRole(t.caller, needs)
	}
	return errWrongRole(anybody, needs)
}

// CallerOf is what the log calls the caller of a call, "" if anybody.
func CallerOf(ctx context.Context) string {
	if t := TicketOf(ctx); t != nil {
		return t.caller.name
	}
	return ""
}
