package score

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A remedy is what to do about a call that failed.
type remedy int

const (
	giveUp    remedy = iota // it ends the run
	tryAgain                // the server is away
	slowDown                // the server has too much to do: try again, with fewer calls
	sendLess                // the call is too large: send it in two halves
	goneAsked               // the revision that was asked for is not there
)

// remedyOf judges the error of a call whose context still lives.
func remedyOf(err error) remedy {
	s := status.Convert(err)
	switch s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Aborted:
		return tryAgain
	case codes.ResourceExhausted:
		if strings.Contains(s.Message(), "larger than max") { // a message, not the load
			return sendLess
		}
		return slowDown
	case codes.InvalidArgument:
		if reason(s) == "BATCH_TOO_LARGE" || violates(s, "options.max_evidence_terms") {
			return sendLess
		}
	case codes.NotFound:
		return goneAsked
	case codes.FailedPrecondition:
		if loading(s) {
			return tryAgain
		}
		if reason(s) == "REVISION_NOT_READY" {
			return goneAsked
		}
	}
	return giveUp
}

// reason is that of the status' ErrorInfo.
func reason(s *status.Status) string {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// loading reports whether the revision that was asked for is on its way.
func loading(s *status.Status) bool {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()["state"] == "LOADING"
		}
	}
	return false
}

func violates(s *status.Status, field string) bool {
	for _, d := range s.Details() {
		b, ok := d.(*errdetails.BadRequest)
		for _, v := range b.GetFieldViolations() {
			if ok && v.GetField() == field {
				return true
			}
		}
	}
	return false
}

// retryDelay is how long the server asks to wait, 0 when it does not say.
func retryDelay(err error) time.Duration {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// A backoff says how long to wait before a call is made again: twice as long
// each time, with chance in it, so that many clients do not come back together.
type backoff struct {
	began time.Time
	next  time.Duration
}

const (
	firstWait = 50 * time.Millisecond
	mostWait  = 5 * time.Second
)

// errTooLong is the cause when a call has failed for longer than is waited for.
var errTooLong = errors.New("it has failed for too long")

// wait waits before another try, unless the tries would take longer than limit
// altogether.
func (b *backoff) wait(ctx context.Context, asked, limit time.Duration) error {
	if b.began.IsZero() {
		b.began, b.next = time.Now(), firstWait
	}
	if time.Since(b.began) >= limit {
		return errTooLong
	}
	pause := max(asked, b.next/2+rand.N(b.next/2))
	b.next = min(2*b.next, mostWait)
	timer := time.NewTimer(min(pause, limit-time.Since(b.began)+time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
