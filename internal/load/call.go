package load

import (
	"context"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A Call is one that has ended.
type Call struct {
	// Due is when it was meant to start, Sent when it did, Ended when its caller
	// had the outcome.
	Due, Sent, Ended time.Time
	// Documents were sent; ItemErrors are those of a batch that failed alone.
	Documents  int
	ItemErrors []Failure
	// Revision answered; "" when none did.
	Revision string
	// Failure is what the caller got instead of an answer, nil when it was
	// answered.
	Failure *Failure
	// Attempts are in the order in which they were made.
	Attempts []Attempt
}

// Latency is the time from when the call was due until it ended.
func (c *Call) Latency() time.Duration { return c.Ended.Sub(c.Due) }

// FirstFailed reports whether the first attempt failed, whatever came after.
func (c *Call) FirstFailed() bool { return len(c.Attempts) > 0 && c.Attempts[0].Err != nil }

// Server is the address that gave the outcome; "" when none did.
func (c *Call) Server() string {
	if len(c.Attempts) == 0 {
		return ""
	}
	return c.Attempts[len(c.Attempts)-1].Address
}

// A Failure is an error as its status tells it.
type Failure struct {
	Code codes.Code
	// Reason is that of the ErrorInfo; "" when there is none: the error is then
	// gRPC's own.
	Reason string
	// RetryDelay is that of the RetryInfo; 0 when there is none.
	RetryDelay time.Duration
	Message    string
}

func failureOf(err error) *Failure {
	if err == nil {
		return nil
	}
	f := failure(status.Convert(err))
	return &f
}

func failure(s *status.Status) Failure {
	f := Failure{Code: s.Code(), Message: s.Message()}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			f.Reason = d.GetReason()
		case *errdetails.RetryInfo:
			f.RetryDelay = d.GetRetryDelay().AsDuration()
		}
	}
	return f
}

// call makes the call of number n. It is not called off when ctx ends: that is
// no failure of the server.
func (r *run) call(ctx context.Context, n int, due time.Time) {
	seen := &attempts{}
	ctx = context.WithValue(context.WithoutCancel(ctx), attemptsKey{}, seen)
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	r.tally.sent()
	c := Call{Due: due, Sent: time.Now(), Documents: max(r.cfg.Batch, 1)}
	var err error
	if r.cfg.Batch > 0 {
		err = r.batch(ctx, n, &c)
	} else {
		err = r.classify(ctx, n, &c)
	}
	c.Ended, c.Failure, c.Attempts = time.Now(), failureOf(err), seen.snapshot()
	r.tally.add(&c, !due.Before(r.from), r.cfg.Observe)
}

func (r *run) classify(ctx context.Context, n int, c *Call) error {
	resp, err := r.target.clients[n%len(r.target.clients)].ClassifyDocument(ctx, r.document(n), nil)
	c.Revision = resp.GetModelRevision()
	return err
}

func (r *run) batch(ctx context.Context, n int, c *Call) error {
	items := make([]*parleyv1.BatchClassifyItem, r.cfg.Batch)
	for i := range items {
		items[i] = &parleyv1.BatchClassifyItem{Document: r.document(n*r.cfg.Batch + i)}
	}
	resp, err := r.target.clients[n%len(r.target.clients)].BatchClassify(ctx, items, nil)
	if err != nil {
		return err
	}
	c.Revision = resp.GetModelRevision()
	for _, result := range resp.GetResults() {
		if result.GetError() != nil {
			c.ItemErrors = append(c.ItemErrors, failure(status.FromProto(result.GetError())))
		}
	}
	if got := len(resp.GetResults()); got != len(items) {
		return status.Errorf(codes.Internal, "%d results for %d documents", got, len(items))
	}
	return nil
}

func (r *run) document(i int) *parleyv1.Document { return r.documents[i%len(r.documents)] }
