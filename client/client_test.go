package client

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/model/modeltest"
	"github.com/parley-nlp/parley/internal/serve"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server is a real one on loopback, with its calls.
type server struct {
	*serve.Server
	addr   string
	events chan event
	drain  context.CancelFunc
}

// An event is a line of a server's log.
type event struct {
	Method, Code string
	Items, Bytes int
}

// start runs a server until the test ends. It has the test model if ready.
func start(t *testing.T, cfg serve.Config, ready bool) *server {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, lis, cfg, ready)
}

func startOn(t *testing.T, lis net.Listener, cfg serve.Config, ready bool) *server {
	t.Helper()
	s := &server{addr: lis.Addr().String(), events: make(chan event, 1<<14)}
	cfg.Log = zerolog.New(s)
	var err error
	if s.Server, err = serve.New(cfg); err != nil {
		t.Fatal(err)
	}
	if ready {
		s.Use(modeltest.Topics(t))
	}
	var ctx context.Context
	ctx, s.drain = context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, lis) }()
	t.Cleanup(func() {
		s.drain()
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
	return s
}

// Write takes a line of the log.
func (s *server) Write(line []byte) (int, error) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return 0, err
	}
	s.events <- e
	return len(line), nil
}

// calls returns those since it was last asked.
func (s *server) calls() []event {
	var list []event
	for {
		select {
		case e := <-s.events:
			list = append(list, e)
		default:
			return list
		}
	}
}

func mustDial(t *testing.T, target string, opts ...Option) *Client {
	t.Helper()
	c, err := Dial(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask makes n calls that must not fail.
func (c *Client) ask(t *testing.T, n int) {
	t.Helper()
	for range n {
		answer, err := c.Classify(t.Context(), "a late goal", nil)
		if err != nil {
			t.Fatal(err)
		}
		if label := answer.GetClassification().GetPredictions()[0].GetLabel(); label != "sport" {
			t.Fatalf("label %q, want sport", label)
		}
	}
}

// maxTries is how many calls may go by until what a test waits for is seen.
const maxTries = 10_000

// warm calls until each server has answered.
func (c *Client) warm(t *testing.T, servers ...*server) {
	t.Helper()
	for _, s := range servers {
		for tries := 0; len(s.calls()) == 0; tries++ {
			if tries == maxTries {
				t.Fatalf("%s got none of %d calls", s.addr, tries)
			}
			c.ask(t, 1)
		}
	}
	for _, s := range servers {
		s.calls()
	}
}

func TestDialErrors(t *testing.T) {
	for _, test := range []struct {
		target string
		opts   []Option
		want   string
	}{
		{"parley.example:50051", nil, "client: parley.example:50051: not on this machine: choose WithTLS or WithPlaintext"},
		{"10.0.0.1:50051", nil, "client: 10.0.0.1:50051: not on this machine: choose WithTLS or WithPlaintext"},
		{"[2001:db8::1]:50051", nil, "client: [2001:db8::1]:50051: not on this machine: choose WithTLS or WithPlaintext"},
		{"dns:///parley.example:50051", nil, "client: dns:///parley.example:50051: not on this machine: choose WithTLS or WithPlaintext"},
		{"localhost.example:50051", nil, "client: localhost.example:50051: not on this machine: choose WithTLS or WithPlaintext"},
		{"localhost:1,parley.example:2", nil, "client: localhost:1,parley.example:2: not on this machine: choose WithTLS or WithPlaintext"},
		{"localhost", nil, `client: address "localhost": want host:port`},
		{"", nil, `client: address "": want host:port`},
		{"localhost:1", []Option{WithBatches(0, 1, 1)}, "client: batches of 0 items and 1 bytes, 1 in flight: want at least 1"},
		{"localhost:1", []Option{WithBatches(1, 0, 1)}, "client: batches of 1 items and 0 bytes, 1 in flight: want at least 1"},
		{"localhost:1", []Option{WithBatches(1, 1, -1)}, "client: batches of 1 items and 1 bytes, -1 in flight: want at least 1"},
		{"localhost:1", []Option{WithBatches(1, 16<<20, 1)}, "client: batches of 16777216 bytes: a message holds at most 16711680 of text"},
		{"localhost:1", []Option{WithDialOptions(grpc.WithDefaultServiceConfig("{"))}, "client: grpc: the provided default service config is invalid: unexpected end of JSON input"},
	} {
		c, err := Dial(test.target, test.opts...)
		if err == nil {
			c.Close()
		}
		if err == nil || err.Error() != test.want {
			t.Errorf("%q: error %v, want %s", test.target, err, test.want)
		}
	}
}

func TestDialAccepts(t *testing.T) {
	for _, test := range []struct {
		target string
		opts   []Option
	}{
		{"localhost:50051", nil},
		{":50051", nil},
		{"127.0.0.1:50051", nil},
		{"127.1.2.3:50051", nil},
		{"[::1]:50051", nil},
		{"dns:///localhost:50051", nil},
		{"unix:///run/parley.sock", nil},
		{"127.0.0.1:1, localhost:2,unix:/run/parley.sock", nil},
		{"parley.example:50051", []Option{WithPlaintext()}},
		{"parley.example:50051", []Option{WithTLS(nil)}},
		{"dns:///parley.example:50051", []Option{WithTLS(&tls.Config{})}},
		{"one.example:1,two.example:2", []Option{WithTLS(nil)}},
	} {
		c, err := Dial(test.target, test.opts...)
		if err != nil {
			t.Errorf("%q: %v", test.target, err)
			continue
		}
		c.Close()
	}
}

func TestCallsAreSpreadEvenly(t *testing.T) {
	a, b := start(t, serve.Config{}, true), start(t, serve.Config{}, true)
	c := mustDial(t, a.addr+", "+b.addr)
	c.warm(t, a, b)
	c.ask(t, 40)
	if m, n := len(a.calls()), len(b.calls()); m != 20 || n != 20 {
		t.Errorf("%d and %d calls, want 20 each", m, n)
	}
}

// The certificates name the servers, not the list.
func TestTLSOfSeveralAddresses(t *testing.T) {
	owner := httptest.NewTLSServer(nil) // for its certificate of 127.0.0.1
	defer owner.Close()
	var servers []*server
	for range 2 {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		secure := tls.NewListener(lis, &tls.Config{Certificates: owner.TLS.Certificates, NextProtos: []string{"h2"}})
		servers = append(servers, startOn(t, secure, serve.Config{}, true))
	}
	trust := &tls.Config{RootCAs: owner.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	c := mustDial(t, servers[0].addr+","+servers[1].addr, WithTLS(trust))
	c.warm(t, servers...)
}

func TestServerThatIsNotReadyIsLeftOut(t *testing.T) {
	a, b := start(t, serve.Config{}, true), start(t, serve.Config{}, false)
	c := mustDial(t, a.addr+","+b.addr)
	c.ask(t, 20)
	if got := b.calls(); len(got) != 0 {
		t.Errorf("a server without a model got %v", got)
	}
	b.Use(modeltest.Topics(t))
	c.warm(t, b)
}

// A server that drains still answers, but gets nothing as soon as the client
// has seen its health.
func TestServerThatDrainsIsLeftOut(t *testing.T) {
	a, b := start(t, serve.Config{}, true), start(t, serve.Config{DrainDelay: time.Hour}, true)
	c := mustDial(t, a.addr+","+b.addr)
	c.warm(t, a, b)
	b.drain()
	for tries := 4; ; tries += 4 {
		c.ask(t, 4)
		if len(b.calls()) == 0 {
			break
		}
		if tries > maxTries {
			t.Fatalf("after %d calls the server that drains still gets some", tries)
		}
	}
	a.calls()
	c.ask(t, 20)
	if m, n := len(a.calls()), len(b.calls()); m != 20 || n != 0 {
		t.Errorf("%d calls to the other server and %d to the one that drains, want 20 and 0", m, n)
	}
}

// attempts tells of every attempt of a call.
type attempts chan struct{}

func (a attempts) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if strings.HasSuffix(info.FullMethodName, "/Classify") {
		a <- struct{}{}
	}
	return ctx
}

func (attempts) HandleRPC(context.Context, stats.RPCStats)                         {}
func (attempts) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (attempts) HandleConn(context.Context, stats.ConnStats)                       {}

// A call to a server that becomes ready succeeds, whether its health is looked
// at or not: the model comes when the call has failed once.
func TestRetryUntilReady(t *testing.T) {
	for name, opts := range map[string][]grpc.DialOption{
		"with health": nil, "without health": {grpc.WithDisableHealthCheck()},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, serve.Config{}, false)
			made := make(attempts, 10)
			c := mustDial(t, s.addr, WithDialOptions(append(opts, grpc.WithStatsHandler(made))...))
			failed := make(chan error, 1)
			go func() {
				_, err := c.Classify(t.Context(), "goal", nil)
				failed <- err
			}()
			for range 2 {
				select {
				case <-made:
				case err := <-failed:
					t.Fatalf("not tried again: %v", err)
				}
			}
			s.Use(modeltest.Topics(t))
			if err := <-failed; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnotherServerTakesOver(t *testing.T) {
	a, b := start(t, serve.Config{}, true), start(t, serve.Config{}, true)
	c := mustDial(t, a.addr+","+b.addr)
	c.warm(t, a, b)
	a.Stop()
	c.ask(t, 20)
	if got := len(b.calls()); got != 20 {
		t.Errorf("%d calls to the server that is left, want 20", got)
	}
}

func TestNoRetryOfABadRequest(t *testing.T) {
	s := start(t, serve.Config{}, true)
	c := mustDial(t, s.addr)
	_, err := c.Classify(t.Context(), " ", nil)
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("got %v, want InvalidArgument", err)
	}
	if got := s.calls(); len(got) != 1 || got[0].Code != "InvalidArgument" {
		t.Errorf("the server saw %v, want one call", got)
	}
}

func TestWithModel(t *testing.T) {
	s := start(t, serve.Config{}, true)
	live := "models/default/revisions/" + modeltest.Topics(t).Revision()
	for name, want := range map[string]codes.Code{
		"": codes.OK, live: codes.OK, "models/default": codes.OK, "models/other": codes.NotFound, "other": codes.InvalidArgument,
	} {
		c := mustDial(t, s.addr, WithModel(name))
		one, err := c.Classify(t.Context(), "goal", nil)
		if status.Code(err) != want || err == nil && one.GetModelRevision() != live {
			t.Errorf("%q: answered by %q, error %v, want %v", name, one.GetModelRevision(), err, want)
		}
		_, err = c.BatchClassify(t.Context(), []*parleyv1.BatchClassifyItem{{Document: &parleyv1.Document{Text: "goal"}}}, nil)
		if status.Code(err) != want {
			t.Errorf("%q: batch gave %v, want %v", name, err, want)
		}
	}
}

func TestModels(t *testing.T) {
	s := start(t, serve.Config{ModelName: "summit"}, true)
	list, err := mustDial(t, s.addr).Models().ListModels(t.Context(), &parleyv1.ListModelsRequest{})
	if err != nil || len(list.GetModels()) != 1 || list.GetModels()[0].GetName() != "models/summit" {
		t.Errorf("got %v and %v, want models/summit", list, err)
	}
}

// What a message cannot hold is refused here; what it can is sent.
func TestTextsAtTheLimit(t *testing.T) {
	s := start(t, serve.Config{MaxDocumentBytes: model.MaxTextBytes}, true)
	c := mustDial(t, s.addr)
	if _, err := c.Classify(t.Context(), strings.Repeat(" ", maxTextBytes-4)+"goal", nil); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		strings.Repeat(" ", maxTextBytes+1): fmt.Sprintf("the text has %d bytes, a message holds at most %d", maxTextBytes+1, maxTextBytes),
		"go\xffal":                          "the text is not valid UTF-8",
	} {
		_, err := c.Classify(t.Context(), text, nil)
		if s := status.Convert(err); s.Code() != codes.InvalidArgument || s.Message() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if got := s.calls(); len(got) != 1 || got[0].Bytes != maxTextBytes {
		t.Errorf("the server saw %v, want one text of %d bytes", got, maxTextBytes)
	}
}

// Answers may be larger than gRPC's own limit of 4 MiB.
func TestLargeAnswer(t *testing.T) {
	s := start(t, serve.Config{MaxBatchItems: 60_000}, true)
	items := make([]*parleyv1.BatchClassifyItem, 60_000)
	for i := range items {
		items[i] = &parleyv1.BatchClassifyItem{Document: &parleyv1.Document{Text: "late goal match shares fell oil price"}}
	}
	answer, err := mustDial(t, s.addr).BatchClassify(t.Context(), items, &parleyv1.ClassifyOptions{TopK: -1})
	if err != nil {
		t.Fatal(err)
	}
	if got := proto.Size(answer); got < 4<<20 {
		t.Errorf("the answer has %d bytes, want one above 4 MiB", got)
	}
}
