package guard

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/parley-nlp/parley/internal/rpcerror"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// The errors of the guard.

func errUnauthenticated(message string) error {
	return rpcerror.New(codes.Unauthenticated, parleyv1.ErrorReason_ERROR_REASON_UNAUTHENTICATED, message, nil)
}

func errWrongRole(who *caller, needs Role) error {
	has := who.role.String()
	if who.role == 0 {
		has = "none"
	}
	return rpcerror.New(codes.PermissionDenied, parleyv1.ErrorReason_ERROR_REASON_ROLE_MISSING,
		fmt.Sprintf("the call needs one of the roles %s; %s has %s", needs, who.name, has), nil,
		"caller", who.name, "roles", who.role.String(), "needs_one_of", needs.String())
}

// busyFor is how long a client should wait before it asks again a server that
// has too much to do.
const busyFor = time.Second

func busy(message, limit, value string) error {
	return rpcerror.New(codes.ResourceExhausted, parleyv1.ErrorReason_ERROR_REASON_OVERLOADED, message, rpcerror.RetryAfter(busyFor),
		"limit", limit, "value", value)
}

func errOverloaded(limit time.Duration) error {
	return busy(fmt.Sprintf("calls would have to wait longer than the server's limit, %s", limit), "queue", limit.String())
}

func errMemory(limit int64) error {
	return busy(fmt.Sprintf("the server's memory is nearly full; its limit is %d bytes", limit), "memory", strconv.FormatInt(limit, 10))
}

func errLabels(limit int64) error {
	return busy(fmt.Sprintf("the server has %d calls about labels in flight, its limit", limit), "label_calls", strconv.FormatInt(limit, 10))
}

func errShortDeadline(left, expected time.Duration) error {
	return rpcerror.New(codes.DeadlineExceeded, parleyv1.ErrorReason_ERROR_REASON_INSUFFICIENT_DEADLINE,
		fmt.Sprintf("the deadline is in %s, the answer takes %s or more", left, expected), nil,
		"left_ms", milliseconds(left), "expected_ms", milliseconds(expected))
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', -1, 64)
}

func errTooManyConnections(limit int64) error {
	return errors.New("the limit is " + strconv.FormatInt(limit, 10) + " connections")
}
