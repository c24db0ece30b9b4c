package serve

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/parley-nlp/parley/internal/metrics"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A labelOutcome is what became of a label of a call.
type labelOutcome int

const (
	labelAccepted labelOutcome = iota
	labelExisting
	labelInvalid
	labelDenied
	labelForgotten
	labelNotFound
	labelConflict
	labelOutcomes // how many there are
)

var labelOutcomeNames = [labelOutcomes]string{
	"accepted", "existing", "invalid", "denied", "forgotten", "not_found", "conflict",
}

// labelOutcomeOf are the outcomes by reason; all others are invalid.
var labelOutcomeOf = map[string]labelOutcome{
	"ROLE_MISSING": labelDenied, "TEXT_FORGOTTEN": labelForgotten,
	"LEDGER_ENTRY_NOT_FOUND": labelNotFound, "LEDGER_CONFLICT": labelConflict,
}

// count counts a label by what became of it.
func (c *clerk) count(r *parleyv1.BatchCreateLabelsResult) {
	outcome := labelAccepted
	switch {
	case r.GetError() != nil:
		outcome = refusedFor(r)
	case r.GetCreated().GetExisting():
		outcome = labelExisting
	}
	c.outcomes[outcome].Add(1)
}

func refusedFor(r *parleyv1.BatchCreateLabelsResult) labelOutcome {
	for _, d := range r.GetError().GetDetails() {
		info := &errdetails.ErrorInfo{}
		if d.MessageIs(info) && d.UnmarshalTo(info) == nil {
			if o, ok := labelOutcomeOf[info.GetReason()]; ok {
				return o
			}
		}
	}
	return labelInvalid
}

// registerLabels names the counters of labels; without a ledger there are none.
func (t *telemetry) registerLabels(s *Server) {
	c := s.clerk
	if c == nil {
		return
	}
	for o, name := range labelOutcomeNames {
		t.registry.Counter("labels_total", "Labels of calls, by what became of them.", metrics.Read(&c.outcomes[o]), "outcome", name)
	}
	t.registry.Histogram("ledger_seconds", "Time that calls waited for the ledger.", c.took)
	t.registry.Counter("ledger_errors_total", "Times that the ledger failed, did not answer or was locked for too long.", metrics.Read(&c.errors))
	t.registry.Gauge("ledger_position", "Number of the ledger's newest event, at the last look.", metrics.Read(&c.position))
	t.registry.Gauge("ledger_last_answer_timestamp_seconds", "When the ledger last answered a look, in seconds since 1970; 0: never.", inSeconds(&c.lastAnswer))
}
