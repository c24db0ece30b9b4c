package serve

import (
	"context"
	"runtime"
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

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/serve/servetest"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// allRefused returns how many calls and connections were refused, by reason.
func (s *Server) allRefused() map[string]int64 {
	counts := map[string]int64{}
	for why, n := range s.guard.Counters().Refused() {
		counts[why] = n.Load()
	}
	return counts
}

func (s *Server) refused(why string) int64 { return s.allRefused()[why] }

// isIdle reports whether nothing is in flight.
func (s *Server) isIdle() bool {
	calls, expected := s.guard.InFlight()
	return calls == 0 && expected == 0
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
	conn, err := grpc.NewClient(servetest.Start(t, s), grpc.WithTransportCredentials(insecure.NewCredentials()))
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
	s := startSlow(t, Config{Guard: guard.Config{MaxQueue: time.Nanosecond}}, slow)
	var calls sync.WaitGroup
	cores := int64(runtime.GOMAXPROCS(0))
	for range cores {
		calls.Go(func() {
			if _, err := s.client.Classify(t.Context(), request("shares", nil)); err != nil {
				t.Errorf("a call that was let in: %v", err)
			}
		})
		waitFor(t, "the call to run", func() bool {
			calls, _ := s.guard.InFlight()
			return slow.running.Load() == calls && calls > 0
		})
	}
	waitFor(t, "all to run", func() bool { return slow.running.Load() == cores })
	_, err := s.client.Classify(t.Context(), request("shares", nil))
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
	if got := s.refused("overloaded"); got != 2 {
		t.Errorf("%d refusals were counted, want 2", got)
	}
	close(slow.release)
	calls.Wait()
	if _, err := s.client.Classify(t.Context(), request("shares", nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	waitFor(t, "nothing to be in flight", s.isIdle)
}

// Far more calls than the processors can do: some are answered, the others
// refused, none fails otherwise, and afterwards everything is as before.
func TestOverload(t *testing.T) {
	slow := &slowService{work: time.Millisecond}
	s := startSlow(t, Config{Guard: guard.Config{MaxQueue: 5 * time.Millisecond}}, slow)
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
	waitFor(t, "nothing to be in flight", s.isIdle)
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
	s := startSlow(t, Config{Guard: guard.Config{DefaultTimeout: 20 * time.Minute, MaxTimeout: 40 * time.Minute}}, slow)
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
}

// A call whose client set no deadline ends at the default one.
func TestDefaultTimeoutEndsCalls(t *testing.T) {
	s := startSlow(t, Config{Guard: guard.Config{DefaultTimeout: 10 * time.Millisecond}}, &slowService{release: make(chan struct{})})
	_, err := s.client.Classify(t.Context(), request("shares", nil))
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v, want %s", err, codes.DeadlineExceeded)
	}
}

// Without memory all calls but health checks are refused.
func TestFullMemoryRefusesCalls(t *testing.T) {
	s := startSlow(t, Config{Guard: guard.Config{MemoryLimitBytes: 1}}, &slowService{})
	waitFor(t, "the guard to look", func() bool { return len(s.log.events()) > 0 })
	if got := s.log.last(t)["message"]; got != "memory is short: calls are refused" {
		t.Errorf("logged %v", got)
	}
	_, err := s.client.Classify(t.Context(), request("shares", nil))
	want := "ResourceExhausted: the server's memory is nearly full; its limit is 1 bytes\nparley/OVERLOADED map[limit:memory value:1]\nretry after 1s"
	if got := refusal(err); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.checkHealth(t, serving)
	if got := s.refused("memory"); got != 1 {
		t.Errorf("%d refusals were counted, want 1", got)
	}
}
