// Package otlptest has a collector for tests: it takes what the OpenTelemetry
// protocol brings and keeps it.
package otlptest

import (
	"context"
	"net"
	"sync"
	"testing"

	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// A Receiver is a running collector.
type Receiver struct {
	URL string // for --trace-endpoint and the like

	mu        sync.Mutex
	spans     []*trace.Span
	metrics   map[string]*metrics.Metric
	resources []*resource.Resource
	headers   metadata.MD
}

// Start runs a collector on the loopback until the test ends.
func Start(t testing.TB) *Receiver {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Receiver{URL: "http://" + lis.Addr().String(), metrics: map[string]*metrics.Metric{}}
	s := grpc.NewServer()
	collectortrace.RegisterTraceServiceServer(s, traces{Receiver: r})
	collectormetrics.RegisterMetricsServiceServer(s, numbers{Receiver: r})
	served := make(chan error, 1)
	go func() { served <- s.Serve(lis) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("collector: %v", err)
		}
	})
	return r
}

// Spans returns the spans so far.
func (r *Receiver) Spans() []*trace.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*trace.Span(nil), r.spans...)
}

// Metric returns the newest of that name, nil if none came.
func (r *Receiver) Metric(name string) *metrics.Metric {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.metrics[name]
}

// Resource returns the attributes of the newest sender.
func (r *Receiver) Resource() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	attributes := map[string]string{}
	if n := len(r.resources); n > 0 {
		for _, a := range r.resources[n-1].GetAttributes() {
			attributes[a.GetKey()] = a.GetValue().GetStringValue()
		}
	}
	return attributes
}

// Header returns what the newest export had in its header.
func (r *Receiver) Header(key string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.headers.Get(key)
}

// came keeps what belongs to any export. The lock is held.
func (r *Receiver) came(ctx context.Context, from *resource.Resource) {
	r.headers, _ = metadata.FromIncomingContext(ctx)
	r.resources = append(r.resources, from)
}

type traces struct {
	collectortrace.UnimplementedTraceServiceServer
	*Receiver
}

func (r traces) Export(ctx context.Context, req *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range req.GetResourceSpans() {
		r.came(ctx, of.GetResource())
		for _, scope := range of.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
	return &collectortrace.ExportTraceServiceResponse{}, nil
}

type numbers struct {
	collectormetrics.UnimplementedMetricsServiceServer
	*Receiver
}

func (r numbers) Export(ctx context.Context, req *collectormetrics.ExportMetricsServiceRequest) (*collectormetrics.ExportMetricsServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range req.GetResourceMetrics() {
		r.came(ctx, of.GetResource())
		for _, scope := range of.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				r.metrics[m.GetName()] = m
			}
		}
	}
	return &collectormetrics.ExportMetricsServiceResponse{}, nil
}
