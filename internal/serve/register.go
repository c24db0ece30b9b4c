package serve

import (
	"context"

	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/parley-nlp/parley/internal/metrics"
)

// register names the counters of the server.
func (t *telemetry) register(s *Server) {
	r := t.registry
	r.MustRegister(t.calls, t.answers, revisions{s})
	r.Histogram("batch_items", "Documents of a batch.", t.batchItems)
	r.Histogram("unknown_word_share", "Share of a document's words that do not occur in the training texts.", t.unknown)
	r.Counter("documents_total", documentsHelp, metrics.Read(&t.classify.ok), "method", "Classify", "outcome", "ok")
	r.Counter("documents_total", documentsHelp, metrics.Read(&t.classify.failed), "method", "Classify", "outcome", "error")
	r.Counter("documents_total", documentsHelp, metrics.Read(&t.batch.ok), "method", "BatchClassify", "outcome", "ok")
	r.Counter("documents_total", documentsHelp, metrics.Read(&t.batch.failed), "method", "BatchClassify", "outcome", "error")
	r.Counter("document_bytes_total", "Bytes of the texts received.", metrics.Read(&t.bytes))
	r.Gauge("ready", "1 while the server takes calls, 0 before it has a revision and while it drains.", s.readyGauge)
	r.Gauge("build_info", "Always 1; the labels are those of the program.", one, "version", t.Version, "go_version", goVersion)
	t.registerPredictionLog()
	t.registerRevisions(s)
	t.registerGuard(s)
	t.registerLabels(s)
}

const documentsHelp = "Documents of calls, by what became of them."

func one() float64 { return 1 }

func (t *telemetry) registerPredictionLog() {
	if t.Predictions == nil {
		return
	}
	const help = "Documents chosen for the prediction log, by what became of them: dropped when the queue was full, failed when they could not be written."
	c := t.Predictions.Counts()
	t.registry.Counter("prediction_log_rows_total", help, metrics.Read(&c.Written), "outcome", "written")
	t.registry.Counter("prediction_log_rows_total", help, metrics.Read(&c.Dropped), "outcome", "dropped")
	t.registry.Counter("prediction_log_rows_total", help, metrics.Read(&c.Failed), "outcome", "failed")
	t.registry.Counter("prediction_log_bytes_total", "Bytes written to the prediction log.", metrics.Read(&c.Bytes))
}

// Ready reports whether the server takes calls: there is a live revision, and no
// drain has begun.
func (s *Server) Ready() bool {
	answer, err := s.health.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	return err == nil && answer.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING
}

func (s *Server) readyGauge() float64 {
	if s.Ready() {
		return 1
	}
	return 0
}
