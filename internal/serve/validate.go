package serve

import (
	"context"
	"errors"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// validate refuses requests that break the rules written in the .proto files.
func (s *Server) validate(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if message, ok := request.(proto.Message); ok {
		if err := s.validator.Validate(message); err != nil {
			return nil, errInvalidFields(violations(err))
		}
	}
	return handler(ctx, request)
}

// violations lists the fields that err names and what is wrong with each. Any
// other error is of the rules, not of the request: a bug, which becomes
// INTERNAL.
func violations(err error) []violation {
	invalid, ok := errors.AsType[*protovalidate.ValidationError](err)
	if !ok {
		panic(err)
	}
	var list []violation
	for _, v := range invalid.Violations {
		list = append(list, violation{protovalidate.FieldPathString(v.Proto.GetField()), v.Proto.GetMessage()})
	}
	return list
}
