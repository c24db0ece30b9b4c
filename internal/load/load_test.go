package load

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/model/modeltest"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/serve/servetest"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A service answers in a test's own way, behind everything else of the server.
type service struct {
	parleyv1.UnimplementedClassificationServiceServer
	classify func(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error)
}

func (s service) Classify(ctx context.Context, req *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
	return s.classify(ctx, req)
}

// start runs a server until the test ends, and returns its address.
func start(t *testing.T, own *service) string {
	t.Helper()
	build := serve.New
	if own != nil {
		build = func(c serve.Config) (*serve.Server, error) { return serve.NewFor(c, own) }
	}
	s, err := build(serve.Config{Log: zerolog.Nop(), Guard: guard.Config{MaxQueue: time.Minute}}) // none is refused on a slow machine
	if err != nil {
		t.Fatal(err)
	}
	s.Use(modeltest.Topics(t))
	return servetest.Start(t, s)
}

func dial(t *testing.T, address string, connections int) *Target {
	t.Helper()
	target, err := Dial(address, connections)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

func texts(list ...string) []*parleyv1.Document {
	var out []*parleyv1.Document
	for _, text := range list {
		out = append(out, &parleyv1.Document{Text: text})
	}
	return out
}

// quick is a short open loop.
var quick = Config{Rate: 400, MaxInFlight: 1000, Duration: 300 * time.Millisecond, Timeout: time.Minute, Seed: 7}

func mustRun(t *testing.T, target *Target, documents []*parleyv1.Document, c Config) *Result {
	t.Helper()
	r, err := target.Run(context.Background(), documents, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOpenLoopCountsEveryCall(t *testing.T) {
	first, second := start(t, nil), start(t, nil)
	target := dial(t, first+","+second, 2)
	observed := 0
	c := quick
	c.Observe = func(call Call) {
		observed++
		if call.Failure != nil || len(call.Attempts) == 0 || call.Server() == "" || call.Ended.Before(call.Sent) || call.Sent.Before(call.Due) {
			t.Errorf("observed %+v", call)
		}
	}
	r := mustRun(t, target, texts("a goal", "oil"), c)
	if r.Failed != 0 || r.Unsent != 0 || r.Answered < 60 || int(r.Answered) != observed || r.Documents != observed {
		t.Errorf("%d answered, %d failed, %d unsent, %d documents, %d observed, with about 120 due", r.Answered, r.Failed, r.Unsent, r.Documents, observed)
	}
	if len(r.Servers) != 2 || r.Servers[0].Attempts+r.Servers[1].Attempts != observed || r.Servers[0].Attempts == 0 || r.Servers[1].Attempts == 0 {
		t.Errorf("servers %+v", r.Servers)
	}
	if len(r.Revisions) != 1 || r.Revisions[0].Calls != observed || !strings.HasPrefix(r.Revisions[0].Revision, "models/default/revisions/") {
		t.Errorf("revisions %+v", r.Revisions)
	}
	var inBuckets int64
	for _, b := range r.Histogram {
		inBuckets += b.Calls
	}
	if inBuckets != r.Answered {
		t.Errorf("the histogram has %d calls of %d", inBuckets, r.Answered)
	}
}

// The arrivals of a seed are the same each time; those of another are not.
func TestArrivalsAreSeeded(t *testing.T) {
	target := dial(t, start(t, nil), 1)
	arrivals := func(seed uint64) []time.Duration {
		c := quick
		c.Seed = seed
		var due []time.Time
		c.Observe = func(call Call) { due = append(due, call.Due) }
		mustRun(t, target, texts("a goal"), c)
		slices.SortFunc(due, time.Time.Compare)
		var gaps []time.Duration
		for i := 1; i < len(due); i++ {
			gaps = append(gaps, due[i].Sub(due[i-1]))
		}
		return gaps
	}
	if a, b := arrivals(3), arrivals(3); !slices.Equal(a, b) || len(a) < 60 {
		t.Errorf("seed 3 gave %d gaps and then %d, equal: %v", len(a), len(b), slices.Equal(a, b))
	}
	if slices.Equal(arrivals(3), arrivals(4)) {
		t.Error("seeds 3 and 4 have the same arrivals")
	}
}

// A stall of the server is seen by all calls that are due meanwhile, not only
// by those in flight when it began.
func TestOpenLoopSeesStalls(t *testing.T) {
	var calls atomic.Int64
	var gate sync.RWMutex
	target := dial(t, start(t, &service{classify: func(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
		if calls.Add(1) == 20 {
			gate.Lock()
			time.Sleep(200 * time.Millisecond)
			gate.Unlock()
		}
		gate.RLock()
		defer gate.RUnlock()
		return &parleyv1.ClassifyResponse{}, nil
	}}), 1)
	late := 0
	c := quick
	c.Duration = 600 * time.Millisecond
	c.Observe = func(call Call) {
		if call.Latency() > 50*time.Millisecond {
			late++
		}
	}
	mustRun(t, target, texts("a goal"), c)
	if late < 20 { // 60 are due in the first 150 ms of the stall
		t.Errorf("%d calls were late", late)
	}
}

func TestLimitOfCallsInFlightIsReported(t *testing.T) {
	gate := make(chan struct{})
	target := dial(t, start(t, &service{classify: func(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
		<-gate
		return &parleyv1.ClassifyResponse{}, nil
	}}), 1)
	c := quick
	c.MaxInFlight = 3
	time.AfterFunc(2*c.Duration, func() { close(gate) })
	r := mustRun(t, target, texts("a goal"), c)
	if r.MostInFlight != 3 || r.Answered != 3 || r.Unsent < 30 {
		t.Errorf("%d in flight, %d answered, %d unsent", r.MostInFlight, r.Answered, r.Unsent)
	}
	if text := render(t, r); !strings.Contains(text, "LIMIT OF 3 HIT") {
		t.Errorf("the report does not tell:\n%s", text)
	}
}

func render(t *testing.T, r *Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What the client's retries hide from callers is counted.
func TestFirstAttemptsAreCounted(t *testing.T) {
	var attempts atomic.Int64
	target := dial(t, start(t, &service{classify: func(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
		if attempts.Add(1)%2 == 1 {
			return nil, status.Error(codes.Unavailable, "try another")
		}
		return &parleyv1.ClassifyResponse{}, nil
	}}), 1)
	c := Config{Concurrency: 1, Duration: 300 * time.Millisecond, Timeout: time.Minute}
	r := mustRun(t, target, texts("a goal"), c)
	want := AttemptCounts{All: 2 * int(r.Answered), FirstFailed: int(r.Answered), Retried: int(r.Answered), Most: 2}
	if r.Failed != 0 || r.Answered == 0 || r.Attempts != want || r.Servers[0].Failed != int(r.Answered) {
		t.Errorf("%d answered, %d failed, attempts %+v, want %+v; servers %+v", r.Answered, r.Failed, r.Attempts, want, r.Servers)
	}
}

func TestErrorsAreToldApart(t *testing.T) {
	var calls atomic.Int64
	target := dial(t, start(t, &service{classify: func(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
		if calls.Add(1)%3 == 0 {
			return nil, status.Error(codes.Internal, "its own")
		}
		s, err := status.New(codes.ResourceExhausted, "enough").WithDetails(
			&errdetails.ErrorInfo{Reason: "OVERLOADED", Domain: "parley"}, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
		if err != nil {
			t.Error(err)
		}
		return nil, s.Err()
	}}), 1)
	c := Config{Concurrency: 1, Duration: 200 * time.Millisecond, Timeout: time.Minute}
	r := mustRun(t, target, texts("a goal"), c)
	if r.Answered != 0 || r.Failed < 3 || len(r.Errors) != 2 {
		t.Fatalf("%d answered, %d failed, errors %+v", r.Answered, r.Failed, r.Errors)
	}
	shed, own := r.Errors[0], r.Errors[1]
	if shed.Code != "ResourceExhausted" || shed.Reason != "OVERLOADED" || shed.RetryInfo != shed.Count || shed.Example != "" {
		t.Errorf("shed %+v", shed)
	}
	if own.Code != "Internal" || own.Reason != "" || own.RetryInfo != 0 || own.Example != "its own" || int64(shed.Count+own.Count) != r.Failed {
		t.Errorf("own %+v", own)
	}
}

func TestItemsOfABatchFailAlone(t *testing.T) {
	target := dial(t, start(t, nil), 1)
	c := Config{Concurrency: 2, Batch: 4, Duration: 200 * time.Millisecond, Timeout: time.Minute}
	r := mustRun(t, target, texts("a goal", " ", "oil", "shares"), c)
	calls := int(r.Answered)
	if calls == 0 || r.Failed != 0 || r.Documents != 3*calls || r.ItemErrors != calls {
		t.Fatalf("%d answered, %d failed, %d documents, %d item errors", calls, r.Failed, r.Documents, r.ItemErrors)
	}
	if want := (ErrorCount{Item: true, Code: "InvalidArgument", Reason: "EMPTY_DOCUMENT", Count: calls}); len(r.Errors) != 1 || r.Errors[0] != want {
		t.Errorf("errors %+v, want %+v", r.Errors, want)
	}
	if text := render(t, r); !strings.Contains(text, "item error  InvalidArgument  EMPTY_DOCUMENT") {
		t.Errorf("the report does not tell:\n%s", text)
	}
}

// The calls of a warm-up are made and not counted.
func TestWarmUp(t *testing.T) {
	var calls atomic.Int64
	target := dial(t, start(t, &service{classify: func(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
		calls.Add(1)
		return &parleyv1.ClassifyResponse{}, nil
	}}), 1)
	c := quick
	c.WarmUp = c.Duration
	r := mustRun(t, target, texts("a goal"), c)
	if uncounted := calls.Load() - r.Answered; uncounted < 60 || r.Answered < 60 {
		t.Errorf("%d calls were made in the warm-up, %d counted after it", uncounted, r.Answered)
	}
}

// A load that is called off ends, and waits for what it has sent.
func TestCalledOff(t *testing.T) {
	target := dial(t, start(t, nil), 1)
	ctx, cancel := context.WithCancel(context.Background())
	c := quick
	c.Duration = time.Hour
	n := 0
	c.Observe = func(Call) {
		if n++; n == 10 {
			cancel()
		}
	}
	r, err := target.Run(ctx, texts("a goal"), c)
	if err != nil || r.Failed != 0 || r.Answered < 10 || r.Seconds > 3000 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFindCapacity(t *testing.T) {
	var calls atomic.Int64
	const most = 60 // in 200 ms: about 300 a second
	target := dial(t, start(t, &service{classify: func(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
		if calls.Add(1) > most {
			return nil, status.Error(codes.ResourceExhausted, "enough")
		}
		return &parleyv1.ClassifyResponse{}, nil
	}}), 1)
	for _, from := range []float64{50, 3000} {
		calls.Store(0)
		c := quick
		c.Rate, c.Duration = from, 200*time.Millisecond
		best, err := target.FindCapacity(context.Background(), texts("a goal"), c, time.Minute, func(tried Trial) {
			if tried.Sustained != (calls.Load() <= most) {
				t.Errorf("%v calls/s, sustained %v, made %d calls", tried.Rate, tried.Sustained, calls.Load())
			}
			calls.Store(0)
		})
		if err != nil || best.Rate < 150 || best.Rate > 600 || best.Result.Failed != 0 {
			t.Errorf("from %v: %+v, %v", from, best, err)
		}
	}
	c := quick
	c.Rate = 4
	if _, err := target.FindCapacity(context.Background(), texts("a goal"), c, 1, func(Trial) {}); err == nil || !strings.Contains(err.Error(), "not even ") {
		t.Errorf("a bound of a nanosecond: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for _, row := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Rate = -1 }, "rate -1: want 0 to 1,000,000 calls a second"},
		{func(c *Config) { c.Rate, c.MaxInFlight = 1, 0 }, "0 calls in flight: want 1 to 1,000,000"},
		{func(c *Config) { c.Rate, c.Concurrency = 0, 0 }, "concurrency 0: want 1 to 100,000"},
		{func(c *Config) { c.Batch = -1 }, "batches of -1: want 0 (no batches) to 100,000 documents"},
		{func(c *Config) { c.Duration = 0 }, "warm-up 0s, duration 0s, timeout 1m0s: want a duration and a timeout above 0"},
	} {
		c := quick
		row.change(&c)
		if err := c.Check(); err == nil || err.Error() != row.want {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
}
