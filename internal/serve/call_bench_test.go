package serve

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/rs/zerolog"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/predictionlog"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A quietStream is where a call's header goes when nobody waits for it.
type quietStream struct{}

func (quietStream) Method() string               { return classifyMethod }
func (quietStream) SetHeader(metadata.MD) error  { return nil }
func (quietStream) SendHeader(metadata.MD) error { return nil }
func (quietStream) SetTrailer(metadata.MD) error { return nil }

// BenchmarkAroundCall measures what happens around a call that does nothing: request
// id, counters and the log line.
func BenchmarkAroundCall(b *testing.B) {
	s, err := New(Config{Log: zerolog.New(io.Discard).With().Timestamp().Logger()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Stop()
	info := &grpc.UnaryServerInfo{FullMethod: classifyMethod}
	answer := &parleyv1.ClassifyResponse{}
	handler := func(ctx context.Context, _ any) (any, error) { return answer, nil }
	sent := metadata.MD{"content-type": {"application/grpc"}, "user-agent": {"grpc-go"}, ":authority": {"localhost"}}
	ctx := grpc.NewContextWithServerTransportStream(metadata.NewIncomingContext(b.Context(), sent), quietStream{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.logCall(ctx, nil, info, handler); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAnswer measures a call with its classification, without gRPC.
func BenchmarkAnswer(b *testing.B) {
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Stop()
	s.Use(newModel(b, 1))
	one := request("great goal", nil)
	many := &parleyv1.BatchClassifyRequest{}
	for range 100 {
		many.Items = append(many.Items, &parleyv1.BatchClassifyItem{Document: document("great goal")})
	}
	b.Run("unary", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Classify(b.Context(), one); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("batch of 100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.BatchClassify(b.Context(), many); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTraces measures whole calls over memory, client included, without
// spans, with spans that are not kept, and with all of them kept.
func BenchmarkTraces(b *testing.B) {
	for _, test := range []struct {
		name  string
		share float64
	}{{"off", -1}, {"none kept", 0}, {"all kept", 1}} {
		b.Run(test.name, func(b *testing.B) {
			var cfg Config
			if test.share >= 0 {
				provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(test.share))), sdktrace.WithBatcher(nowhere{}))
				defer provider.Shutdown(context.Background())
				cfg.Telemetry.Traces = provider
			}
			s := start(b, cfg, newModel(b, 1))
			s.cfg.Log = zerolog.Nop()
			req := request("great goal", nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.client.Classify(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// nowhere takes spans and forgets them.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                             { return nil }

// BenchmarkDocument measures what it costs a document of a batch to be counted,
// and to be counted and kept in the prediction log.
func BenchmarkDocument(b *testing.B) {
	m := newWideModel(b, "zero")
	result := m.NewClassifier().Classify("goal shares bank keeper", "")
	kept, err := predictionlog.Open(predictionlog.Config{Path: os.DevNull, Share: 1, MaxBytes: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	defer kept.Close()
	for name, log := range map[string]*predictionlog.Log{"counted": nil, "kept": kept} {
		b.Run(name, func(b *testing.B) {
			s, err := New(Config{Telemetry: Telemetry{Predictions: log}})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Stop()
			s.Use(m)
			p := &plan{heads: []int{0, 1}}
			o := s.telemetry.observer(s.held.Load().live, &call{}, p, false)
			answers := []*parleyv1.HeadPrediction{{}, {}}
			b.ReportAllocs()
			for b.Loop() {
				for h := range p.heads {
					o.head(h, &result.Predictions[h], model.Labeled)
				}
				o.document("goal shares bank keeper", "", false, result, answers)
			}
		})
	}
}
