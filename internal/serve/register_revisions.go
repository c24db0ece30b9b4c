package serve

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-nlp/parley/internal/metrics"
)

// registerRevisions names the counters of what happens to revisions.
func (t *telemetry) registerRevisions(s *Server) {
	r, c := t.registry, &s.counters
	r.Counter("revision_swaps_total", "Times that another revision went live.", metrics.Read(&c.Swaps))
	for _, result := range LoadResults() {
		r.Counter("model_loads_total", "Attempts to load a revision, by how they ended.", metrics.Read(&c.Loads[result]), "result", result.String())
	}
	r.Counter("model_load_seconds_total", "Time spent on loading revisions.", inSeconds(&c.LoadTime))
	r.Gauge("model_last_load_seconds", "Time that the last revision took to load.", inSeconds(&c.LastLoadTime))
	const checks = "Times that the store was asked where its aliases point."
	r.Counter("store_checks_total", checks, func() float64 { return float64(c.Checks.Load() - c.CheckFailures.Load()) }, "result", "ok")
	r.Counter("store_checks_total", checks, metrics.Read(&c.CheckFailures), "result", "failed")
	r.Gauge("store_last_check_timestamp_seconds", "When the store last answered, in seconds since 1970; 0: never, or there is none.", inSeconds(&c.LastCheck))
	const texts = "Texts for the shadow revision, by what became of them: dropped when the queue was full."
	r.Counter("shadow_documents_total", texts, metrics.Read(&s.shadow.scored), "outcome", "scored")
	r.Counter("shadow_documents_total", texts, metrics.Read(&s.shadow.dropped), "outcome", "dropped")
	r.Counter("shadow_documents_total", texts, metrics.Read(&s.shadow.failed), "outcome", "failed")
	r.Gauge("live_revision_withdrawn", "1: the live revision has been withdrawn, and answers until live is moved.", func() float64 {
		if s.Withdrawal() != nil {
			return 1
		}
		return 0
	})
	r.MustRegister(agreement{s})
}

// inSeconds reads a number of nanoseconds.
func inSeconds(n *atomic.Int64) func() float64 {
	return func() float64 { return float64(n.Load()) / float64(time.Second) }
}

// agreement exports how far the live revision and its shadow agree, while there
// is one.
type agreement struct{ *Server }

var (
	comparedDesc     = prometheus.NewDesc("parley_shadow_compared_total", "Texts that the live and the shadow revision have both judged.", []string{"head"}, nil)
	sameLabelDesc    = prometheus.NewDesc("parley_shadow_same_label_total", "Those of them with the same most probable label.", []string{"head"}, nil)
	sameDecisionDesc = prometheus.NewDesc("parley_shadow_same_decision_total", "Those of them with the same decision.", []string{"head"}, nil)
)

// Describe implements prometheus.Collector.
func (a agreement) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{comparedDesc, sameLabelDesc, sameDecisionDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (a agreement) Collect(out chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n int64, head string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), head)
	}
	for _, h := range a.ShadowReport().Heads {
		count(comparedDesc, h.Compared, h.Head)
		count(sameLabelDesc, h.SameLabel, h.Head)
		count(sameDecisionDesc, h.SameDecision, h.Head)
	}
}
