package serve

import (
	"context"
	"errors"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// validate refuses requests that break the rules written in the .proto files.
func (s *Server) validate(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if message, ok := request.(proto.Message); ok {
		if err := s.check(message); err != nil {
			return nil, err
		}
	}
	return handler(ctx, request)
}

// checkDocument applies the rules to a document of a batch, which validate
// leaves alone: they are on its target alone, and most have none. Its error is the
// one that Classify gives: a bad document is put into a request, to be named as
// there. For the others that would cost 0.5 us.
func (s *Server) checkDocument(d *parleyv1.Document) error {
	if d.GetTarget() == "" || s.validator.Validate(d) == nil {
		return nil
	}
	return s.check(&parleyv1.ClassifyRequest{Document: d})
}

// check applies the rules to a message.
func (s *Server) check(m proto.Message) error {
	if err := s.validator.Validate(m); err != nil {
		return errInvalidFields(violations(err))
	}
	return nil
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
