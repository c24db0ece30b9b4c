package serve

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"

	"github.com/parley-nlp/parley/internal/guard"
)

// A request that cannot be decoded is the caller's mistake, most often a text
// that is not UTF-8, and gets INVALID_ARGUMENT. gRPC itself would say INTERNAL,
// before any interceptor and past every handler. So its codec must not fail:
// it fills a body, and the handler looks what came of it.

// A body is a request and why it could not be decoded, if so.
type body struct {
	message any
	err     error
	refused bool // err is the guard's
	ctx     context.Context
	ticket  *guard.Ticket
}

// A codec is gRPC's codec of protocol buffers that fills bodies as well.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*body)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	if b.err = b.ticket.Arrive(b.ctx, data.Len()); b.err != nil {
		b.refused = true
		return nil
	}
	if err := c.CodecV2.Unmarshal(data, b.message); err != nil {
		b.err = errMalformed(err)
	}
	return nil
}

// decodeErrors returns desc with methods that receive bodies. They work with
// newCodec only.
func decodeErrors(desc grpc.ServiceDesc) *grpc.ServiceDesc {
	methods := make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		methods[i] = grpc.MethodDesc{MethodName: m.MethodName, Handler: decoding(m.Handler, "/"+desc.ServiceName+"/"+m.MethodName)}
	}
	desc.Methods = methods
	return &desc
}

func decoding(handler grpc.MethodHandler, fullMethod string) grpc.MethodHandler {
	return func(srv any, ctx context.Context, receive func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		t := guard.TicketOf(ctx)
		t.Start()
		defer t.End()
		b := body{ctx: ctx, ticket: t}
		var failed error
		answer, err := handler(srv, ctx, func(request any) error {
			b.message = request
			if failed = receive(&b); failed == nil {
				failed = b.err
			}
			if failed != nil {
				t.Failed(failed)
			}
			return failed
		}, interceptor)
		if failed == nil {
			return answer, err
		}
		if b.refused {
			return nil, failed // logged, and under overload there is no time for more
		}
		// The interceptors have not seen the call: it gets its log line here.
		info := &grpc.UnaryServerInfo{Server: srv, FullMethod: fullMethod}
		return interceptor(ctx, nil, info, func(context.Context, any) (any, error) { return nil, failed })
	}
}
