package serve

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

var goVersion = runtime.Version()

// revisions exports which revisions are in memory under an alias. A revision
// that is no more has no series.
type revisions struct{ *Server }

var revisionDesc = prometheus.NewDesc("parley_revision_info", "Always 1, for every alias; the revision is what it stands for.", []string{"alias", "revision"}, nil)

// Describe implements prometheus.Collector.
func (r revisions) Describe(out chan<- *prometheus.Desc) { out <- revisionDesc }

// Collect implements prometheus.Collector.
func (r revisions) Collect(out chan<- prometheus.Metric) {
	for _, a := range r.aliases() {
		out <- prometheus.MustNewConstMetric(revisionDesc, prometheus.GaugeValue, 1, a.name, a.revision.id)
	}
}

// An alias is a name of a revision in memory.
type alias struct {
	name     string
	revision *revision
}

// aliases lists the aliases of the server.
func (s *Server) aliases() []alias {
	if live := s.live.Load(); live != nil {
		return []alias{{liveAlias, live}}
	}
	return nil
}
