package load

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/stats"
)

// An Attempt is one try of a call. A call has more than one when the client
// retried it.
type Attempt struct {
	// Address is the server's; "" when the attempt was never sent.
	Address string
	// Transparent tells that gRPC made the attempt because the one before did not
	// reach a server's application.
	Transparent  bool
	Began, Ended time.Time
	// Err is nil when the attempt was answered.
	Err error
}

// attempts are those of a call. gRPC fills them in while the call runs.
type attempts struct {
	mu   sync.Mutex
	list []*Attempt
}

func (a *attempts) snapshot() []Attempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]Attempt, len(a.list))
	for i, t := range a.list {
		list[i] = *t
	}
	return slices.Clip(list)
}

type (
	attemptsKey struct{} // *attempts: of a call
	attemptKey  struct{} // *Attempt: one of them
)

// A recorder is a stats handler that writes down the attempts of calls whose
// context has attempts.
type recorder struct{}

// TagRPC is called once an attempt.
func (recorder) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	all, ok := ctx.Value(attemptsKey{}).(*attempts)
	if !ok {
		return ctx // a health watch
	}
	t := &Attempt{}
	all.mu.Lock()
	all.list = append(all.list, t)
	all.mu.Unlock()
	return context.WithValue(ctx, attemptKey{}, t)
}

// HandleRPC takes an event of an attempt.
func (recorder) HandleRPC(ctx context.Context, s stats.RPCStats) {
	t, ok := ctx.Value(attemptKey{}).(*Attempt)
	if !ok {
		return
	}
	all := ctx.Value(attemptsKey{}).(*attempts)
	all.mu.Lock()
	defer all.mu.Unlock()
	switch s := s.(type) {
	case *stats.Begin:
		t.Began, t.Transparent = s.BeginTime, s.IsTransparentRetryAttempt
	case *stats.OutHeader:
		if s.RemoteAddr != nil {
			t.Address = s.RemoteAddr.String()
		}
	case *stats.End:
		t.Ended, t.Err = s.EndTime, s.Error
	}
}

// TagConn and HandleConn are for events of connections, which are not needed.
func (recorder) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (recorder) HandleConn(context.Context, stats.ConnStats)                       {}
