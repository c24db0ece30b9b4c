package score

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/train"
)

// serveWith runs a server until the test ends; it has no model yet.
func serveWith(t *testing.T, cfg serve.Config) (s *serve.Server, addr string) {
	t.Helper()
	cfg.Log = zerolog.Nop()
	s, err := serve.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, lis) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s, lis.Addr().String()
}

// askWith returns a classifier that asks addr, with each call shown to see first,
// which may fail it.
func askWith(t *testing.T, addr string, calls Calls, see func() error) Classifier {
	t.Helper()
	first := grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if err := see(); err != nil {
			return err
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	})
	c, err := client.Dial(addr, client.WithDialOptions(first))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	r, err := Remote(c, Options{}, calls)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func nothing() error { return nil }

// The bytes do not depend on how many batches are worked on at a time, nor on who
// answers.
func TestSameBytesForAnyNumberOfWorkers(t *testing.T) {
	file := varied(1500)
	want, _, err := run(mustLocal(t, Options{}), file)
	if err != nil {
		t.Fatal(err)
	}
	c := start(t)
	for _, workers := range []int{1, 2, 3, 8, 64} {
		for name, classifier := range map[string]Classifier{"local": mustLocal(t, Options{}), "remote": mustRemote(t, c, Options{})} {
			j := jobOf(classifier, file)
			j.Workers = workers
			var out bytes.Buffer
			if _, err := j.Run(t.Context(), State{}, &out, nil); err != nil {
				t.Fatal(err)
			}
			if out.String() != strings.Join(want, "\n")+"\n" {
				t.Errorf("%s with %d workers: other bytes", name, workers)
			}
		}
	}
}

// Of models that are replaced in the middle of a run, no row gets its answer from
// a new one as long as the first is there: the server keeps the one before. Once
// it is gone the run ends, unless another revision is allowed.
func TestSwapInTheMiddleOfARun(t *testing.T) {
	file, third := strings.Repeat("{\"text\": \"a great goal\"}\n", 50*batchRows), otherModel(t)
	for _, test := range []struct {
		swaps     int32
		mayChange bool
		ends      bool
	}{{1, false, false}, {1, true, false}, {2, false, true}, {2, true, false}} {
		s, addr := serveWith(t, serve.Config{})
		s.Use(testModel(t))
		var calls atomic.Int32
		c := askWith(t, addr, Calls{Most: 2, MayChange: test.mayChange, RetryFor: time.Minute}, func() error {
			n := calls.Add(1)
			if n == 10 {
				s.Use(targetModel(t))
			}
			if n == 20 && test.swaps == 2 {
				s.Use(third)
			}
			return nil
		})
		lines, n, err := run(c, file)
		old := int64(strings.Count(strings.Join(lines, ""), testModel(t).Revision()))
		switch gone := test.swaps == 2; {
		case test.ends:
			if !errors.Is(err, ErrRevision) || !strings.Contains(err.Error(), testModel(t).Revision()) || n.Rows == 0 || old != n.Rows {
				t.Errorf("%+v: got %+v of which %d of the first revision, error %v", test, n, old, err)
			}
		case err != nil || n.Rows != 50*batchRows || old == 0 || (old == n.Rows) == gone:
			t.Errorf("%+v: got %+v of which %d of the first revision, error %v", test, n, old, err)
		}
	}
}

// otherModel is one more model with the heads of testModel.
func otherModel(t *testing.T) *model.Model {
	cfg := plain
	cfg.Alphas = []float64{0.5}
	var examples []dataset.Example
	for i := range 150 {
		examples = append(examples, dataset.Example{Text: topics[i%3][i%8] + " today", Labels: []string{topics[i%3][0], []string{"con", "neutral", "pro"}[i%3]}})
	}
	m, _, err := train.Train(t.Context(), examples, []string{"topic", "stance"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A run that goes on asks for the revision that it was begun with.
func TestRevisionThatARunWasBegunWith(t *testing.T) {
	s, addr := serveWith(t, serve.Config{ModelName: "news"})
	s.Use(testModel(t))
	id := testModel(t).Revision()
	c := askWith(t, addr, Calls{Revision: id}, nothing)
	if _, err := c.Classify(t.Context(), about("", "goal")); err != nil || c.Revision() != "models/news/revisions/"+id {
		t.Errorf("%s answers, error %v", c.Revision(), err)
	}
	for _, other := range []string{strings.Repeat("0", 64), "models/news/revisions/" + strings.Repeat("0", 64)} {
		if _, err := askWith(t, addr, Calls{Revision: other, RetryFor: time.Minute}, nothing).Classify(t.Context(), about("", "goal")); !errors.Is(err, ErrRevision) {
			t.Errorf("%s: got error %v, want %v", other, err, ErrRevision)
		}
	}
}

// A server that takes less than a batch gets less. What is too large for a call
// of its own is an error of its row.
func TestBatchesThatAServerDoesNotTake(t *testing.T) {
	file := strings.Repeat("{\"text\": \"a great goal in the match\"}\n", 250) + fmt.Sprintf("{\"text\": %q}\n", strings.Repeat("goal ", 800))
	want, _, err := run(mustLocal(t, Options{}), file)
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []serve.Config{{MaxBatchItems: 7}, {MaxBatchItems: 1}, {MaxMessageBytes: 3000}} {
		s, addr := serveWith(t, cfg)
		s.Use(testModel(t))
		lines, n, err := run(askWith(t, addr, Calls{}, nothing), file)
		if err != nil || n.Rows != 251 || !slices.Equal(lines[:250], want[:250]) {
			t.Errorf("%+v: got %+v, error %v", cfg, n, err)
			continue
		}
		if large := strings.Contains(lines[250], `"RESOURCE_EXHAUSTED"`); large != (cfg.MaxMessageBytes > 0) {
			t.Errorf("%+v: got %s", cfg, lines[250])
		}
	}
}

// A server that is not ready yet is waited for, but not for ever.
func TestServerThatIsNotReady(t *testing.T) {
	s, addr := serveWith(t, serve.Config{})
	_, err := askWith(t, addr, Calls{RetryFor: time.Millisecond}, nothing).Classify(t.Context(), about("", "goal"))
	if want := "no answer within 1ms, at last UNAVAILABLE: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got error %v, want %s...", err, want)
	}
	var told atomic.Value
	waiting := func(why string) {
		told.Store(why)
		s.Use(testModel(t))
	}
	c := askWith(t, addr, Calls{RetryFor: time.Hour, Waiting: waiting}, nothing)
	if rows, err := c.Classify(t.Context(), about("", "goal")); err != nil || rows[0].Err != nil || !strings.HasPrefix(fmt.Sprint(told.Load()), "UNAVAILABLE: ") || strings.Contains(fmt.Sprint(told.Load()), "max retries") {
		t.Errorf("got %+v, error %v, told %v", rows, err, told.Load())
	}
}

// Calls that a server refuses for the time being are made again, after the time
// it asks for, and fewer at once.
func TestRefusedCallsAreMadeAgain(t *testing.T) {
	s, addr := serveWith(t, serve.Config{})
	s.Use(testModel(t))
	busy, err := status.New(codes.ResourceExhausted, "too many calls").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	file := strings.Repeat("{\"text\": \"goal\"}\n", 12*batchRows)
	var calls atomic.Int32
	errs := []error{busy.Err(), status.Error(codes.Unavailable, "gone"), status.Error(codes.DeadlineExceeded, "slow"), nil, nil}
	c := askWith(t, addr, Calls{RetryFor: time.Hour}, func() error { return errs[int(calls.Add(1))%len(errs)] })
	lines, n, err := run(c, file)
	want, _, _ := run(mustLocal(t, Options{}), file)
	if err != nil || n.Errors > 0 || !slices.Equal(lines, want) {
		t.Errorf("got %+v, error %v", n, err)
	}
}

// What no retry mends ends the run at once, behind what was answered before.
func TestErrorsThatEndARun(t *testing.T) {
	s, addr := serveWith(t, serve.Config{})
	s.Use(testModel(t))
	var calls atomic.Int32
	c := askWith(t, addr, Calls{Most: 1, RetryFor: time.Hour}, func() error {
		if calls.Add(1) > 5 {
			return status.Error(codes.PermissionDenied, "not yours")
		}
		return nil
	})
	j := jobOf(c, strings.Repeat("{\"text\": \"goal\"}\n", 40*batchRows))
	j.Workers = 1
	state, err := j.Run(t.Context(), State{}, io.Discard, nil)
	if status.Code(err) != codes.PermissionDenied || state.Read != 5*batchRows || calls.Load() != 6 {
		t.Errorf("got error %v after %d rows and %d calls", err, state.Read, calls.Load())
	}
}

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		name  string
		most  int
		took  func(now float64) float64 // seconds of a call among so many
		least float64
		large float64
	}{
		{"a server that takes any number", 64, func(float64) float64 { return 1 }, 64, 64},
		{"no more than wanted", 8, func(float64) float64 { return 1 }, 8, 8},
		{"two at a time", 64, func(now float64) float64 { return max(1, now/2) }, 3, 9},
		{"ten at a time", 64, func(now float64) float64 { return max(1, now/10) }, 11, 17},
	} {
		l := newLimit(c.most)
		for range 20_000 {
			l.flying = int(l.now)
			l.learn(c.took(l.now))
		}
		if l.now < c.least || l.now > c.large {
			t.Errorf("%s: %.1f calls at once, want %v to %v", c.name, l.now, c.least, c.large)
		}
	}
	l := newLimit(64)
	l.now = 40
	began := time.Now()
	for range 10 { // in flight together
		l.flying = 10
		l.release(began, 1, errors.New("busy"), true)
	}
	if l.now != 20 {
		t.Errorf("%.1f calls after those of one time were refused, want 20", l.now)
	}
}
