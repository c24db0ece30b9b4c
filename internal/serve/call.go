package serve

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// requestIDKey is the metadata key of a call's id: the caller's own, or one
// made here, logged and sent back in the header, or in the trailer of a call
// that failed.
const requestIDKey = "x-request-id"

// A call is what the log line says of a call. Methods fill it in.
type call struct {
	id                   string
	revision             string
	caller               string
	items, errors, bytes int
	decisions            []string // of a single document: head=DECISION
}

type callKey struct{}

// callOf returns the call that ctx belongs to.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{} // a method called without its interceptors
}

// logCall gives the call its id and writes its line.
func (s *Server) logCall(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	c := &call{id: requestID(ctx), caller: callerOf(ctx)}
	start := time.Now()
	answer, err := handler(context.WithValue(ctx, callKey{}, c), request)
	send := grpc.SetHeader
	if err != nil {
		send = grpc.SetTrailer // clients do not retry a call that got a header
	}
	// Without a stream (a method called directly) there is nowhere to send it.
	_ = send(ctx, metadata.MD{requestIDKey: {c.id}})
	s.log(c, info.FullMethod, err, time.Since(start))
	return answer, err
}

func (s *Server) log(c *call, method string, err error, took time.Duration) {
	code := status.Code(err)
	e := s.cfg.Log.WithLevel(level(method, code)).
		Str("request_id", c.id).Str("method", method).Str("code", code.String()).
		Float64("ms", float64(took.Microseconds())/1000)
	if c.revision != "" {
		e.Str("revision", c.revision)
	}
	if c.caller != "" {
		e.Str("caller", c.caller)
	}
	if c.items > 0 {
		e.Int("items", c.items).Int("bytes", c.bytes)
	}
	if c.errors > 0 {
		e.Int("item_errors", c.errors)
	}
	if len(c.decisions) > 0 {
		e.Strs("decisions", c.decisions)
	}
	if err != nil {
		e.Str("error", reason(err))
	}
	e.Send()
}

// reason is what the log says of an error: its reason and fields, since the
// message may quote what the caller sent.
func reason(err error) string {
	s := status.Convert(err)
	name, fields := "", []string(nil)
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			name = d.GetReason()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	if name == "" {
		return s.Message() // gRPC's own, or that of a context
	}
	return strings.Join(append([]string{name}, fields...), " ")
}

// level is debug for health checks, error for what is our fault.
func level(method string, code codes.Code) zerolog.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return zerolog.ErrorLevel
	}
	if strings.HasPrefix(method, "/grpc.health.v1.") {
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}

// requestID returns the caller's id of the call if it is printable and short,
// else a new one.
func requestID(ctx context.Context) string {
	if ids := metadata.ValueFromIncomingContext(ctx, requestIDKey); len(ids) == 1 && plausibleID(ids[0]) {
		return ids[0]
	}
	return rand.Text()
}

func plausibleID(id string) bool {
	return 0 < len(id) && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}

// panicked turns a panic into INTERNAL, so that one call's bug is not the end of
// the others.
func (s *Server) panicked(ctx context.Context, p any) error {
	id := cmp.Or(callOf(ctx).id, rand.Text()) // streams have no id yet
	s.cfg.Log.Error().Str("request_id", id).Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("panic")
	return errInternal(id)
}
