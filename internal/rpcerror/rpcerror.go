// Package rpcerror makes the errors of calls: gRPC statuses with the details
// that clients go by, as errors.proto describes them.
package rpcerror

import (
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// domain is ErrorInfo.domain of every error.
const domain = "parley"

// New makes a status with an ErrorInfo first among its details. metadata is
// key, value, key, value, ...
func New(code codes.Code, reason parleyv1.ErrorReason, message string, details []protoadapt.MessageV1, metadata ...string) error {
	info := &errdetails.ErrorInfo{
		Reason: strings.TrimPrefix(reason.String(), "ERROR_REASON_"),
		Domain: domain,
	}
	for i := 0; i < len(metadata); i += 2 {
		if info.Metadata == nil {
			info.Metadata = map[string]string{}
		}
		info.Metadata[metadata[i]] = metadata[i+1]
	}
	s, err := status.New(code, message).WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil { // only for code OK
		return status.Error(codes.Internal, err.Error())
	}
	return s.Err()
}

// RetryAfter are the details of an error that asks the client to wait so long
// before it calls again.
func RetryAfter(delay time.Duration) []protoadapt.MessageV1 {
	return []protoadapt.MessageV1{&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}}
}
