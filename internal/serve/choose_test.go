package serve

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// inMemory are the ids of the revisions that s holds, ascending.
func (s *service) inMemory() []string {
	h := s.held.Load()
	if h == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(h.byID))
}

// untilInMemory waits until s holds these revisions and no others.
func (s *service) untilInMemory(t testing.TB, ids ...string) {
	t.Helper()
	slices.Sort(ids)
	until(t, "these are in memory: "+strings.Join(ids, " "), func() bool { return slices.Equal(s.inMemory(), ids) })
}

// ask classifies with a revision and returns the one that answered, or the reason
// why none did.
func (s *service) ask(t testing.TB, revision string) string {
	t.Helper()
	resp, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: "models/default/revisions/" + revision, Document: document("goal")})
	if err != nil {
		return reason(err)
	}
	return strings.TrimPrefix(resp.GetModelRevision(), "models/default/revisions/")
}

// The revisions of aliases, pinned ones and the one before can be asked for by
// name, others that the store has are refused.
func TestRevisionsByName(t *testing.T) {
	d := newDepot(t)
	first, live, canary, pinned, idle := d.publish(t, 1), d.publish(t, 2), d.publish(t, 3), d.publish(t, 4), d.publish(t, 5)
	d.alias(t, "live", first)
	d.alias(t, "live", live)
	d.alias(t, "canary", canary)
	cfg := d.config()
	cfg.Revisions.Pinned = []string{pinned}
	s := listen(t, cfg)
	s.untilInMemory(t, first, live, canary, pinned)
	until(t, "the store is listed", func() bool { return s.ask(t, idle) != "REVISION_NOT_FOUND" })
	for name, want := range map[string]string{
		"live": live, "canary": canary, first: first, live: live, canary: canary, pinned: pinned,
		idle: "REVISION_NOT_READY", "shadow": "REVISION_NOT_FOUND", strings.Repeat("0", 64): "REVISION_NOT_FOUND",
	} {
		if got := s.ask(t, name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	want := "FailedPrecondition: models/default/revisions/" + idle + " is not in this server's memory\n" +
		"parley/REVISION_NOT_READY map[model:models/default revision:models/default/revisions/" + idle + " state:AVAILABLE]"
	_, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: "models/default/revisions/" + idle, Document: document("goal")})
	if got := refusal(err); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.keeper.setLoading(idle)
	got, err := s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: revisionPath(idle)})
	if err != nil || got.GetModelRevision().GetState() != parleyv1.RevisionState_REVISION_STATE_LOADING {
		t.Errorf("while it is loaded: got %v, error %v", got, err)
	}
	s.keeper.setLoading("")
	// Another alias is followed, and one that goes takes its revision along.
	d.alias(t, "canary", idle)
	s.untilInMemory(t, first, live, idle, pinned)
	if _, err := d.RemoveAlias(t.Context(), "default", "canary", "", ""); err != nil {
		t.Fatal(err)
	}
	s.untilInMemory(t, first, live, pinned)
	if got := s.ask(t, "canary"); got != "REVISION_NOT_FOUND" {
		t.Errorf("an alias that is gone: got %s, want REVISION_NOT_FOUND", got)
	}
}

// An alias whose new revision cannot be loaded answers by the one before.
func TestAliasKeepsItsRevision(t *testing.T) {
	d := newDepot(t)
	live, canary, bad := d.publish(t, 1), d.publish(t, 2), d.publish(t, 3)
	damages["a flipped bit"](t, d, bad)
	d.alias(t, "live", live)
	d.alias(t, "canary", canary)
	s := listen(t, d.config())
	s.untilInMemory(t, live, canary)
	d.alias(t, "canary", bad)
	until(t, "it failed twice", func() bool { return s.Counters().Loads[LoadCorrupt].Load() > 1 })
	if got := s.ask(t, "canary"); got != canary {
		t.Errorf("canary: got %s, want %s", got, canary)
	}
	if got := s.model(t).GetAliases()["canary"]; got != bad {
		t.Errorf("the store has canary at %s, want %s", got, bad)
	}
}

// What has no room is not held, and not loaded again and again.
func TestMemoryBudget(t *testing.T) {
	d := newDepot(t)
	before, live, canary, other := d.publish(t, 1), d.publish(t, 2), d.publish(t, 3), d.publish(t, 4)
	d.alias(t, "live", before)
	d.alias(t, "live", live)
	d.alias(t, "canary", canary)
	d.alias(t, "other", other)
	cfg := d.config()
	cfg.Revisions.MemoryBytes = 2*newModel(t, 1).MemoryBytes() + 1
	s := listen(t, cfg)
	s.untilInMemory(t, before, live, canary) // the first two by rank
	until(t, "some looks at the store", func() bool { return s.Counters().Checks.Load() > 20 })
	if got := s.Counters().Loads[LoadOK].Load(); got > 4 {
		t.Errorf("%d loads of 4 revisions", got)
	}
	if got := s.ask(t, "other"); got != "REVISION_NOT_READY" {
		t.Errorf("without room: got %s, want REVISION_NOT_READY", got)
	}
	if _, err := s.promote(t, "live", other, ""); err != nil {
		t.Fatal(err)
	}
	s.answers(t, other, 4) // the live one needs no room
	s.untilInMemory(t, other, live, canary)
}

// A server may follow another alias than live.
func TestOtherAlias(t *testing.T) {
	d := newDepot(t)
	live, staging := d.publish(t, 1), d.publish(t, 2)
	d.alias(t, "live", live)
	d.alias(t, "staging", staging)
	cfg := d.config()
	cfg.Revisions.Alias = "staging"
	s := listen(t, cfg)
	s.untilInMemory(t, live, staging)
	s.answers(t, staging, 2)
	if got := s.ask(t, "live"); got != live {
		t.Errorf("live: got %s, want %s", got, live)
	}
}

func TestRevisionsConfig(t *testing.T) {
	open := newDepot(t).config().Revisions.Open
	for _, test := range []struct {
		cfg  Revisions
		want string
	}{
		{Revisions{Open: open}, ""},
		{Revisions{Open: open, Alias: "a", ShadowAlias: "b", Pinned: []string{strings.Repeat("0", 64)}}, ""},
		{Revisions{Alias: "Live"}, `alias "Live": want a small letter, then at most 62 small letters, digits or hyphens`},
		{Revisions{ShadowAlias: "1"}, `alias "1": want a small letter, then at most 62 small letters, digits or hyphens`},
		{Revisions{ShadowAlias: "live"}, `alias "live" cannot be live and shadow`},
		{Revisions{Pinned: []string{"0a"}}, `pinned revision "0a": want 64 hexadecimal digits`},
		{Revisions{MemoryBytes: -1}, "-1 bytes for revisions, poll time 5s: want more than 0"},
		{Revisions{Poll: -1}, "1073741824 bytes for revisions, poll time -1ns: want more than 0"},
		{Revisions{Shadow: Shadow{Share: 1.5}}, "shadow share 1.5: want 0 to 1"},
		{Revisions{Shadow: Shadow{Queue: -1, Workers: 1}}, "shadow workers 1, queue of -1 texts and 16777216 bytes: want more than 0"},
	} {
		s, err := New(Config{Revisions: test.cfg})
		if err == nil {
			s.Stop()
		}
		if err != nil && err.Error() != test.want || err == nil && test.want != "" {
			t.Errorf("%+v: error %v, want %q", test.cfg, err, test.want)
		}
	}
}

func TestRetry(t *testing.T) {
	c := Revisions{Poll: 10 * time.Second, MaxRetry: time.Minute}
	for failures, want := range []time.Duration{10, 10, 20, 40, 60, 60, 60} {
		want *= time.Second
		for range 100 {
			if got := c.retry(failures); got < want*4/5 || got > want*6/5 {
				t.Fatalf("after %d failures: %s, want %s give or take a fifth", failures, got, want)
			}
		}
	}
	if got := c.retry(1 << 30); got > 72*time.Second {
		t.Errorf("after very many failures: %s", got)
	}
}

// A file can take the place of the model, and one that cannot be read does not.
func TestReload(t *testing.T) {
	m := newModel(t, 1)
	s := start(t, Config{}, m)
	other := newModel(t, 2)
	path := t.TempDir() + "/m.model"
	s.Reload(fileReader(t, path, nil))
	s.Reload(fileReader(t, path, other.Bytes()[:100]))
	s.answers(t, m.Revision(), 1)
	s.Reload(fileReader(t, path, other.Bytes()))
	s.answers(t, other.Revision(), 2)
	for result, want := range map[LoadResult]int64{LoadOK: 1, LoadMissing: 1, LoadCorrupt: 1, LoadUnavailable: 0} {
		if got := s.Counters().Loads[result].Load(); got != want {
			t.Errorf("%d loads that were %s, want %d", got, result, want)
		}
	}
	if got := s.ask(t, m.Revision()); got != m.Revision() {
		t.Errorf("the model before: got %s", got)
	}
	if got, err := s.models.ListModelRevisions(t.Context(), &parleyv1.ListModelRevisionsRequest{Parent: "models/default"}); err != nil || len(got.GetModelRevisions()) != 2 {
		t.Errorf("listed %v, error %v, want both", got, err)
	}
	if _, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: "models/default/revisions/0", Document: document("goal")}); status.Code(err) != codes.NotFound {
		t.Errorf("an unknown one: %v, want NotFound", err)
	}
}

// Every result has a name of its own.
func TestLoadResults(t *testing.T) {
	names := map[string]bool{}
	for _, r := range LoadResults() {
		names[r.String()] = true
	}
	if len(names) != int(loadResults) || loadResult(store.ErrUnavailable) != LoadUnavailable || loadResult(store.ErrIncompatible) != LoadIncompatible {
		t.Errorf("%d names of %d results", len(names), loadResults)
	}
}
