package metrics

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

// Calls counts the calls of a server by method and code, and how long they took.
type Calls struct {
	inFlight atomic.Int64
	methods  map[string]*method // by full name; does not change
	order    []*method
	other    *method // of all methods that are not known
}

// A method is the counters of one.
type method struct {
	name  string
	busy  bool // its series are there before its first call
	codes [codes.Unauthenticated + 1]atomic.Uint64
	took  *Histogram
}

// latencies are the bounds of a call's duration: a classification takes tens of
// microseconds, a large batch in a queue seconds.
var latencies = []int64{
	int64(100 * time.Microsecond), int64(250 * time.Microsecond), int64(500 * time.Microsecond),
	int64(time.Millisecond), int64(2500 * time.Microsecond), int64(5 * time.Millisecond), int64(10 * time.Millisecond),
	int64(50 * time.Millisecond), int64(250 * time.Millisecond), int64(time.Second), int64(5 * time.Second),
}

// coarse are the bounds for methods that are not called all the time: they are
// many, and nobody tunes them by the millisecond.
var coarse = []int64{int64(10 * time.Millisecond), int64(100 * time.Millisecond), int64(time.Second)}

// NewCalls returns counters for methods, by their full names
// (/package.Service/Method). Series of busy ones are there from the start, so
// that a rate sees their first call too; those of others with their first call,
// and their durations have few buckets.
func NewCalls(busy, others []string) *Calls {
	c := &Calls{methods: map[string]*method{}, other: newMethod("other", false)}
	for _, full := range busy {
		c.add(full, true)
	}
	for _, full := range others {
		c.add(full, false)
	}
	c.order = append(c.order, c.other)
	return c
}

func (c *Calls) add(full string, busy bool) {
	m := newMethod(full[strings.LastIndexByte(full, '/')+1:], busy)
	c.methods[full] = m
	c.order = append(c.order, m)
}

func newMethod(name string, busy bool) *method {
	bounds := coarse
	if busy {
		bounds = latencies
	}
	return &method{name: name, busy: busy, took: NewHistogram(float64(time.Second), bounds...)}
}

// Begin counts a call in flight.
func (c *Calls) Begin() { c.inFlight.Add(1) }

// End counts a call that was begun.
func (c *Calls) End(full string, code codes.Code, took time.Duration) {
	c.inFlight.Add(-1)
	m := c.methods[full]
	if m == nil {
		m = c.other
	}
	if code >= codes.Code(len(m.codes)) {
		code = codes.Unknown
	}
	m.codes[code].Add(1)
	m.took.Observe(int64(took))
}

var (
	callsDesc    = prometheus.NewDesc("parley_calls_total", "Calls that ended, by method and gRPC code.", []string{"method", "code"}, nil)
	durationDesc = prometheus.NewDesc("parley_call_duration_seconds", "Time from the first interceptor to the answer.", []string{"method"}, nil)
	inFlightDesc = prometheus.NewDesc("parley_calls_in_flight", "Calls that are being answered.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *Calls) Describe(out chan<- *prometheus.Desc) {
	out <- callsDesc
	out <- durationDesc
	out <- inFlightDesc
}

// Collect implements prometheus.Collector. Codes that never came have no series.
func (c *Calls) Collect(out chan<- prometheus.Metric) {
	for _, m := range c.order {
		called := m.busy
		for code := range m.codes {
			n := m.codes[code].Load()
			if n > 0 || m.busy && codes.Code(code) == codes.OK {
				out <- prometheus.MustNewConstMetric(callsDesc, prometheus.CounterValue, float64(n), m.name, codes.Code(code).String())
				called = true
			}
		}
		if called {
			out <- m.took.metric(durationDesc, m.name)
		}
	}
	out <- prometheus.MustNewConstMetric(inFlightDesc, prometheus.GaugeValue, float64(c.inFlight.Load()))
}
