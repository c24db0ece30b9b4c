package serve

import (
	"context"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/parley-nlp/parley/internal/otlp"
	"github.com/parley-nlp/parley/internal/otlp/otlptest"
)

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
)

// aCaller returns the context of a caller with a trace of its own.
func aCaller(t *testing.T) context.Context {
	return metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+callerTrace+"-"+callerSpan+"-01")
}

// A call makes a span that belongs to its caller's and is sent to the collector;
// its ids are in the log. Health checks make none.
func TestSpans(t *testing.T) {
	collector := otlptest.Start(t)
	exporters, err := otlp.Start(t.Context(), otlp.Config{TraceEndpoint: collector.URL, TraceShare: 0, Service: "parley"})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Telemetry: Telemetry{Traces: exporters.Traces}}, newModel(t, 1))
	if _, err := s.client.Classify(aCaller(t), request("goal", nil)); err != nil {
		t.Fatal(err)
	}
	logged := s.log.last(t)
	if _, err := s.client.Classify(aCaller(t), request("", nil)); err == nil {
		t.Fatal("an empty text was classified")
	}
	_, _ = grpc_health_v1.NewHealthClient(s.conn).Check(aCaller(t), &grpc_health_v1.HealthCheckRequest{})
	s.classify(t, "goal", nil) // of a trace that begins here, and is not kept
	unsampled := s.log.last(t)
	if err := s.drain(); err != nil { // spans end after their calls
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := exporters.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	spans := collector.Spans()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want those of two calls: %v", len(spans), spans)
	}
	for _, span := range spans {
		if span.GetName() != "parley.v1.ClassificationService/Classify" || hex.EncodeToString(span.GetTraceId()) != callerTrace || hex.EncodeToString(span.GetParentSpanId()) != callerSpan {
			t.Errorf("span %v, want one of Classify below the caller's", span)
		}
	}
	ids := []string{hex.EncodeToString(spans[0].GetSpanId()), hex.EncodeToString(spans[1].GetSpanId())}
	if id, _ := logged["span_id"].(string); logged["trace_id"] != callerTrace || !slices.Contains(ids, id) {
		t.Errorf("logged trace %v and span %v, want %s and one of %q", logged["trace_id"], logged["span_id"], callerTrace, ids)
	}
	if id, ok := unsampled["trace_id"].(string); !ok || len(id) != 32 {
		t.Errorf("logged trace %v of a call without a caller's, want an id", unsampled["trace_id"])
	}
}

// Without traces of its own the server logs the caller's, if it is one.
func TestTraceIDWithoutSpans(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	for _, test := range []struct {
		sent []string
		want any
	}{
		{nil, nil},
		{[]string{"00-" + callerTrace + "-" + callerSpan + "-00"}, callerTrace},
		{[]string{"00-" + callerTrace + "-" + callerSpan}, nil},
		{[]string{"00-00000000000000000000000000000000-" + callerSpan + "-01"}, nil},
		{[]string{"\"}{secret"}, nil},
		{[]string{"00-" + callerTrace + "-" + callerSpan + "-01", "00-" + callerTrace + "-" + callerSpan + "-01"}, nil},
	} {
		ctx := t.Context()
		for _, header := range test.sent {
			ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", header)
		}
		if _, err := s.client.Classify(ctx, request("goal", nil)); err != nil {
			t.Fatal(err)
		}
		if line := s.log.last(t); line["trace_id"] != test.want || line["span_id"] != nil {
			t.Errorf("sent %q: logged trace %v and span %v, want %v and none", test.sent, line["trace_id"], line["span_id"], test.want)
		}
	}
}
