package client

import (
	"cmp"
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/parley-nlp/parley/internal/model/modeltest"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/serve/servetest"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A busyService refuses its first calls.
type busyService struct {
	parleyv1.UnimplementedClassificationServiceServer
	refuse int64
	delay  time.Duration // that it asks for; 1 ms
	calls  atomic.Int64
}

func (b *busyService) BatchClassify(_ context.Context, req *parleyv1.BatchClassifyRequest) (*parleyv1.BatchClassifyResponse, error) {
	if b.calls.Add(1) > b.refuse {
		return &parleyv1.BatchClassifyResponse{Results: make([]*parleyv1.BatchClassifyResult, len(req.GetItems()))}, nil
	}
	s, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(cmp.Or(b.delay, time.Millisecond))})
	if err != nil {
		return nil, err
	}
	return nil, s.Err()
}

// startBusy runs a server in front of a busy service and returns its client.
func startBusy(t *testing.T, b *busyService) *Client {
	t.Helper()
	s, err := serve.NewFor(serve.Config{}, b)
	if err != nil {
		t.Fatal(err)
	}
	s.Use(modeltest.Topics(t))
	return mustDial(t, servetest.Start(t, s))
}

// A batch waits for a server that has too much to do, but not for ever, and a
// single call does not.
func TestBatchesWaitForABusyServer(t *testing.T) {
	b := &busyService{refuse: maxBusy - 1}
	results, err := startBusy(t, b).ClassifyAll(t.Context(), []string{"goal"}, nil)
	if err != nil || len(results) != 1 || b.calls.Load() != maxBusy {
		t.Errorf("refused %d times: %d results, error %v, %d calls", b.refuse, len(results), err, b.calls.Load())
	}
	b = &busyService{refuse: maxBusy}
	if _, err := startBusy(t, b).ClassifyAll(t.Context(), []string{"goal"}, nil); status.Code(err) != codes.ResourceExhausted || b.calls.Load() != maxBusy {
		t.Errorf("refused %d times: error %v, %d calls", b.refuse, err, b.calls.Load())
	}
	b = &busyService{refuse: 1}
	if _, err := startBusy(t, b).BatchClassify(t.Context(), []*parleyv1.BatchClassifyItem{{Document: &parleyv1.Document{Text: "goal"}}}, nil); status.Code(err) != codes.ResourceExhausted || b.calls.Load() != 1 {
		t.Errorf("a single call: error %v, %d calls", err, b.calls.Load())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := startBusy(t, &busyService{refuse: 1, delay: time.Hour}).ClassifyAll(ctx, []string{"goal"}, nil); err == nil {
		t.Error("a batch outlived its context")
	}
}
