package serve

import "github.com/parley-nlp/parley/internal/metrics"

// registerGuard names the counters of who was turned away, of connections, and
// of certificates and keys.
func (t *telemetry) registerGuard(s *Server) {
	r, c := t.registry, s.guard.Counters()
	for why, n := range c.Refused() {
		r.Counter("refusals_total", "Calls and connections that were turned away, by reason.", metrics.Read(n), "reason", why)
	}
	r.Gauge("connections", "Connections that are open.", metrics.Read(&c.Connections))
	const reloads = "Files of certificates, keys and callers that changed, by whether they could be read anew."
	r.Counter("file_reloads_total", reloads, metrics.Read(&c.Reloads), "result", "ok")
	r.Counter("file_reloads_total", reloads, metrics.Read(&c.FailedReloads), "result", "failed")
}
