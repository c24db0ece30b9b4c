package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

const (
	serving    = grpc_health_v1.HealthCheckResponse_SERVING
	notServing = grpc_health_v1.HealthCheckResponse_NOT_SERVING
)

var healthNames = []string{"", "parley.v1.ClassificationService", "parley.v1.ModelService"}

func (s *service) checkHealth(t *testing.T, want grpc_health_v1.HealthCheckResponse_ServingStatus) {
	t.Helper()
	for _, name := range healthNames {
		got, err := grpc_health_v1.NewHealthClient(s.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: name})
		if err != nil || got.GetStatus() != want {
			t.Errorf("health of %q: %v, error %v, want %v", name, got.GetStatus(), err, want)
		}
	}
}

// A watch is a client that watches the health of a service.
type watch struct {
	grpc.ServerStreamingClient[grpc_health_v1.HealthCheckResponse]
}

func (s *service) watch(t *testing.T, name string) watch {
	t.Helper()
	stream, err := grpc_health_v1.NewHealthClient(s.conn).Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: name})
	if err != nil {
		t.Fatal(err)
	}
	return watch{stream}
}

// next fails the test unless the watch's next message is want.
func (w watch) next(t *testing.T, want grpc_health_v1.HealthCheckResponse_ServingStatus) {
	t.Helper()
	if got, err := w.Recv(); err != nil || got.GetStatus() != want {
		t.Fatalf("watched %v, error %v, want %v", got.GetStatus(), err, want)
	}
}

func TestHealth(t *testing.T) {
	s := start(t, Config{}, nil)
	var watches []watch
	for _, name := range healthNames {
		w := s.watch(t, name)
		w.next(t, notServing)
		watches = append(watches, w)
	}
	s.checkHealth(t, notServing)
	s.Use(newModel(t, 1))
	for _, w := range watches {
		w.next(t, serving)
	}
	s.checkHealth(t, serving)
	s.Use(newModel(t, 2)) // another model is no news
	s.checkHealth(t, serving)
}

func TestReflection(t *testing.T) {
	s := start(t, Config{}, nil)
	stream, err := grpc_reflection_v1.NewServerReflectionClient(s.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := &grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(list); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	for _, want := range []string{"parley.v1.ClassificationService", "parley.v1.ModelService", "grpc.health.v1.Health"} {
		if !slices.Contains(names, want) {
			t.Errorf("listed %q, want %s among them", names, want)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("the stream ended with %v, want %v", err, io.EOF)
	}
}

// Calls that run while the model is changed are answered by one of the two,
// a batch by one alone.
func TestUseWhileCallsRun(t *testing.T) {
	models := []*model.Model{newModel(t, 1), newModel(t, 2)}
	s := start(t, Config{}, models[0])
	scores := map[string]int64{} // of money, by revision
	for i, m := range models {
		scores["models/default/revisions/"+m.Revision()] = int64(i+1+3) * nat
	}
	check := func(revision string, c *parleyv1.Classification) {
		want, known := scores[revision]
		if got := c.GetPredictions()[0].GetScores()[0].GetRawScore(); !known || got != want {
			t.Errorf("%q gave the score %d, want %d", revision, got, want)
		}
	}
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for range 50 {
				one, err := s.client.Classify(t.Context(), request("shares", nil))
				if err != nil {
					t.Error(err)
					return
				}
				check(one.GetModelRevision(), one.GetClassification())
				many, err := s.client.BatchClassify(t.Context(), batch("shares", "shares", "shares", "shares", "shares"))
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range many.GetResults() {
					check(many.GetModelRevision(), r.GetClassification())
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { calls.Wait(); close(done) }()
	for i := 1; ; i++ {
		s.Use(models[i%2])
		select {
		case <-done:
			return
		default:
		}
	}
}

// A slow is a service with a method that answers when it is told to.
type slow struct{ entered, release chan struct{} }

func newSlow() *slow { return &slow{make(chan struct{}), make(chan struct{})} }

func (s *slow) desc() *grpc.ServiceDesc {
	wait := func(ctx context.Context, in any) (any, error) {
		close(s.entered)
		select {
		case <-s.release:
			return in, nil
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	return &grpc.ServiceDesc{ServiceName: "test.Slow", Methods: []grpc.MethodDesc{{
		MethodName: "Wait",
		Handler: func(_ any, ctx context.Context, receive func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := &emptypb.Empty{}
			if err := receive(in); err != nil {
				return nil, err
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/test.Slow/Wait"}, wait)
		},
	}}}
}

// call begins a call and returns where its error will come, once the server
// is at it.
func (s *slow) call(t *testing.T, conn *grpc.ClientConn) <-chan error {
	failed := make(chan error, 1)
	go func() { failed <- conn.Invoke(t.Context(), "/test.Slow/Wait", &emptypb.Empty{}, &emptypb.Empty{}) }()
	<-s.entered
	return failed
}

// startDrain begins a drain and returns where Serve's error will come.
func (s *service) startDrain() <-chan error {
	served := make(chan error, 1)
	go func() { served <- s.drain() }()
	return served
}

func TestDrain(t *testing.T) {
	slow := newSlow()
	s := start(t, Config{DrainTimeout: time.Hour}, newModel(t, 1), slow.desc())
	watches := []watch{s.watch(t, ""), s.watch(t, "parley.v1.ClassificationService"), s.watch(t, "parley.v1.ModelService")}
	for _, w := range watches {
		w.next(t, serving)
	}
	call := slow.call(t, s.conn)
	served := s.startDrain()
	for _, w := range watches {
		w.next(t, notServing)
		if _, err := w.Recv(); status.Code(err) != codes.Canceled {
			t.Errorf("the watch ended with %v, want Canceled", err)
		}
	}
	s.conn.WaitForStateChange(t.Context(), connectivity.Ready) // the server said that it goes
	if _, err := s.client.Classify(t.Context(), request("goal", nil)); status.Code(err) != codes.Unavailable {
		t.Errorf("a new call: %v, want Unavailable", err)
	}
	select {
	case err := <-served:
		t.Errorf("Serve returned %v before the call in flight ended", err)
	case err := <-call:
		t.Errorf("the call in flight ended with %v before it was released", err)
	default:
	}
	close(slow.release)
	if err := <-call; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

func TestDrainTimeoutCuts(t *testing.T) {
	slow := newSlow()
	s := start(t, Config{DrainTimeout: time.Nanosecond}, newModel(t, 1), slow.desc())
	call := slow.call(t, s.conn)
	if err := s.drain(); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if err := <-call; status.Code(err) != codes.Unavailable {
		t.Errorf("the call in flight: %v, want Unavailable", err)
	}
}

// Between health going down and the end, calls are answered; Stop cuts that
// short.
func TestDrainDelayAndStop(t *testing.T) {
	slow := newSlow()
	s := start(t, Config{DrainDelay: time.Hour}, newModel(t, 1), slow.desc())
	w := s.watch(t, "")
	w.next(t, serving)
	call := slow.call(t, s.conn)
	served := s.startDrain()
	w.next(t, notServing)
	s.classify(t, "goal", nil)
	s.Use(newModel(t, 2)) // a model that comes late does not raise health again
	s.checkHealth(t, notServing)
	s.Stop()
	if err := <-served; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if err := <-call; status.Code(err) != codes.Unavailable {
		t.Errorf("the call in flight: %v, want Unavailable", err)
	}
}

func TestServeAfterItsContextEnded(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(ctx, bufconn.Listen(1)); err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

// When the listener fails, Serve says so and leaves nothing behind.
func TestListenerFails(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lis.Close()
	err = s.Serve(t.Context(), lis)
	if !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "serve "+lis.Addr().String()+": ") {
		t.Errorf("Serve returned %v, want the address and %v", err, net.ErrClosed)
	}
}

func TestConfig(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{}, ""},
		{Config{ModelName: "a" + strings.Repeat("-", 61), MaxDocumentBytes: model.MaxTextBytes, MaxBatchItems: 1, MaxMessageBytes: 1}, ""},
		{Config{ModelName: "Summit"}, `model name "Summit": want a small letter, then at most 61 small letters, digits or hyphens`},
		{Config{ModelName: "a" + strings.Repeat("b", 62)}, `model name "a` + strings.Repeat("b", 62) + `": want a small letter, then at most 61 small letters, digits or hyphens`},
		{Config{MaxDocumentBytes: -1}, "document limit -1: want 1 to 16777216 bytes"},
		{Config{MaxDocumentBytes: model.MaxTextBytes + 1}, "document limit 16777217: want 1 to 16777216 bytes"},
		{Config{MaxBatchItems: -1}, "limits of -1 batch items and 16777216 message bytes: want more than 0"},
		{Config{MaxMessageBytes: -2}, "limits of 1000 batch items and -2 message bytes: want more than 0"},
		{Config{DrainDelay: -time.Second}, "drain delay -1s and timeout 30s: want 0 or more"},
		{Config{DrainTimeout: -time.Second}, "drain delay 0s and timeout -1s: want 0 or more"},
		{Config{Guard: guard.Config{MaxQueue: -1}}, "a queue of -1ns and a memory limit of 0 bytes: want more than 0"},
	} {
		s, err := New(test.cfg)
		if err != nil && err.Error() != test.want || err == nil && test.want != "" {
			t.Errorf("%+v: error %v, want %q", test.cfg, err, test.want)
		}
		if err == nil {
			s.Stop()
		}
	}
}
