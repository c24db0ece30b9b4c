package serve

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/channelz/grpc_channelz_v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

// startAdmin opens the admin port of s on the loopback and returns its address.
func startAdmin(t *testing.T, s *service) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- NewAdminPort(s.Server, []byte(`{"serve":{}}`)).Serve(ctx, lis) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Errorf("the admin port: %v", err)
		}
	})
	return lis.Addr().String()
}

func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestAdminPages(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	addr := startAdmin(t, s)
	for _, test := range []struct {
		path string
		code int
		has  string
	}{
		{"/", 200, "/metrics"},
		{"/metrics", 200, "parley_ready 1"},
		{"/healthz", 200, "ok"},
		{"/readyz", 200, "ready"},
		{"/config", 200, `{"serve":{}}`},
		{"/debug/pprof/", 200, "goroutine"},
		{"/debug/pprof/cmdline", 200, "serve"},
		{"/debug/pprof/heap", 200, ""},
		{"/nothing", 404, ""},
	} {
		if code, body := get(t, "http://"+addr+test.path); code != test.code || !strings.Contains(body, test.has) {
			t.Errorf("%s: %d %.80q, want %d with %q", test.path, code, body, test.code, test.has)
		}
	}
}

// Readiness is that of gRPC health, through start and drain; liveness is not.
func TestReadiness(t *testing.T) {
	slow := newSlow()
	s := start(t, Config{}, nil, slow.desc())
	url := "http://" + startAdmin(t, s)
	check := func(ready int) {
		t.Helper()
		if code, _ := get(t, url+"/readyz"); code != ready {
			t.Errorf("/readyz: %d, want %d", code, ready)
		}
		if code, _ := get(t, url+"/healthz"); code != 200 {
			t.Errorf("/healthz: %d, want 200", code)
		}
	}
	check(503)
	s.Use(newModel(t, 1))
	check(200)
	call := slow.call(t, s.conn)
	w := s.watch(t, "")
	w.next(t, serving)
	served := s.startDrain()
	w.next(t, notServing)
	check(503)
	if _, body := get(t, url+"/metrics"); !strings.Contains(body, "\nparley_ready 0\n") {
		t.Error("the metrics say that the server is ready while it drains")
	}
	close(slow.release)
	if err := <-call; err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// Channelz and the description of the services can be asked for by gRPC.
func TestAdminGRPC(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	s.classify(t, "goal", nil)
	conn, err := grpc.NewClient(startAdmin(t, s), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if !channelzHasCalls(t, grpc_channelz_v1.NewChannelzClient(conn)) {
		t.Error("channelz knows of no server with calls")
	}
	health, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || health.GetStatus() != serving {
		t.Errorf("health %v, error %v", health, err)
	}
	stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := &grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "parley.v1.ClassificationService"}}
	if err := stream.Send(ask); err != nil {
		t.Fatal(err)
	}
	if answer, err := stream.Recv(); err != nil || len(answer.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("the description of ClassificationService: %v, error %v", answer, err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("the stream ended with %v", err)
	}
}

// channelzHasCalls looks for a server with calls among those of all tests, page
// by page.
func channelzHasCalls(t *testing.T, c grpc_channelz_v1.ChannelzClient) bool {
	t.Helper()
	for next := int64(0); ; {
		page, err := c.GetServers(t.Context(), &grpc_channelz_v1.GetServersRequest{StartServerId: next})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.GetServer() {
			if s.GetData().GetCallsStarted() > 0 {
				return true
			}
			next = s.GetRef().GetServerId() + 1
		}
		if page.GetEnd() {
			return false
		}
	}
}

// Callers elsewhere get metrics and health and nothing else, and so do web pages
// that a browser here was led to.
func TestAdminFromElsewhere(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	a := NewAdminPort(s.Server, []byte("{}"))
	defer a.grpc.Stop()
	for _, test := range []struct {
		path, from, host string
		code             int
	}{
		{"/metrics", "10.1.2.3:99", "10.0.0.1:9090", 200},
		{"/readyz", "10.1.2.3:99", "parley:9090", 200},
		{"/healthz", "[2001:db8::1]:99", "parley:9090", 200},
		{"/config", "10.1.2.3:99", "10.0.0.1:9090", 403},
		{"/debug/pprof/heap", "10.1.2.3:99", "localhost:9090", 403},
		{"/config", "127.0.0.1:99", "evil.example:9090", 403},
		{"/config", "127.0.0.1:99", "localhost", 200},
		{"/config", "[::1]:99", "[::1]:9090", 200},
		{"/config", "nonsense", "localhost", 403},
	} {
		r := httptest.NewRequest("GET", test.path, nil)
		r.RemoteAddr, r.Host = test.from, test.host
		answer := httptest.NewRecorder()
		if a.ServeHTTP(answer, r); answer.Code != test.code {
			t.Errorf("%s from %s to %s: %d, want %d", test.path, test.from, test.host, answer.Code, test.code)
		}
	}
	r := httptest.NewRequest("POST", "/grpc.channelz.v1.Channelz/GetServers", nil)
	r.ProtoMajor, r.RemoteAddr = 2, "10.1.2.3:99"
	r.Header.Set("Content-Type", "application/grpc")
	answer := httptest.NewRecorder()
	if a.ServeHTTP(answer, r); answer.Header().Get("Grpc-Status") != "7" {
		t.Errorf("channelz from elsewhere: %v, want PERMISSION_DENIED", answer.Header())
	}
}

func TestAdminListenerFails(t *testing.T) {
	s := start(t, Config{}, nil)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lis.Close()
	err = NewAdminPort(s.Server, nil).Serve(t.Context(), lis)
	if err == nil || !strings.HasPrefix(err.Error(), "admin port "+lis.Addr().String()+": ") {
		t.Errorf("error %v, want the address", err)
	}
}

func TestNoReflection(t *testing.T) {
	s := start(t, Config{NoReflection: true}, nil)
	stream, err := grpc_reflection_v1.NewServerReflectionClient(s.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unimplemented {
		t.Errorf("reflection ended with %v, want Unimplemented", err)
	}
}
