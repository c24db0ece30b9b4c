package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A Config says how to serve. The zero value of a field means its default.
type Config struct {
	// ModelName is the {model} of models/{model}; "default".
	ModelName string
	// MaxDocumentBytes is the longest text that is classified whole; 1 MiB. At
	// most model.MaxTextBytes.
	MaxDocumentBytes int
	// MaxBatchItems is how many documents a batch may have; 1,000.
	MaxBatchItems int
	// MaxMessageBytes is the largest request that is read at all; 16 MiB.
	MaxMessageBytes int
	// DrainDelay is how long the server goes on taking calls after its health
	// went down, so that clients notice; none.
	DrainDelay time.Duration
	// DrainTimeout is how long calls in flight may then take; 30 s.
	DrainTimeout time.Duration
	// Revisions says where revisions come from and which are held.
	Revisions Revisions
	// Labels says where labels go.
	Labels Labels
	// Guard says who may call, and how much at once.
	Guard guard.Config
	// Log gets one event a call (but for streams: health watches and
	// reflection), and never a text.
	Log zerolog.Logger
	// NoReflection keeps clients from asking the server what it serves.
	NoReflection bool
	// Telemetry is what is told of calls.
	Telemetry Telemetry
}

var modelName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,61}$`)

// withDefaults fills in the defaults and checks the rest.
func (c Config) withDefaults() (Config, error) {
	if c.ModelName == "" {
		c.ModelName = "default"
	}
	c.MaxDocumentBytes = cmp.Or(c.MaxDocumentBytes, 1<<20)
	c.MaxBatchItems = cmp.Or(c.MaxBatchItems, 1000)
	c.MaxMessageBytes = cmp.Or(c.MaxMessageBytes, 16<<20)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, 30*time.Second)
	if telemetry, err := c.Telemetry.withDefaults(); err != nil {
		return c, err
	} else {
		c.Telemetry = telemetry
	}
	switch {
	case !modelName.MatchString(c.ModelName):
		return c, fmt.Errorf("model name %q: want a small letter, then at most 61 small letters, digits or hyphens", c.ModelName)
	case c.MaxDocumentBytes < 0 || c.MaxDocumentBytes > model.MaxTextBytes:
		return c, fmt.Errorf("document limit %d: want 1 to %d bytes", c.MaxDocumentBytes, model.MaxTextBytes)
	case c.MaxBatchItems < 0 || c.MaxMessageBytes < 0:
		return c, fmt.Errorf("limits of %d batch items and %d message bytes: want more than 0", c.MaxBatchItems, c.MaxMessageBytes)
	case c.DrainDelay < 0 || c.DrainTimeout < 0:
		return c, fmt.Errorf("drain delay %s and timeout %s: want 0 or more", c.DrainDelay, c.DrainTimeout)
	}
	var err error
	if c.Revisions, err = c.Revisions.withDefaults(); err != nil {
		return c, err
	}
	c.Labels, err = c.Labels.withDefaults()
	return c, err
}

// A Server answers calls with the model it was last given. Until there is one,
// calls fail with UNAVAILABLE and health says NOT_SERVING.
type Server struct {
	parleyv1.UnimplementedClassificationServiceServer
	parleyv1.UnimplementedModelServiceServer
	parleyv1.UnimplementedLabelServiceServer

	cfg       Config
	guard     *guard.Guard
	validator protovalidate.Validator
	grpc      *grpc.Server
	health    *health.Server
	held      atomic.Pointer[held]
	holding   sync.Mutex    // one changes what is held at a time
	loaded    chan struct{} // closed once there is a live revision
	keeper    *keeper       // nil without a store
	clerk     *clerk        // nil without a ledger
	shadow    *shadower
	counters  Counters
	streams   context.Context // ends when a drain ends the streams
	endStream context.CancelFunc
	telemetry *telemetry
}

// services are those whose health clients may ask for; "" is the server's.
var services = []string{
	"",
	parleyv1.ClassificationService_ServiceDesc.ServiceName,
	parleyv1.ModelService_ServiceDesc.ServiceName,
	parleyv1.LabelService_ServiceDesc.ServiceName,
}

// New returns a server without a model.
func New(cfg Config) (*Server, error) { return newServer(cfg, nil) }

// NewFor returns a server whose classification calls go to service instead of
// a model. All that happens to a call around that is the same, so that a
// benchmark can tell what calls cost by themselves.
func NewFor(cfg Config, service parleyv1.ClassificationServiceServer) (*Server, error) {
	return newServer(cfg, service)
}

// newServer returns a server that classifies with service, itself when nil.
func newServer(cfg Config, service parleyv1.ClassificationServiceServer) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	v, err := protovalidate.New()
	if err != nil {
		return nil, fmt.Errorf("validation rules: %w", err)
	}
	s := &Server{cfg: cfg, validator: v, health: health.NewServer(), loaded: make(chan struct{}), shadow: newShadower(cfg.Revisions.Shadow)}
	s.keeper, s.clerk = newKeeper(s), newClerk(s.cfg.Labels, cfg.Log)
	s.streams, s.endStream = context.WithCancel(context.Background())
	if s.guard, err = guard.New(cfg.Guard, cfg.Log); err != nil {
		return nil, err
	}
	s.telemetry = newTelemetry(s)
	handlePanic := recovery.WithRecoveryHandlerContext(s.panicked)
	s.grpc = grpc.NewServer(append(append(s.guard.Options(), s.telemetry.spans()...),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(cfg.MaxMessageBytes),
		grpc.NumStreamWorkers(64), // goroutines kept warm: a fifth less CPU a call at 64 in flight
		grpc.ChainUnaryInterceptor(s.logCall, recovery.UnaryServerInterceptor(handlePanic), s.validate),
		grpc.ChainStreamInterceptor(recovery.StreamServerInterceptor(handlePanic), s.limitStream),
	)...)
	if service == nil {
		service = s
	}
	s.grpc.RegisterService(decodeErrors(parleyv1.ClassificationService_ServiceDesc), service)
	s.grpc.RegisterService(decodeErrors(parleyv1.ModelService_ServiceDesc), s)
	s.grpc.RegisterService(decodeErrors(parleyv1.LabelService_ServiceDesc), s)
	grpc_health_v1.RegisterHealthServer(s.grpc, s.health)
	if !cfg.NoReflection {
		reflection.Register(s.grpc)
	}
	for _, name := range services {
		s.health.SetServingStatus(name, grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	}
	return s, nil
}

// Serve answers calls on lis until ctx ends, and then drains: health goes
// down, after DrainDelay no new calls are taken, and those in flight get
// DrainTimeout to finish. Meanwhile it watches the store, if there is one. It
// returns when the server has stopped, also when lis fails.
func (s *Server) Serve(ctx context.Context, lis net.Listener) error {
	if err := s.cfg.Guard.Security.CheckAddr(lis.Addr()); err != nil {
		lis.Close()
		return fmt.Errorf("serve: %w", err)
	}
	defer s.background(ctx)()
	defer s.guard.Watch()()
	drained, stopped := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		s.drain(stopped)
	})
	err := s.grpc.Serve(s.guard.LimitConnections(lis))
	close(stopped)
	if !stop() {
		<-drained
	}
	if err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		s.Stop()
		return fmt.Errorf("serve %s: %w", lis.Addr(), err)
	}
	return nil
}

// drain ends the server without failing a call; stopped is closed when there
// is nothing left to wait for.
func (s *Server) drain(stopped <-chan struct{}) {
	s.health.Shutdown()
	select {
	case <-time.After(s.cfg.DrainDelay): // the load balancers' time to see it
	case <-stopped:
	}
	s.endStream()
	kill := time.AfterFunc(s.cfg.DrainTimeout, s.grpc.Stop)
	defer kill.Stop()
	s.grpc.GracefulStop()
}

// limitStream ends a stream when the server drains: a health watch goes on
// until its client leaves, and would hold the drain up until DrainTimeout.
func (s *Server) limitStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.streams, cancel)()
	return handler(srv, limitedStream{stream, ctx})
}

// A limitedStream is a stream with a context of its own.
type limitedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s limitedStream) Context() context.Context { return s.ctx }

// Stop ends the server at once, calls in flight included.
func (s *Server) Stop() { s.grpc.Stop() }
