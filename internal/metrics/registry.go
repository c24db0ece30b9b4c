package metrics

import (
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Registry is all metrics of a server. Names begin with parley_ but for those
// of the Go runtime and of the process, which have their customary ones.
type Registry struct{ *prometheus.Registry }

// runtimeMetrics are those of the Go runtime beside goroutines, threads and the
// durations of collections: what the memory is used for, and what collecting it
// costs.
var runtimeMetrics = []string{
	"/memory/classes/heap/objects:bytes", "/memory/classes/total:bytes", "/gc/heap/live:bytes",
	"/gc/heap/allocs:bytes", "/gc/gogc:percent", "/gc/gomemlimit:bytes", "/sched/gomaxprocs:threads",
}

// NewRegistry returns a registry with the metrics of the runtime and the process.
func NewRegistry() *Registry {
	r := &Registry{prometheus.NewPedanticRegistry()}
	var rules []collectors.GoRuntimeMetricsRule
	for _, name := range runtimeMetrics {
		rules = append(rules, collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile("^" + regexp.QuoteMeta(name) + "$")})
	}
	r.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled(), collectors.WithGoCollectorRuntimeMetrics(rules...)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// Counter exports what read returns, a number that only grows, as the counter
// parley_NAME. labels are name, value, name, value, ... and the same names for
// every counter of that name.
func (r *Registry) Counter(name, help string, read func() float64, labels ...string) {
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: pairs(labels)}, read))
}

// Gauge exports what read returns as the gauge parley_NAME; labels are as for
// Counter.
func (r *Registry) Gauge(name, help string, read func() float64, labels ...string) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: pairs(labels)}, read))
}

// Histogram exports h as parley_NAME.
func (r *Registry) Histogram(name, help string, h *Histogram) {
	r.MustRegister(named{prometheus.NewDesc(namespace+"_"+name, help, nil, nil), h})
}

// named is a histogram with its name.
type named struct {
	desc *prometheus.Desc
	h    *Histogram
}

// Describe implements prometheus.Collector.
func (n named) Describe(out chan<- *prometheus.Desc) { out <- n.desc }

// Collect implements prometheus.Collector.
func (n named) Collect(out chan<- prometheus.Metric) { out <- n.h.metric(n.desc) }

const namespace = "parley"

func pairs(list []string) prometheus.Labels {
	labels := prometheus.Labels{}
	for i := 0; i < len(list); i += 2 {
		labels[list[i]] = list[i+1]
	}
	return labels
}

// Handler answers scrapes: a few at a time, and none for longer than a scraper
// would wait. A metric that cannot be read fails the scrape, so that it is seen.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second, EnableOpenMetrics: true})
}

// A Number is something that can be read as a number, such as an atomic counter.
type Number[T ~int64 | ~uint64 | ~int32 | ~uint32] interface{ Load() T }

// Read returns a function that reads n.
func Read[T ~int64 | ~uint64 | ~int32 | ~uint32](n Number[T]) func() float64 {
	return func() float64 { return float64(n.Load()) }
}
