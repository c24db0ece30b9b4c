package serve

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
)

// addTrace adds the ids of the call's trace to its line: those of the span that
// was made here, or else the trace that the caller says it belongs to.
func addTrace(e *zerolog.Event, ctx context.Context) {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		e.Str("trace_id", span.TraceID().String()).Str("span_id", span.SpanID().String())
		return
	}
	if parents := metadata.ValueFromIncomingContext(ctx, traceparent); len(parents) == 1 {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parents[0]})
		if span := trace.SpanContextFromContext(ctx); span.IsValid() {
			e.Str("trace_id", span.TraceID().String())
		}
	}
}

// traceparent is the header of the W3C's "Trace Context".
const traceparent = "traceparent"

// slow reports whether a call that took so long always gets a line.
func (t *telemetry) slow(took time.Duration) bool { return t.SlowCall > 0 && took >= t.SlowCall }

// logged tells, by chance, whether a call without an error gets a line.
func (t *telemetry) logged() bool { return t.LogShare >= 1 || rand.Float64() < t.LogShare }
