package client

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// maxBroken is how many answers to a call may break off.
const maxBroken = 5

// again makes a call of classification or about labels once more when its
// connection broke in the middle of the answer. gRPC retries no call whose answer has
// begun, as it cannot know that the methods change nothing, or nothing when they come
// again with their request id.
func again(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	for broken := 1; ; broken++ {
		var header metadata.MD // empty: no answer began
		err := invoke(ctx, method, req, reply, conn, append(slices.Clip(opts), grpc.Header(&header))...)
		if status.Code(err) != codes.Unavailable || len(header) == 0 || broken == maxBroken || !mayComeTwice(method) {
			return err
		}
	}
}

func mayComeTwice(method string) bool {
	for _, service := range []string{parleyv1.ClassificationService_ServiceDesc.ServiceName, parleyv1.LabelService_ServiceDesc.ServiceName} {
		if strings.HasPrefix(method, "/"+service+"/") {
			return true
		}
	}
	return false
}
