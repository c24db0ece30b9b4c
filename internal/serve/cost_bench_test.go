package serve

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"

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
	addr := serveOnLoopback(b, s)
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

// BenchmarkGuard is what the guard does for a call: without a credential, with
// a key among ten, and for a call that is refused under overload.
func BenchmarkGuard(b *testing.B) {
	var lines, key string
	for i := range 10 {
		secret, line, err := NewKey(fmt.Sprintf("caller-%d", i), Scorer)
		if err != nil {
			b.Fatal(err)
		}
		key, lines = secret, lines+line
	}
	keysFile := folder(b.TempDir()).put(b, "keys", []byte(lines))
	for _, c := range []struct {
		name string
		cfg  Guard
		md   metadata.MD
		full bool
	}{
		{"open", Guard{}, nil, false},
		{"key", Guard{Security: Security{KeysFile: keysFile}}, metadata.Pairs("authorization", "Bearer "+key), false},
		{"refused", Guard{}, nil, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg, err := c.cfg.withDefaults()
			if err != nil {
				b.Fatal(err)
			}
			g, err := newGuard(cfg, zerolog.New(discardLog{}))
			if err != nil {
				b.Fatal(err)
			}
			if c.full {
				g.admission.running = load{1000, time.Hour}
			}
			info := &tap.Info{FullMethodName: classifyMethod, Header: c.md}
			b.ReportAllocs()
			for b.Loop() {
				parent, cancel := context.WithCancel(context.Background())
				ctx, err := g.gate(parent, info)
				if (err != nil) != c.full {
					b.Fatal(err)
				}
				t := ticketOf(ctx)
				t.start()
				if err := t.arrive(ctx, 1400); err != nil {
					b.Fatal(err)
				}
				t.end()
				cancel()
			}
		})
	}
}
