package guard

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// A call that cannot be answered before its deadline is refused at its headers.
func TestHopelessCall(t *testing.T) {
	g, err := New(Config{MaxTimeout: 40 * time.Minute}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	g.admission.pace = float64(time.Hour) / callBytes
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	_, err = g.gate(ctx, &tap.Info{FullMethodName: classifyMethod})
	s := status.Convert(err)
	if s.Code() != codes.DeadlineExceeded || !strings.HasPrefix(s.Message(), "the deadline is in 29m59.") || len(s.Details()) != 1 {
		t.Fatalf("got %v", err)
	}
	if info := s.Details()[0].(*errdetails.ErrorInfo); info.GetReason() != "INSUFFICIENT_DEADLINE" || info.GetMetadata()["expected_ms"] != "3600000" {
		t.Errorf("details %v", info)
	}
	if got := g.counters.refused[shortDeadline].Load(); got != 1 {
		t.Errorf("%d refusals were counted, want 1", got)
	}
}
