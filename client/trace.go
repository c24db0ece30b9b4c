package client

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// passTrace tells the server which trace a call belongs to, when the caller's
// context has a span of OpenTelemetry: in the header of the W3C's "Trace
// Context". It makes no span of its own; for one a call, add
// go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc by
// WithDialOptions(grpc.WithStatsHandler(otelgrpc.NewClientHandler())), whose
// header takes the place of this one.
func passTrace(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if trace.SpanContextFromContext(ctx).IsValid() && len(sentAlready(ctx)) == 0 {
		header := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(ctx, header)
		for _, key := range header.Keys() {
			ctx = metadata.AppendToOutgoingContext(ctx, key, header[key])
		}
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

// sentAlready is the trace that the caller put into the header.
func sentAlready(ctx context.Context) []string {
	md, _ := metadata.FromOutgoingContext(ctx)
	return md.Get("traceparent")
}
