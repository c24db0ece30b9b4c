package serve

import (
	"context"

	"google.golang.org/grpc"
)

// decodeErrors returns desc with methods that answer a request which cannot be
// decoded with INVALID_ARGUMENT: the caller's mistake, most often a text that
// is not UTF-8. gRPC itself would say INTERNAL, before any interceptor.
func decodeErrors(desc grpc.ServiceDesc) *grpc.ServiceDesc {
	methods := make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		methods[i] = grpc.MethodDesc{MethodName: m.MethodName, Handler: decoding(m.Handler, "/"+desc.ServiceName+"/"+m.MethodName)}
	}
	desc.Methods = methods
	return &desc
}

func decoding(handler grpc.MethodHandler, fullMethod string) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		var malformed error
		answer, err := handler(srv, ctx, func(request any) error {
			if err := decode(request); err != nil {
				malformed = errMalformed(err)
			}
			return malformed
		}, interceptor)
		if malformed == nil {
			return answer, err
		}
		// The interceptors have not seen the call: it gets its log line here.
		info := &grpc.UnaryServerInfo{Server: srv, FullMethod: fullMethod}
		return interceptor(ctx, nil, info, func(context.Context, any) (any, error) { return nil, malformed })
	}
}
