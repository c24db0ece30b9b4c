package serve

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// newTicket returns the ticket of a call that usually takes a millisecond.
func newTicket(a *admission) *ticket {
	return &ticket{admission: a, deadline: time.Now().Add(time.Hour), expects: &expectation{call: 1e6, byte: 100}}
}

// usually is what the admission expects of such a call, before its request has
// come.
const usually = callTime + time.Millisecond

func TestAdmissionCounts(t *testing.T) {
	a := &admission{limit: 10 * usually, cores: 2}
	check := func(step string, waiting, receiving, running load) {
		t.Helper()
		if got := a.waiting[0]; got != waiting {
			t.Errorf("%s: waiting %v, want %v", step, got, waiting)
		}
		if a.receiving != receiving || a.running != running {
			t.Errorf("%s: receiving %v, running %v, want %v and %v", step, a.receiving, a.running, receiving, running)
		}
	}
	one, none := load{1, usually}, load{}
	c := newTicket(a)
	if why := a.enter(c); why != noRefusal {
		t.Fatalf("an empty queue refuses: %s", refusalNames[why])
	}
	check("entered", one, none, none)
	a.start(c)
	check("started", none, one, none)
	if why := a.begin(c, 10_000-callBytes); why != noRefusal {
		t.Fatalf("an empty queue refuses: %s", refusalNames[why])
	}
	check("begun", none, none, load{1, callTime + time.Millisecond})
	if err := c.wait(t.Context()); err != nil || a.turns != 1 {
		t.Errorf("alone it has to wait: %v, %d turns", err, a.turns)
	}
	a.end(c)
	check("ended", none, none, none)

	c = newTicket(a)
	a.enter(c)
	a.start(c)
	a.end(c) // its request never came
	check("broken off", none, none, none)
}

func TestAdmissionIsFull(t *testing.T) {
	a := &admission{limit: 10 * usually, cores: 2}
	in := []*ticket{}
	for {
		c := newTicket(a)
		if why := a.enter(c); why != noRefusal {
			if why != overloaded {
				t.Errorf("refused as %s", refusalNames[why])
			}
			break
		}
		in = append(in, c)
	}
	if len(in) != 10 {
		t.Fatalf("%d calls were let in, want 10", len(in))
	}
	a.start(in[0])
	late := newTicket(a)
	if why := a.enter(late); why != noRefusal {
		t.Errorf("when one of them receives its request: %s", refusalNames[why])
	}
	// Calls that wait are gone after two ticks: gRPC may have ended them.
	a.tick(false)
	if why := a.enter(newTicket(a)); why != overloaded {
		t.Error("the calls were forgotten at once")
	}
	a.tick(false)
	if got := a.queue(); got != (load{}) {
		t.Errorf("after two ticks %v waits", got)
	}
	a.start(late) // it was not ended after all
	if got := a.queue(); got != (load{}) || a.receiving.calls != 2 {
		t.Errorf("a late start: %v waits, %v receives", got, a.receiving)
	}
}

// Even a limit of nothing lets as many calls in as there are processors.
func TestAdmissionNeverIdles(t *testing.T) {
	a := &admission{limit: 1, cores: 3}
	for i := range 5 {
		if why := a.enter(newTicket(a)); (why == noRefusal) != (i < 3) {
			t.Errorf("call %d: %q", i, refusalNames[why])
		}
	}
}

// Requests that are slow to come keep nobody out, unless the processors are
// busy.
func TestAdmissionOfSlowRequests(t *testing.T) {
	a := &admission{limit: usually, cores: 1, idleTicks: 100}
	for range 1000 {
		c := newTicket(a)
		if why := a.enter(c); why != noRefusal {
			t.Fatalf("refused: %s", refusalNames[why])
		}
		a.start(c)
	}
	a.tick(true)
	if why := a.enter(newTicket(a)); why != overloaded {
		t.Errorf("busy processors, much to receive: %q", refusalNames[why])
	}
	a.tick(false)
	if why := a.enter(newTicket(a)); why != overloaded {
		t.Errorf("a moment later: %q", refusalNames[why])
	}
	for range 5 {
		a.tick(false)
	}
	if why := a.enter(newTicket(a)); why != noRefusal {
		t.Errorf("idle processors: %s", refusalNames[why])
	}
}

// A few calls a processor have their turn; the others stand in line, first come
// first served, but for those whose clients have gone.
func TestLine(t *testing.T) {
	a := &admission{limit: time.Hour, cores: 1}
	var calls []*ticket
	for range callsPerCore + 4 {
		c := newTicket(a)
		a.enter(c)
		a.start(c)
		if why := a.begin(c, 0); why != noRefusal {
			t.Fatalf("refused: %s", refusalNames[why])
		}
		calls = append(calls, c)
	}
	has := func() (list []bool) {
		for _, c := range calls {
			list = append(list, c.hasTurn)
		}
		return list
	}
	check := func(step string, want ...bool) {
		t.Helper()
		if got := has()[callsPerCore:]; !slices.Equal(got, want) {
			t.Errorf("%s: turns of those in line %v, want %v", step, got, want)
		}
	}
	check("at first", false, false, false, false)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := calls[callsPerCore].wait(gone); err != context.Canceled {
		t.Errorf("a call whose client went waits on: %v", err)
	}
	a.end(calls[callsPerCore])
	a.end(calls[0])
	check("one went, one ended", false, true, false, false)
	if err := calls[callsPerCore+1].wait(t.Context()); err != nil {
		t.Error(err)
	}
	a.tick(true)
	check("busy", false, true, false, false)
	a.tick(false)
	check("those whose turn it is wait for something else", false, true, true, true)
	for _, c := range calls {
		if !c.ended {
			a.end(c)
		}
	}
	if a.turns != 0 || a.running != (load{}) || len(a.line) != 0 {
		t.Errorf("at the end %d turns, %v running, %d in line", a.turns, a.running, len(a.line))
	}
}

func TestAdmissionRefusesTheHopeless(t *testing.T) {
	a := &admission{limit: time.Hour, cores: 1}
	a.pace = float64(time.Second) / callBytes // a second a call at the best
	in := func(left time.Duration, bytes int) (refusalReason, refusalReason) {
		c := newTicket(a)
		c.deadline = time.Now().Add(left)
		if why := a.enter(c); why != noRefusal {
			return why, noRefusal
		}
		a.start(c)
		why := a.begin(c, bytes)
		if why == noRefusal {
			c.wait(t.Context())
		}
		pace := a.pace
		a.end(c)
		a.pace = pace
		return noRefusal, why
	}
	if why, _ := in(500*time.Millisecond, 0); why != shortDeadline {
		t.Errorf("half of the time that a call takes: %q", refusalNames[why])
	}
	if why, then := in(time.Minute, 0); why != noRefusal || then != noRefusal {
		t.Errorf("a minute: %q, %q", refusalNames[why], refusalNames[then])
	}
	if why, then := in(time.Minute, 60*callBytes); why != noRefusal || then != shortDeadline {
		t.Errorf("a minute for a call that takes longer: %q, %q", refusalNames[why], refusalNames[then])
	}
	a.running = load{1, 2 * time.Minute}
	if why, _ := in(59*time.Second, 0); why != shortDeadline {
		t.Errorf("behind two minutes of others: %q", refusalNames[why])
	}
	a.running = load{}
	for range 50 { // refused calls teach nothing, so the estimate falls by itself
		a.tick(false)
	}
	if why, _ := in(500*time.Millisecond, 0); why != noRefusal {
		t.Errorf("later: %s", refusalNames[why])
	}
}

func TestLearning(t *testing.T) {
	a, e := &admission{}, &expectation{}
	for range 1000 {
		a.learn(100)
		e.learn(time.Millisecond, 10_000)
	}
	if a.pace < 99.9 || a.pace > 100 || e.call < 0.999e6 || e.call > 1e6 || e.byte < 99.9 || e.byte > 100 {
		t.Errorf("after the same 1,000 times: pace %g, expectation %+v, want 100, 1e6 and 100", a.pace, e)
	}
	e.learn(time.Hour, 10_000) // it waited for something
	if e.call > 1.2e6 || e.byte > 120 {
		t.Errorf("after a call that was held up: %+v", e)
	}
	for range 200 {
		e.learn(100*time.Millisecond, 10_000)
	}
	if e.call < 0.9e8 || e.byte < 9000 {
		t.Errorf("after 200 calls of 100 ms: %+v", e)
	}
	for range 8 {
		a.learn(1000) // a stall
	}
	if a.pace > 300 {
		t.Errorf("after a stall the best pace is %g", a.pace)
	}
	for range 8 {
		a.learn(50)
	}
	if a.pace > 100 {
		t.Errorf("after faster calls the best pace is %g", a.pace)
	}
}

// A slowService answers when it is told to, or works for a time.
type slowService struct {
	parleyv1.UnimplementedClassificationServiceServer
	running atomic.Int64
	release chan struct{}
	work    time.Duration
	seen    func(ctx context.Context)
}

func (s *slowService) Classify(ctx context.Context, _ *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
	s.running.Add(1)
	defer s.running.Add(-1)
	if s.seen != nil {
		s.seen(ctx)
	}
	if s.release != nil {
		select {
		case <-s.release:
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	for end := time.Now().Add(s.work); time.Now().Before(end); {
	}
	return &parleyv1.ClassifyResponse{}, nil
}

// startSlow runs a server in front of a slow service, on loopback.
func startSlow(t *testing.T, cfg Config, slow *slowService) *service {
	t.Helper()
	log := &journal{}
	cfg.Log = zerolog.New(log)
	s, err := NewFor(cfg, slow)
	if err != nil {
		t.Fatal(err)
	}
	s.Use(newModel(t, 1))
	conn, err := grpc.NewClient(serveOnLoopback(t, s), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &service{s, parleyv1.NewClassificationServiceClient(conn), parleyv1.NewModelServiceClient(conn), conn, log, nil}
}

// With as much in flight as may be, further calls are refused and told when to
// come again; health checks and the control plane are not.
func TestOverloadIsRefused(t *testing.T) {
	slow := &slowService{release: make(chan struct{})}
	s := startSlow(t, Config{Guard: Guard{MaxQueue: time.Nanosecond}}, slow)
	var calls sync.WaitGroup
	for range s.guard.admission.cores {
		calls.Go(func() {
			if _, err := s.client.Classify(t.Context(), request("shares", nil)); err != nil {
				t.Errorf("a call that was let in: %v", err)
			}
		})
		waitFor(t, "the call to run", func() bool { return slow.running.Load() == s.guard.admission.work().calls && slow.running.Load() > 0 })
	}
	waitFor(t, "all to run", func() bool { return slow.running.Load() == s.guard.admission.cores })
	_, err := s.client.Classify(t.Context(), request("shares", nil))
	cores := time.Duration(s.guard.admission.cores) // 1 ns for each
	want := "ResourceExhausted: calls would have to wait longer than the server's limit, 1ns\nparley/OVERLOADED map[limit:queue value:1ns]\nretry after 1s"
	if got := refusal(err); got != want {
		t.Errorf("with %d calls in flight: got %s, want %s", cores, got, want)
	}
	if _, err := s.models.ListModels(t.Context(), &parleyv1.ListModelsRequest{}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a read of ModelService: %v", err)
	}
	if err := reach(t.Context(), s.conn, "RollbackModel"); status.Code(err) == codes.ResourceExhausted {
		t.Errorf("the control plane: %v", err)
	}
	s.checkHealth(t, serving)
	if !slices.ContainsFunc(s.log.events(), func(e map[string]any) bool { return e["refused"] == "overloaded" && e["method"] == classifyMethod }) {
		t.Errorf("logged %v", s.log.events())
	}
	if got := s.guard.counters.refused[overloaded].Load(); got != 2 {
		t.Errorf("%d refusals were counted, want 2", got)
	}
	close(slow.release)
	calls.Wait()
	if _, err := s.client.Classify(t.Context(), request("shares", nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	waitFor(t, "nothing to be in flight", func() bool { return s.guard.admission.work() == load{} })
}

// Far more calls than the processors can do: some are answered, the others
// refused, none fails otherwise, and afterwards everything is as before.
func TestOverload(t *testing.T) {
	slow := &slowService{work: time.Millisecond}
	s := startSlow(t, Config{Guard: Guard{MaxQueue: 5 * time.Millisecond}}, slow)
	var answered, refused atomic.Int64
	var clients sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for range 200 {
		clients.Go(func() {
			for ctx.Err() == nil {
				_, err := s.client.Classify(t.Context(), request("shares", nil))
				switch {
				case err == nil:
					answered.Add(1)
				case status.Code(err) == codes.ResourceExhausted && strings.Contains(refusal(err), "retry after"):
					refused.Add(1)
				default:
					t.Errorf("got %v", err)
				}
			}
		})
	}
	waitFor(t, "answers and refusals", func() bool { return answered.Load() > 300 && refused.Load() > 300 })
	s.checkHealth(t, serving)
	stop()
	clients.Wait()
	t.Logf("%d answered, %d refused", answered.Load(), refused.Load())
	waitFor(t, "nothing to be in flight", func() bool { return s.guard.admission.work() == load{} })
	if _, err := s.client.Classify(t.Context(), request("shares", nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDeadlines(t *testing.T) {
	var left time.Duration
	slow := &slowService{seen: func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
	}}
	s := startSlow(t, Config{Guard: Guard{DefaultTimeout: 20 * time.Minute, MaxTimeout: 40 * time.Minute}}, slow)
	for _, c := range []struct{ asked, low, high time.Duration }{
		{0, 10 * time.Minute, 20 * time.Minute}, // the default
		{30 * time.Minute, 20 * time.Minute, 30 * time.Minute},
		{3 * time.Hour, 30 * time.Minute, 40 * time.Minute}, // the longest
	} {
		ctx := t.Context()
		if c.asked > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.asked)
			defer cancel()
		}
		if _, err := s.client.Classify(ctx, request("shares", nil)); err != nil || left < c.low || left > c.high {
			t.Errorf("asked for %s: %s were left, error %v, want %s to %s", c.asked, left, err, c.low, c.high)
		}
	}
	s.guard.admission.pace = float64(time.Hour) / callBytes
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	_, err := s.client.Classify(ctx, request("shares", nil))
	if got := refusal(err); !strings.HasPrefix(got, "DeadlineExceeded: the deadline is in 29m59.") || !strings.Contains(got, "\nparley/INSUFFICIENT_DEADLINE map[expected_ms:") {
		t.Errorf("a hopeless call: got %s", got)
	}
	if got := s.guard.counters.refused[shortDeadline].Load(); got != 1 {
		t.Errorf("%d refusals were counted, want 1", got)
	}
}

// A call whose client set no deadline ends at the default one.
func TestDefaultTimeoutEndsCalls(t *testing.T) {
	s := startSlow(t, Config{Guard: Guard{DefaultTimeout: 10 * time.Millisecond}}, &slowService{release: make(chan struct{})})
	_, err := s.client.Classify(t.Context(), request("shares", nil))
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v, want %s", err, codes.DeadlineExceeded)
	}
}
