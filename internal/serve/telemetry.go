package serve

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"

	"github.com/parley-nlp/parley/internal/metrics"
	"github.com/parley-nlp/parley/internal/predictionlog"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Telemetry says what is told of calls beside their metrics, which are always
// counted. The zero value of a field means its default.
type Telemetry struct {
	// Metrics gets the metrics of this server and of no other; nil for a registry of
	// its own.
	Metrics *metrics.Registry
	// Traces gets a span a call; nil for none.
	Traces trace.TracerProvider
	// Predictions gets a sample of the documents; nil for none.
	Predictions *predictionlog.Log
	// LogShare is the share of calls without an error that get a line in the
	// log; 1. Calls that fail always do.
	LogShare float64
	// SlowCall is how long a call takes that always gets a line, marked "slow";
	// 1 s, negative for never.
	SlowCall time.Duration
	// DriftWindow is how many documents drift is judged over; 10,000.
	DriftWindow int
	// Version is that of the program.
	Version string
}

func (t Telemetry) withDefaults() (Telemetry, error) {
	if t.LogShare == 0 {
		t.LogShare = 1
	}
	t.SlowCall = cmp.Or(t.SlowCall, time.Second)
	t.DriftWindow = cmp.Or(t.DriftWindow, 10_000)
	switch {
	case !(t.LogShare > 0 && t.LogShare <= 1):
		return t, fmt.Errorf("log share %v: want more than 0, at most 1", t.LogShare)
	case t.DriftWindow < 100 || t.DriftWindow > 10_000_000:
		return t, fmt.Errorf("drift window %d: want 100 to 10000000 documents", t.DriftWindow)
	}
	return t, nil
}

// telemetry is the counters of a server.
type telemetry struct {
	Telemetry
	registry   *metrics.Registry
	calls      *metrics.Calls
	answers    *metrics.Answers
	batchItems *metrics.Histogram
	unknown    *metrics.Histogram // share of unknown words, in millionths
	classify   documents
	batch      documents
	bytes      atomic.Uint64 // of texts
}

// documents counts those of a method.
type documents struct{ ok, failed atomic.Uint64 }

func (d *documents) add(c *call, failed bool) {
	if failed {
		d.failed.Add(uint64(c.items))
		return
	}
	d.ok.Add(uint64(c.items - c.errors))
	d.failed.Add(uint64(c.errors))
}

const millionth = 1_000_000

// newTelemetry lays out the counters of s and names them. What other parts of
// the server count is registered here too, in register.go.
func newTelemetry(s *Server) *telemetry {
	t := &telemetry{
		Telemetry:  s.cfg.Telemetry,
		registry:   s.cfg.Telemetry.Metrics,
		calls:      metrics.NewCalls(methodsOf(&parleyv1.ClassificationService_ServiceDesc), slices.Concat(methodsOf(&parleyv1.ModelService_ServiceDesc), methodsOf(&parleyv1.LabelService_ServiceDesc), healthMethods)),
		answers:    metrics.NewAnswers(s.cfg.Telemetry.DriftWindow),
		batchItems: metrics.NewHistogram(1, 1, 10, 25, 50, 100, 250, 500, 1000),
		unknown:    metrics.NewHistogram(millionth, 0, .1*millionth, .2*millionth, .3*millionth, .5*millionth, .75*millionth),
	}
	if t.registry == nil {
		t.registry = metrics.NewRegistry()
	}
	t.register(s)
	return t
}

var healthMethods = []string{"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List"}

func methodsOf(desc *grpc.ServiceDesc) []string {
	var names []string
	for _, m := range desc.Methods {
		names = append(names, "/"+desc.ServiceName+"/"+m.MethodName)
	}
	return names
}

// ended counts a call that is over.
func (t *telemetry) ended(c *call, method string, code codes.Code, took time.Duration) {
	t.calls.End(method, code, took)
	switch method {
	case parleyv1.ClassificationService_Classify_FullMethodName:
		t.classify.add(c, code != codes.OK)
	case parleyv1.ClassificationService_BatchClassify_FullMethodName:
		t.batch.add(c, code != codes.OK)
		if c.items > 0 {
			t.batchItems.Observe(int64(c.items))
		}
	}
	if c.bytes > 0 {
		t.bytes.Add(uint64(c.bytes))
	}
}

// use makes live the revision whose answers are in the metrics. Those of others
// in memory are counted with them.
func (t *telemetry) use(live *revision, others ...*revision) {
	seen := make([]*metrics.Heads, len(others))
	for i, r := range others {
		seen[i] = r.seen
	}
	t.answers.Use(live.seen, seen...)
}

// spans returns the option that makes a span of every call but health checks
// and reflection. Trace contexts are those of W3C.
func (t *telemetry) spans() []grpc.ServerOption {
	if t.Traces == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithTracerProvider(t.Traces),
		otelgrpc.WithMeterProvider(noop.NewMeterProvider()), // metrics are our own
		otelgrpc.WithPropagators(propagation.TraceContext{}),
		otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool { return !isPlumbing(info.FullMethodName) }),
	))}
}
