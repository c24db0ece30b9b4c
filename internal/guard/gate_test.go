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

// Calls about labels are counted apart from those that need a processor: beyond their
// limit they are refused when they arrive, and while memory is full at their headers.
// Whatever becomes of them, their place is free afterwards.
func TestLabelCalls(t *testing.T) {
	g, err := New(Config{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	arrive := func() (*Ticket, error) {
		ctx, err := g.gate(t.Context(), &tap.Info{FullMethodName: labelPrefix + "BatchCreateLabels"})
		if err != nil {
			return nil, err
		}
		ticket := TicketOf(ctx)
		ticket.Start()
		return ticket, ticket.Arrive(ctx, 100)
	}
	var let []*Ticket
	for range maxLabelCalls {
		ticket, err := arrive()
		if err != nil {
			t.Fatal(err)
		}
		let = append(let, ticket)
	}
	for range 2 {
		ticket, err := arrive()
		if status.Code(err) != codes.ResourceExhausted || len(status.Convert(err).Details()) != 2 {
			t.Errorf("beyond the limit: %v", err)
		}
		ticket.End()
	}
	if calls, expected := g.InFlight(); calls != 0 || expected != 0 {
		t.Errorf("%d calls of %s are in flight for the processors", calls, expected)
	}
	for _, ticket := range let {
		ticket.End()
	}
	if n := g.labels.calls.Load(); n != 0 {
		t.Errorf("%d places are taken, want none", n)
	}
	g.memory.full.Store(true)
	if _, err := arrive(); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("while memory is full: %v", err)
	}
	if got := [2]int64{g.counters.refused[labelsFull].Load(), g.counters.refused[memoryFull].Load()}; got != [2]int64{2, 1} {
		t.Errorf("counted %d refusals", got)
	}
}

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
