package serve

import (
	"context"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/parley-nlp/parley/internal/serve/servetest"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// An echoService answers every call alike.
type echoService struct {
	parleyv1.UnimplementedClassificationServiceServer
}

func (echoService) Classify(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
	return &parleyv1.ClassifyResponse{}, nil
}

// BenchmarkCall is a unary call over loopback whose answer costs nothing: what
// is left is the transport, on both sides, and everything that the server does
// around a method.
func BenchmarkCall(b *testing.B) {
	s, err := NewFor(Config{Log: zerolog.New(discardLog{}).With().Timestamp().Logger()}, echoService{})
	if err != nil {
		b.Fatal(err)
	}
	addr := servetest.Start(b, s)
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	client, req := parleyv1.NewClassificationServiceClient(conn), request(strings.Repeat("shares of a late goal ", 64), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Classify(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}

// discardLog takes log lines, so that they are written in full.
type discardLog struct{}

func (discardLog) Write(line []byte) (int, error) { return len(line), nil }
