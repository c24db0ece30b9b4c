package serve

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// withdraw withdraws revisions of the depot's model.
func (d *depot) withdraw(t testing.TB, ids ...string) {
	t.Helper()
	if _, err := d.Withdraw(t.Context(), "default", ids, "a text was forgotten"); err != nil {
		t.Fatal(err)
	}
}

// wantWithdrawn fails the test unless err says that a revision was withdrawn.
func wantWithdrawn(t testing.TB, err error, id string) {
	t.Helper()
	if status.Code(err) != codes.FailedPrecondition || reason(err) != "REVISION_WITHDRAWN" || !strings.Contains(err.Error(), id) || !strings.Contains(err.Error(), "a text was forgotten") {
		t.Errorf("got %v, want REVISION_WITHDRAWN of %s", err, id)
	}
}

// askFor asks a revision.
func (s *service) askFor(t testing.TB, id string) error {
	t.Helper()
	_, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: revisionPath(id), Document: document("goal")})
	return err
}

func TestWithdrawnIsNeverMovedTo(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2), d.publish(t, 3)}
	d.alias(t, "live", ids[0])
	d.alias(t, "live", ids[1])
	s := listen(t, d.config())
	s.untilLive(t, ids[1])
	d.withdraw(t, ids[0], ids[2])
	for _, alias := range []string{"live", "other"} {
		for _, id := range []string{ids[0], ids[2]} {
			_, err := s.promote(t, alias, id, "")
			wantWithdrawn(t, err, id)
			_, err = s.models.AliasModelRevision(t.Context(), &parleyv1.AliasModelRevisionRequest{Name: revisionPath(id), AliasId: alias, ValidateOnly: true})
			wantWithdrawn(t, err, id)
		}
	}
	_, err := s.models.RollbackModel(t.Context(), &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "live"})
	wantWithdrawn(t, err, ids[0])
	s.answers(t, ids[1], 2)
	resp, err := s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: revisionPath(ids[2])})
	if r := resp.GetModelRevision(); err != nil || r.GetWithdrawalReason() != "a text was forgotten" || r.GetWithdrawTime() == nil {
		t.Errorf("it is described as %v, error %v", r, err)
	}
}

// TestRollbackPassesOverWithdrawn: to the newest revision before that may answer.
func TestRollbackPassesOverWithdrawn(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2), d.publish(t, 3)}
	for _, id := range ids {
		d.alias(t, "live", id)
	}
	s := listen(t, d.config())
	s.untilLive(t, ids[2])
	d.withdraw(t, ids[1])
	resp, err := s.models.RollbackModel(t.Context(), &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "live"})
	if err != nil || resp.GetRevision() != ids[0] {
		t.Fatalf("rolled back to %s, error %v, want %s", resp.GetRevision(), err, ids[0])
	}
	s.answers(t, ids[0], 1)
}

// TestWithdrawnLeavesMemory: what only waits there, as previous or pinned, goes, and
// calls that ask for it are told why; what an alias points to goes on answering.
func TestWithdrawnLeavesMemory(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2), d.publish(t, 3), d.publish(t, 4)}
	d.alias(t, "live", ids[0])
	d.alias(t, "live", ids[1])
	d.alias(t, "candidate", ids[3])
	cfg := d.config()
	cfg.Revisions.Pinned = []string{ids[2]}
	s := listen(t, cfg)
	held := func(id string) bool { h := s.held.Load(); return h != nil && h.byID[id] != nil }
	until(t, "all are in memory", func() bool { return held(ids[0]) && held(ids[1]) && held(ids[2]) && held(ids[3]) })
	for _, id := range ids {
		if err := s.askFor(t, id); err != nil {
			t.Fatal(err)
		}
	}
	d.withdraw(t, ids...)
	until(t, "two left the memory", func() bool { return !held(ids[0]) && !held(ids[2]) })
	wantWithdrawn(t, s.askFor(t, ids[0]), ids[0])
	wantWithdrawn(t, s.askFor(t, ids[2]), ids[2])
	for _, id := range []string{ids[1], ids[3], "candidate"} {
		if err := s.askFor(t, id); err != nil {
			t.Errorf("%s: %v: an alias points to it", id, err)
		}
	}
	s.answers(t, ids[1], 2)
	if h := s.held.Load(); h.previous != nil {
		t.Errorf("%s is held to roll back to", h.previous.id)
	}
}

// TestLiveWithdrawnIsTold: by metrics, /readyz and the log, until the alias moves.
func TestLiveWithdrawnIsTold(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2)}
	d.alias(t, "live", ids[0])
	s := listen(t, d.config())
	s.untilLive(t, ids[0])
	told := func() float64 { return s.scrape(t)["parley_live_revision_withdrawn"] }
	readyz := func() (int, string) {
		w := httptest.NewRecorder()
		NewAdminPort(s.Server, nil).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
		return w.Code, w.Body.String()
	}
	if told() != 0 {
		t.Error("the metrics call a revision withdrawn that is not")
	}
	d.withdraw(t, ids[0])
	until(t, "the metrics tell", func() bool { return told() == 1 })
	if code, text := readyz(); code != 200 || !strings.Contains(text, "withdrawn") {
		t.Errorf("/readyz: %d %q", code, text)
	}
	until(t, "the log tells", func() bool {
		return slices.ContainsFunc(s.log.events(), func(line map[string]any) bool {
			return strings.Contains(fmt.Sprint(line["message"]), "the live revision has been withdrawn") && line["revision"] == ids[0]
		})
	})
	s.answers(t, ids[0], 1)
	if _, err := s.promote(t, "live", ids[1], ""); err != nil {
		t.Fatal(err)
	}
	until(t, "the metrics take it back", func() bool { return told() == 0 })
	if code, text := readyz(); code != 200 || strings.Contains(text, "withdrawn") {
		t.Errorf("/readyz: %d %q", code, text)
	}
	until(t, "it left the memory", func() bool { return s.held.Load().byID[ids[0]] == nil })
}
