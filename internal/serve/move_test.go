package serve

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

const ready = parleyv1.RevisionState_REVISION_STATE_READY

func revisionPath(id string) string { return "models/default/revisions/" + id }

// promote points an alias at a revision by RPC.
func (s *service) promote(t testing.TB, alias, id, etag string) (*parleyv1.AliasModelRevisionResponse, error) {
	return s.models.AliasModelRevision(t.Context(), &parleyv1.AliasModelRevisionRequest{Name: revisionPath(id), AliasId: alias, Etag: etag})
}

// model gets the server's model.
func (s *service) model(t testing.TB) *parleyv1.Model {
	t.Helper()
	resp, err := s.models.GetModel(t.Context(), &parleyv1.GetModelRequest{Name: "models/default"})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetModel()
}

// What one server is told, it answers by at once, and the other soon.
func TestPromoteOnOneOfTwoServers(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2)}
	d.alias(t, "live", ids[0])
	slow := d.config()
	slow.Revisions.Poll = time.Hour // what it answers by comes from the call alone
	a, b := listen(t, slow), listen(t, d.config())
	a.untilLive(t, ids[0])
	b.untilLive(t, ids[0])
	for i := range 10 {
		from, to, bias := ids[i%2], ids[(i+1)%2], int64((i+1)%2+1)
		resp, err := a.promote(t, "live", to, a.model(t).GetEtag())
		if err != nil {
			t.Fatal(err)
		}
		a.answers(t, to, bias)
		if resp.GetPreviousRevision() != from || resp.GetModel().GetAliases()["live"] != to || !proto.Equal(resp.GetModel(), b.model(t)) {
			t.Errorf("answered %v, want the move from %s and %v", resp, from, b.model(t))
		}
		b.untilLive(t, to)
		b.answers(t, to, bias)
	}
}

// Of callers with the same etag one moves the alias.
func TestRaceForAnEtag(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2), d.publish(t, 3)}
	d.alias(t, "live", ids[0])
	servers := []*service{listen(t, d.config()), listen(t, d.config())}
	for _, s := range servers {
		s.untilLive(t, ids[0])
	}
	for round := range 10 {
		etag := servers[0].model(t).GetEtag()
		target := ids[(round+1)%2]
		var moved atomic.Int64
		var callers sync.WaitGroup
		for i := range 6 {
			callers.Go(func() {
				_, err := servers[i%2].promote(t, fmt.Sprintf("canary-%d-%d", round, i), target, etag)
				switch {
				case err == nil:
					moved.Add(1)
				case status.Code(err) != codes.Aborted || reason(err) != "ETAG_MISMATCH":
					t.Errorf("got %v, want ETAG_MISMATCH", err)
				}
			})
		}
		callers.Wait()
		if moved.Load() != 1 {
			t.Errorf("round %d: %d moved an alias, want 1", round, moved.Load())
		}
	}
	// Without an etag everybody does.
	var callers sync.WaitGroup
	for i := range 4 {
		callers.Go(func() {
			if _, err := servers[i%2].promote(t, fmt.Sprintf("own-%d", i), ids[2], ""); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	for i := range 4 {
		if got := servers[0].model(t).GetAliases()[fmt.Sprintf("own-%d", i)]; got != ids[2] {
			t.Errorf("own-%d points at %q, want %q", i, got, ids[2])
		}
	}
}

func TestRollback(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2)}
	d.alias(t, "live", ids[0])
	s := listen(t, d.config())
	s.untilLive(t, ids[0])
	if _, err := s.promote(t, "live", ids[1], ""); err != nil {
		t.Fatal(err)
	}
	loads := s.Counters().Loads[LoadOK].Load()
	back := func(etag string, validateOnly bool) (*parleyv1.RollbackModelResponse, error) {
		return s.models.RollbackModel(t.Context(), &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "live", Etag: etag, ValidateOnly: validateOnly})
	}
	before := s.model(t)
	resp, err := back(before.GetEtag(), true)
	if err != nil || resp.GetRevision() != ids[0] || !proto.Equal(resp.GetModel(), before) {
		t.Errorf("validation answered %v, error %v, want %s and %v", resp, err, ids[0], before)
	}
	s.answers(t, ids[1], 2)
	if resp, err = back(before.GetEtag(), false); err != nil || resp.GetRevision() != ids[0] || resp.GetModel().GetAliases()["live"] != ids[0] {
		t.Errorf("answered %v, error %v, want %s", resp, err, ids[0])
	}
	s.answers(t, ids[0], 1)
	if _, err := back(before.GetEtag(), false); reason(err) != "ETAG_MISMATCH" {
		t.Errorf("once more with the old etag: %v, want ETAG_MISMATCH", err)
	}
	if resp, err = back("", false); err != nil || resp.GetRevision() != ids[1] {
		t.Errorf("a second one answered %v, error %v, want %s", resp, err, ids[1])
	}
	s.answers(t, ids[1], 2)
	if got := s.Counters().Loads[LoadOK].Load(); got != loads {
		t.Errorf("%d loads for rollbacks, want none: the revision before stays in memory", got-loads)
	}
}

// Validation loads and tests, and moves nothing.
func TestValidateOnly(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2), d.publish(t, 3)}
	damages["a flipped bit"](t, d, ids[2])
	d.alias(t, "live", ids[0])
	s := listen(t, d.config())
	s.untilLive(t, ids[0])
	before := s.model(t)
	resp, err := s.models.AliasModelRevision(t.Context(), &parleyv1.AliasModelRevisionRequest{Name: revisionPath(ids[1]), AliasId: "live", ValidateOnly: true})
	if want := (&parleyv1.AliasModelRevisionResponse{Model: before, PreviousRevision: ids[0]}); err != nil || !proto.Equal(resp, want) {
		t.Errorf("answered %v, error %v, want %v", resp, err, want)
	}
	_, err = s.models.AliasModelRevision(t.Context(), &parleyv1.AliasModelRevisionRequest{Name: revisionPath(ids[2]), AliasId: "live", ValidateOnly: true})
	if status.Code(err) != codes.FailedPrecondition || reason(err) != "REVISION_NOT_READY" {
		t.Errorf("a damaged revision: %v, want REVISION_NOT_READY", err)
	}
	if got := s.model(t); !proto.Equal(got, before) {
		t.Errorf("the model is %v, was %v", got, before)
	}
	s.answers(t, ids[0], 1)
}

func TestRefusedMoves(t *testing.T) {
	d := newDepot(t)
	good, bad, unknown := d.publish(t, 1), d.publish(t, 2), strings.Repeat("0", 64)
	damages["half a file"](t, d, bad)
	d.alias(t, "live", good)
	s := listen(t, d.config())
	s.untilLive(t, good)
	etag := s.model(t).GetEtag()
	const alias, back = modelService + "AliasModelRevision", modelService + "RollbackModel"
	for _, test := range []struct {
		name, method string
		request      proto.Message
		want         string
	}{
		{"another model", alias, &parleyv1.AliasModelRevisionRequest{Name: "models/other/revisions/" + good, AliasId: "live"}, "NotFound MODEL_NOT_FOUND"},
		{"no such revision", alias, &parleyv1.AliasModelRevisionRequest{Name: revisionPath(unknown), AliasId: "live"}, "NotFound REVISION_NOT_FOUND"},
		{"no such alias", alias, &parleyv1.AliasModelRevisionRequest{Name: revisionPath("canary"), AliasId: "live"}, "NotFound REVISION_NOT_FOUND"},
		{"damaged", alias, &parleyv1.AliasModelRevisionRequest{Name: revisionPath(bad), AliasId: "live"}, "FailedPrecondition REVISION_NOT_READY"},
		{"old etag", alias, &parleyv1.AliasModelRevisionRequest{Name: revisionPath(good), AliasId: "canary", Etag: "1"}, "Aborted ETAG_MISMATCH"},
		{"bad alias", alias, &parleyv1.AliasModelRevisionRequest{Name: revisionPath(good), AliasId: "Live"}, "InvalidArgument INVALID_FIELD alias_id"},
		{"rollback of another model", back, &parleyv1.RollbackModelRequest{Name: "models/other", AliasId: "live"}, "NotFound MODEL_NOT_FOUND"},
		{"rollback of no alias", back, &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "canary"}, "NotFound REVISION_NOT_FOUND"},
		{"rollback to nothing", back, &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "live"}, "FailedPrecondition NO_PREVIOUS_REVISION"},
		{"rollback with an old etag", back, &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "live", Etag: "1"}, "Aborted ETAG_MISMATCH"},
	} {
		err := s.conn.Invoke(t.Context(), test.method, test.request, &emptypb.Empty{})
		if got := status.Code(err).String() + " " + reason(err); got != test.want {
			t.Errorf("%s: got %s (%v), want %s", test.name, got, err, test.want)
		}
	}
	if got := s.model(t).GetEtag(); got != etag {
		t.Errorf("the etag is %q, was %q", got, etag)
	}
	s.answers(t, good, 1)
}

func TestMovesWithoutStore(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	const want = "FailedPrecondition: this server has no store: its model is the one it was started with\nparley/NO_STORE map[model:models/default]"
	for method, req := range map[string]proto.Message{
		"AliasModelRevision": &parleyv1.AliasModelRevisionRequest{Name: revisionPath("live"), AliasId: "live"},
		"RollbackModel":      &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "live"},
	} {
		if got := refusal(s.conn.Invoke(t.Context(), modelService+method, req, &emptypb.Empty{})); got != want {
			t.Errorf("%s: got %s, want %s", method, got, want)
		}
	}
}

// The first revision can be made live by RPC, while the server is not ready.
func TestFirstPromotion(t *testing.T) {
	d := newDepot(t)
	id := d.publish(t, 1)
	s := listen(t, d.config())
	until(t, "the store is open", func() bool { return s.Counters().LastCheck.Load() > 0 })
	s.checkHealth(t, notServing)
	if _, err := s.promote(t, "canary", id, ""); err != nil { // makes nothing live
		t.Fatal(err)
	}
	s.checkHealth(t, notServing)
	resp, err := s.promote(t, "live", id, s.model(t).GetEtag())
	if err != nil || resp.GetPreviousRevision() != "" {
		t.Fatalf("answered %v, error %v", resp, err)
	}
	s.answers(t, id, 1)
	s.checkHealth(t, serving)
}

// Revisions in pages, newest first, also those that are not in memory.
func TestListOfTheStore(t *testing.T) {
	d := newDepot(t)
	var ids []string
	for bias := range int64(7) {
		ids = append([]string{d.publish(t, bias)}, ids...)
	}
	damages["half a file"](t, d, ids[2])
	d.alias(t, "live", ids[6])
	s := listen(t, d.config())
	s.untilLive(t, ids[6])
	d.alias(t, "canary", ids[2])
	until(t, "the damaged one failed", func() bool { return s.keeper.tries(ids[2]) > 0 })
	var got []*parleyv1.ModelRevision
	for token := ""; ; {
		page, err := s.models.ListModelRevisions(t.Context(), &parleyv1.ListModelRevisionsRequest{Parent: "models/default", PageSize: 3, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.GetModelRevisions()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(got) != len(ids) {
		t.Fatalf("listed %d, want %d", len(got), len(ids))
	}
	for i, r := range got {
		want := parleyv1.RevisionState_REVISION_STATE_AVAILABLE
		switch i {
		case 2:
			want = parleyv1.RevisionState_REVISION_STATE_FAILED
		case 6:
			want = ready
		}
		if r.GetName() != revisionPath(ids[i]) || r.GetState() != want || (r.GetMemoryBytes() > 0) != (want == ready) ||
			(r.GetError() != nil) != (i == 2) || r.GetTrainerVersion() != "v1.2.3" ||
			!proto.Equal(r.GetTrainTime(), timestamppb.New(time.Unix(1_700_000_000, 0))) || r.GetPublishTime() == nil || len(r.GetEvaluations()) != 1 {
			t.Errorf("%d: listed %v, want %s in the state %s", i, r, ids[i], want)
		}
		one, err := s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: r.GetName()})
		if err != nil || one.GetModelRevision().GetState() != want {
			t.Errorf("%d: got %v, error %v, want the state %s", i, one, err, want)
		}
	}
	_, err := s.models.ListModelRevisions(t.Context(), &parleyv1.ListModelRevisionsRequest{Parent: "models/default", PageToken: "?"})
	if reason(err) != "INVALID_FIELD page_token" {
		t.Errorf("a bad token: %v, want INVALID_FIELD", err)
	}
}

func TestPages(t *testing.T) {
	at := func(name string, second int64) *parleyv1.ModelRevision {
		return &parleyv1.ModelRevision{Name: name, PublishTime: &timestamppb.Timestamp{Seconds: second}}
	}
	list := []*parleyv1.ModelRevision{at("d", 9), at("c", 7), at("b", 5), at("a", 3)}
	for _, test := range []struct {
		after *parleyv1.ModelRevision
		want  string
	}{
		{nil, "d c"}, {list[1], "b a"}, {list[3], ""}, // those that are there
		{at("x", 10), "d c"}, {at("x", 6), "b a"}, {at("x", 1), ""}, // those that are gone
	} {
		token := ""
		if test.after != nil {
			token = tokenOf(test.after)
		}
		page, next, err := pageOf(list, token, 2)
		var names []string
		for _, r := range page {
			names = append(names, r.GetName())
		}
		if got := strings.Join(names, " "); err != nil || got != test.want || (next != "") != (got == "d c") {
			t.Errorf("after %v: %q, next %q, error %v, want %q", test.after, got, next, err, test.want)
		}
	}
	if page, next, err := pageOf(list, "", 0); err != nil || len(page) != 4 || next != "" {
		t.Errorf("without a size: %v, %q, %v, want all", page, next, err)
	}
}
