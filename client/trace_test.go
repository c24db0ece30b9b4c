package client

import (
	"context"
	"encoding/hex"
	"net"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/parley-nlp/parley/internal/model/modeltest"
	"github.com/parley-nlp/parley/internal/otlp"
	"github.com/parley-nlp/parley/internal/otlp/otlptest"
	"github.com/parley-nlp/parley/internal/serve"
)

// traced runs a server that sends its spans to a collector, calls it with the
// options and a span of the caller's, and returns the spans that came, by name.
func traced(t *testing.T, ctx func(context.Context, trace.TracerProvider) context.Context, opts func(trace.TracerProvider) []Option) map[string][]string {
	t.Helper()
	collector := otlptest.Start(t)
	exporters, err := otlp.Start(t.Context(), otlp.Config{TraceEndpoint: collector.URL, TraceShare: 0})
	if err != nil {
		t.Fatal(err)
	}
	s, err := serve.New(serve.Config{Telemetry: serve.Telemetry{Traces: exporters.Traces}})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(modeltest.Topics(t))
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	running, drain := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(running, lis) }()
	c := mustDial(t, lis.Addr().String(), opts(exporters.Traces)...)
	if _, err := c.Classify(ctx(t.Context(), exporters.Traces), "great", nil); err != nil {
		t.Fatal(err)
	}
	drain() // the server's span ends after its answer
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	end, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := exporters.Shutdown(end); err != nil {
		t.Fatal(err)
	}
	spans := map[string][]string{} // kind: trace, parent, id
	for _, span := range collector.Spans() {
		spans[span.GetKind().String()] = []string{hex.EncodeToString(span.GetTraceId()), hex.EncodeToString(span.GetParentSpanId()), hex.EncodeToString(span.GetSpanId())}
	}
	return spans
}

// callersSpan is a span of the caller's.
var callersSpan = trace.NewSpanContext(trace.SpanContextConfig{
	TraceID: trace.TraceID{1, 2, 3}, SpanID: trace.SpanID{4, 5, 6}, TraceFlags: trace.FlagsSampled,
})

func withCallersSpan(ctx context.Context, _ trace.TracerProvider) context.Context {
	return trace.ContextWithSpanContext(ctx, callersSpan)
}

// The server's span belongs to that of the caller, who did nothing for it.
func TestTraceGoesOn(t *testing.T) {
	spans := traced(t, withCallersSpan, func(trace.TracerProvider) []Option { return nil })
	if got := spans["SPAN_KIND_SERVER"]; len(spans) != 1 || got[0] != callersSpan.TraceID().String() || got[1] != callersSpan.SpanID().String() {
		t.Errorf("spans %v, want the server's below %v", spans, callersSpan)
	}
}

// With spans of the client's own, those lie between.
func TestTraceWithSpansOfTheClient(t *testing.T) {
	spans := traced(t, withCallersSpan, func(p trace.TracerProvider) []Option {
		return []Option{WithDialOptions(grpc.WithStatsHandler(otelgrpc.NewClientHandler(
			otelgrpc.WithTracerProvider(p), otelgrpc.WithPropagators(propagation.TraceContext{}))))}
	})
	client, server := spans["SPAN_KIND_CLIENT"], spans["SPAN_KIND_SERVER"]
	if len(client) == 0 || len(server) == 0 || client[1] != callersSpan.SpanID().String() || server[1] != client[2] || server[0] != callersSpan.TraceID().String() {
		t.Errorf("spans %v, want the server's below the client's below %v", spans, callersSpan)
	}
}

// Without a span nothing is sent, and no trace is kept that nobody asked for.
func TestNoTrace(t *testing.T) {
	spans := traced(t, func(ctx context.Context, _ trace.TracerProvider) context.Context { return ctx }, func(trace.TracerProvider) []Option { return nil })
	if len(spans) != 0 {
		t.Errorf("spans %v, want none", spans)
	}
}
