package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"google.golang.org/grpc"
	channelz "google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
)

// An AdminPort is the second port of a server, for those who run it:
//
//	/metrics         metrics, for Prometheus
//	/healthz         200 while the process works
//	/readyz          200 while the server takes calls, else 503
//	/config          the configuration, without secrets
//	/debug/pprof/    profiles
//
// and, over gRPC on the same port, health, channelz and reflection.
//
// Configuration, profiles, channelz and reflection are for callers on this
// machine alone, whatever address the port is bound to: a profile costs CPU, and
// all of them tell much.
type AdminPort struct {
	// Config is what /config shows, as JSON.
	Config json.RawMessage

	server *Server
	grpc   *grpc.Server
	mux    *http.ServeMux
}

// NewAdminPort returns the admin port of s.
func NewAdminPort(s *Server, config json.RawMessage) *AdminPort {
	a := &AdminPort{Config: config, server: s, mux: http.NewServeMux(), grpc: grpc.NewServer()}
	grpc_health_v1.RegisterHealthServer(a.grpc, s.health)
	channelz.RegisterChannelzServiceToServer(a.grpc)
	services := reflection.NewServerV1(reflection.ServerOptions{Services: both{a.grpc, s.grpc}})
	grpc_reflection_v1.RegisterServerReflectionServer(a.grpc, services)
	a.mux.Handle("GET /metrics", s.telemetry.registry.Handler())
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	a.mux.HandleFunc("GET /readyz", a.ready)
	a.mux.HandleFunc("GET /config", local(a.config))
	a.mux.HandleFunc("GET /debug/pprof/", local(pprof.Index))
	a.mux.HandleFunc("GET /debug/pprof/cmdline", local(pprof.Cmdline))
	a.mux.HandleFunc("GET /debug/pprof/profile", local(pprof.Profile))
	a.mux.HandleFunc("GET /debug/pprof/symbol", local(pprof.Symbol))
	a.mux.HandleFunc("GET /debug/pprof/trace", local(pprof.Trace))
	a.mux.HandleFunc("GET /{$}", a.index)
	return a
}

// both describes the services of two servers: what the serving port takes can be
// read here where that port does not say it.
type both struct{ admin, serving *grpc.Server }

func (b both) GetServiceInfo() map[string]grpc.ServiceInfo {
	all := b.serving.GetServiceInfo()
	maps.Copy(all, b.admin.GetServiceInfo())
	return all
}

// ServeHTTP implements http.Handler.
func (a *AdminPort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		if !isPublic(r.URL.Path) && !fromHere(r) {
			refuseGRPC(w)
			return
		}
		a.grpc.ServeHTTP(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// isPublic tells the gRPC methods that any caller may use.
func isPublic(path string) bool { return strings.HasPrefix(path, "/grpc.health.v1.") }

// refuseGRPC answers PERMISSION_DENIED.
func refuseGRPC(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", "7")
	w.Header().Set("Grpc-Message", notLocal)
}

const notLocal = "for callers on the server's own machine only"

// local lets callers on this machine through.
func local(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !fromHere(r) {
			say(w, http.StatusForbidden, notLocal)
			return
		}
		h(w, r)
	}
}

// fromHere reports whether the caller is on this machine, and no web page that
// a browser on it was led to: their names for it end in another host's.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() && namesThisMachine(r.Host)
}

func namesThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil
}

func (a *AdminPort) ready(w http.ResponseWriter, _ *http.Request) {
	if a.server.Ready() {
		text := "ready"
		if a.server.Withdrawal() != nil {
			text = "ready, but the live revision has been withdrawn"
		}
		say(w, http.StatusOK, text)
		return
	}
	say(w, http.StatusServiceUnavailable, "not ready")
}

func (a *AdminPort) config(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.Config) // the caller went away
}

func (a *AdminPort) index(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, "/metrics\n/healthz\n/readyz\n/config\n/debug/pprof/\n\ngRPC: grpc.health.v1.Health, grpc.channelz.v1.Channelz, reflection")
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintln(w, text) // the caller went away
}

// Serve answers on lis until ctx ends.
func (a *AdminPort) Serve(ctx context.Context, lis net.Listener) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: a, Protocols: &protocols,
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody's calls hang on it
	defer stop()
	defer a.grpc.Stop()
	if err := server.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin port %s: %w", lis.Addr(), err)
	}
	return nil
}
