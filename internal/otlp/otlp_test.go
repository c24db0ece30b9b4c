package otlp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/parley-nlp/parley/internal/otlp/otlptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// begin starts exporters and returns how to stop them.
func begin(t *testing.T, cfg Config) (*Exporters, func()) {
	t.Helper()
	cfg.Service, cfg.Version = "parley", "v7"
	cfg.Report = func(err error) { t.Errorf("not sent: %v", err) }
	e, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	}
}

// spans makes as many spans, each of a trace of its own.
func spans(t *testing.T, p trace.TracerProvider, n int) {
	t.Helper()
	for range n {
		_, span := p.Tracer("test").Start(t.Context(), "work")
		span.End()
	}
}

func TestNothingIsSentUnasked(t *testing.T) {
	e, stop := begin(t, Config{TraceShare: -1, Metrics: prometheus.NewRegistry()})
	defer stop()
	if e.Traces != nil || e.Metrics {
		t.Errorf("traces %v, metrics %t, want none", e.Traces, e.Metrics)
	}
}

func TestTraces(t *testing.T) {
	r := otlptest.Start(t)
	e, stop := begin(t, Config{TraceEndpoint: r.URL, TraceShare: 1})
	if e.Metrics {
		t.Error("metrics are sent, and nobody asked for them")
	}
	spans(t, e.Traces, 3)
	stop()
	if got := r.Spans(); len(got) != 3 || got[0].GetName() != "work" {
		t.Errorf("spans %v, want three of work", got)
	}
	if got := r.Resource(); got["service.name"] != "parley" || got["service.version"] != "v7" {
		t.Errorf("from %v, want parley v7", got)
	}
}

// A share of the traces that begin here is kept, and all those that a caller
// keeps.
func TestTraceShare(t *testing.T) {
	r := otlptest.Start(t)
	e, stop := begin(t, Config{TraceEndpoint: r.URL, TraceShare: 0})
	spans(t, e.Traces, 100)
	caller := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true})
	_, span := e.Traces.Tracer("test").Start(trace.ContextWithRemoteSpanContext(t.Context(), caller), "for a caller")
	span.End()
	stop()
	if got := r.Spans(); len(got) != 1 || got[0].GetName() != "for a caller" {
		t.Errorf("spans %v, want the caller's", got)
	}
}

// OpenTelemetry's own variables do without any flag.
func TestEnvironment(t *testing.T) {
	r := otlptest.Start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "tenant=seven")
	t.Setenv("OTEL_SERVICE_NAME", "mine")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "region=north")
	e, stop := begin(t, Config{TraceShare: -1, Metrics: prometheus.NewRegistry()})
	if !e.Metrics {
		t.Error("metrics are not sent")
	}
	spans(t, e.Traces, 2)
	stop()
	if len(r.Spans()) != 2 {
		t.Errorf("%d spans, want 2", len(r.Spans()))
	}
	if got := r.Resource(); got["service.name"] != "mine" || got["region"] != "north" {
		t.Errorf("from %v, want mine in the north", got)
	}
	if got := r.Header("tenant"); len(got) != 1 || got[0] != "seven" {
		t.Errorf("tenant %q, want seven", got)
	}
}

func TestEnvironmentChoosesTheSampler(t *testing.T) {
	r := otlptest.Start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", r.URL)
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	e, stop := begin(t, Config{TraceShare: -1})
	spans(t, e.Traces, 10)
	stop()
	if len(r.Spans()) != 0 {
		t.Errorf("%d spans, want none", len(r.Spans()))
	}
}

func TestEnvironmentTurnsOff(t *testing.T) {
	for _, off := range [][2]string{{"OTEL_SDK_DISABLED", "true"}, {"OTEL_TRACES_EXPORTER", "none"}} {
		t.Run(off[0], func(t *testing.T) {
			t.Setenv(off[0], off[1])
			e, stop := begin(t, Config{TraceEndpoint: "http://127.0.0.1:1", TraceShare: 1})
			defer stop()
			if e.Traces != nil {
				t.Error("traces are sent")
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	r := otlptest.Start(t)
	registry := prometheus.NewRegistry()
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_things_total", Help: "Things."})
	registry.MustRegister(c)
	c.Add(7)
	_, stop := begin(t, Config{MetricsEndpoint: r.URL, Metrics: registry, TraceShare: -1})
	stop() // sends what there is
	m := r.Metric("parley_things_total")
	points := m.GetSum().GetDataPoints()
	if len(points) != 1 || points[0].GetAsDouble() != 7 || !m.GetSum().GetIsMonotonic() {
		t.Errorf("received %v, want a counter of 7", m)
	}
}

func TestErrors(t *testing.T) {
	for _, endpoint := range []string{"127.0.0.1:4317", "http://", "http://host", "grpc://host:1", "http://host:1:2", "http://me:secret@host:1"} {
		_, err := Start(t.Context(), Config{TraceEndpoint: endpoint})
		if !errors.Is(err, ErrEndpoint) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %v", endpoint, err, ErrEndpoint)
		}
	}
	if _, err := Start(t.Context(), Config{TraceEndpoint: "http://h:1", TraceShare: 2}); err == nil || err.Error() != "share of traces 2: want 0 to 1" {
		t.Errorf("a share of 2: %v", err)
	}
}

// A collector that is not there costs nothing but what it misses, and that is
// said.
func TestCollectorIsAway(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "50") // milliseconds, then it gives up
	failed := make(chan error, 1)
	e, err := Start(t.Context(), Config{TraceEndpoint: "http://127.0.0.1:1", TraceShare: 1, Report: func(err error) {
		select {
		case failed <- err:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	spans(t, e.Traces, 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	told := e.Shutdown(ctx)
	if told == nil {
		told = <-failed
	}
	if told == nil || !strings.Contains(told.Error(), "127.0.0.1:1") {
		t.Errorf("told of %v, want the address that does not answer", told)
	}
}
