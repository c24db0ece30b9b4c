package serve

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/guard"
)

// requestIDKey is the metadata key of a call's id: the caller's own, or one
// made here, logged and sent back in the header, or in the trailer of a call
// that failed.
const requestIDKey = "x-request-id"

// A call is what the log line and the metrics say of a call. Methods fill it in.
type call struct {
	id                   string
	revision             string
	caller               string
	items, errors, bytes int
	decisions            []string // of a single document: head=DECISION

	few [4]string // memory of decisions
}

// A callContext is the context of a call.
type callContext struct {
	context.Context
	call call
}

type callKey struct{}

// Value implements context.Context.
func (c *callContext) Value(key any) any {
	if _, ok := key.(callKey); ok {
		return &c.call
	}
	return c.Context.Value(key)
}

// callOf returns the call that ctx belongs to.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{} // a method called without its interceptors
}

// logCall gives the call its id, counts it and writes its line.
func (s *Server) logCall(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	own := &callContext{Context: ctx, call: call{id: requestID(ctx), caller: guard.CallerOf(ctx)}}
	c := &own.call
	c.decisions = c.few[:0]
	start := time.Now()
	s.telemetry.calls.Begin()
	answer, err := handler(own, request)
	took := time.Since(start)
	s.telemetry.ended(c, info.FullMethod, status.Code(err), took)
	send := grpc.SetHeader
	if err != nil {
		send = grpc.SetTrailer // clients do not retry a call that got a header
	}
	// Without a stream (a method called directly) there is nowhere to send it.
	_ = send(ctx, metadata.MD{requestIDKey: {c.id}})
	s.log(ctx, c, info.FullMethod, err, took)
	return answer, err
}

func (s *Server) log(ctx context.Context, c *call, method string, err error, took time.Duration) {
	code := status.Code(err)
	least, slow := level(method, code), s.telemetry.slow(took)
	switch {
	case slow && least == zerolog.InfoLevel:
		least = zerolog.WarnLevel
	case !slow && code == codes.OK && !s.telemetry.logged():
		return
	}
	e := s.cfg.Log.WithLevel(least).
		Str("request_id", c.id).Str("method", method).Str("code", code.String()).
		Float64("ms", float64(took.Microseconds())/1000)
	addTrace(e, ctx)
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
	if slow {
		e.Bool("slow", true)
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
	if isPlumbing(method) {
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}

// isPlumbing tells calls of health checks and reflection from those of the API.
func isPlumbing(method string) bool {
	return strings.HasPrefix(method, "/grpc.health.v1.") || strings.HasPrefix(method, "/grpc.reflection.")
}

// requestID returns the caller's id of the call if it is printable and short,
// else a new one.
func requestID(ctx context.Context) string {
	if ids := metadata.ValueFromIncomingContext(ctx, requestIDKey); len(ids) == 1 && plausibleID(ids[0]) {
		return ids[0]
	}
	return newRequestID()
}

// newRequestID returns 128 random bits in hexadecimal. They tell calls apart and
// are no secret: crypto/rand would cost 60 ns more.
func newRequestID() string {
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(b[8:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

func plausibleID(id string) bool {
	return 0 < len(id) && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}

// panicked turns a panic into INTERNAL, so that one call's bug is not the end of
// the others.
func (s *Server) panicked(ctx context.Context, p any) error {
	id := cmp.Or(callOf(ctx).id, newRequestID()) // streams have no id yet
	s.cfg.Log.Error().Str("request_id", id).Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("panic")
	return errInternal(id)
}
