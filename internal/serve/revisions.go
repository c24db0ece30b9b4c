package serve

import (
	"maps"
	"runtime"
	"slices"

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

// aliases lists what revisions the server holds, and as what: the live one, the one
// before, and what the store's aliases name.
func (s *Server) aliases() []alias {
	h := s.held.Load()
	if h == nil {
		return nil
	}
	list := []alias{{liveAlias, h.live}}
	if h.previous != nil {
		list = append(list, alias{previousName, h.previous})
	}
	for _, name := range slices.Sorted(maps.Keys(h.aliases)) {
		if name != liveAlias && name != previousName {
			list = append(list, alias{name, h.aliases[name]})
		}
	}
	return list
}

// previousName stands for the revision that was live before.
const previousName = "previous"

// others are the revisions in memory but for the live one.
func (h *held) others() []*revision {
	var list []*revision
	for _, id := range slices.Sorted(maps.Keys(h.byID)) {
		if r := h.byID[id]; r != h.live {
			list = append(list, r)
		}
	}
	return list
}
