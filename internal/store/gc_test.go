package store

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"
)

// later makes a store believe that it is later.
func later(s *Store, d time.Duration) *Store {
	s.clock = func() time.Time { return time.Now().Add(d) }
	return s
}

var keepOne = Keep{Newest: 1, Age: 24 * time.Hour}

// ids are the revisions of a model, ascending.
func ids(t *storeTest, s *Store) []string {
	t.Helper()
	return must[[]string](t)(s.revisions(t.Context(), "news", ""))
}

func sorted(list ...string) []string { slices.Sort(list); return list }

func TestGCRemovesWhatNothingKeeps(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		var r []string
		for bias := range int64(6) {
			r = append(r, publish(t, s, bias))
		}
		must[State](t)(s.SetAlias(ctx, "news", "live", r[0], "", ""))
		must[State](t)(s.SetAlias(ctx, "news", "live", r[1], "", ""))
		must[State](t)(s.SetAlias(ctx, "news", "shadow", r[2], "", ""))
		lone := newModel(t, 7)
		if err := s.bucket.put(ctx, fileKey("news", lone.Revision()), lone.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := s.AddVerdict(ctx, "news", r[3], Verdict{Gate: "test", Passed: true}); err != nil {
			t.Fatal(err)
		}
		if young := must[Removal](t)(s.GC(ctx, "news", keepOne, false)); len(young.Revisions)+len(young.Files)+young.Entries != 0 {
			t.Errorf("removed %+v", young)
		}

		old := later(t.open(), 48*time.Hour)
		newest := must[[]Card](t)(s.Revisions(ctx, "news"))[0].Revision
		if newest != r[5] {
			t.Fatalf("the newest is %s, want %s", newest, r[5])
		}
		keep := keepOne
		keep.Newest = 6
		if none := must[Removal](t)(old.GC(ctx, "news", keep, true)); len(none.Revisions) != 0 {
			t.Errorf("would remove %+v", none)
		}
		all := ids(t, s)
		keep.Newest = 0
		dry := must[Removal](t)(old.GC(ctx, "news", keep, true))
		if want := sorted(r[3], r[4], r[5]); !slices.Equal(dry.Revisions, want) {
			t.Errorf("would remove %q, want %q", dry.Revisions, want)
		}
		if now := ids(t, s); !slices.Equal(now, all) {
			t.Errorf("after a dry run %q, want %q", now, all)
		}
		done := must[Removal](t)(old.GC(ctx, "news", keep, false))
		if string(encode(done)) != string(encode(dry)) {
			t.Errorf("removed %s, said %s", encode(done), encode(dry))
		}
		if !slices.Equal(done.Files, []string{lone.Revision()}) || done.Bytes != 4*int64(len(lone.Bytes())) {
			t.Errorf("removed %+v", done)
		}
		if now, want := ids(t, s), sorted(r[0], r[1], r[2]); !slices.Equal(now, want) {
			t.Errorf("revisions %q, want %q", now, want)
		}
		for _, kept := range r[:3] {
			must[Card](t)(s.Verify(ctx, "news", kept))
		}
		cards, files, err := s.objects(ctx, "news")
		if err != nil || len(cards) != 3 || len(files) != 3 {
			t.Errorf("%d cards and %d files, error %v", len(cards), len(files), err)
		}
		verdicts, err := s.bucket.list(ctx, verdictPrefix("news", r[3]), 0)
		if err != nil || len(verdicts) != 0 {
			t.Errorf("verdicts %v, error %v", verdicts, err)
		}
		_, err = s.Load(ctx, "news", r[3])
		wantError(t, err, ErrNotFound)
		if back := must[State](t)(s.Rollback(ctx, "news", "live", "", "")); back.Aliases["live"].Revision != r[0] {
			t.Errorf("rolled back to %s", back.Aliases["live"].Revision)
		}
		if again := publish(t, s, 3); again != r[3] {
			t.Errorf("published %s, want %s", again, r[3])
		}
		must[Card](t)(s.Verify(ctx, "news", r[3]))
	})
}

func TestGCShortensTheLog(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a, b, c := publish(t, s, 1), publish(t, s, 2), publish(t, s, 3)
		for range 5 {
			must[State](t)(s.SetAlias(ctx, "news", "live", a, "", ""))
			must[State](t)(s.SetAlias(ctx, "news", "shadow", c, "", ""))
			must[State](t)(s.SetAlias(ctx, "news", "live", b, "", ""))
			must[State](t)(s.SetAlias(ctx, "news", "shadow", b, "", ""))
		}
		before := must[State](t)(s.State(ctx, "news"))
		r := must[Removal](t)(later(t.open(), 48*time.Hour).GC(ctx, "news", Keep{Moves: 2, Age: time.Hour}, false))
		if r.Entries != 16 || len(r.Revisions) != 0 {
			t.Errorf("removed %+v", r)
		}
		if moves := must[[]Move](t)(s.History(ctx, "news", "live", 100)); len(moves) != 2 || moves[0].To != b || moves[1].To != a {
			t.Errorf("history %+v", moves)
		}
		after := must[State](t)(t.open().State(ctx, "news"))
		if after.Etag != before.Etag || string(encode(after.Aliases)) != string(encode(before.Aliases)) {
			t.Errorf("state %+v, want %+v", after, before)
		}
		next := must[State](t)(s.SetAlias(ctx, "news", "live", c, after.Etag, ""))
		if next.entry.Number <= after.entry.Number {
			t.Errorf("entry %d after %d", next.entry.Number, after.entry.Number)
		}
	})
}

// TestGCThatDied: what it began to remove is out of reach until another is done
// with it.
func TestGCThatDied(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		gone, kept := publish(t, s, 1), publish(t, s, 2)
		set := must[State](t)(s.SetAlias(ctx, "news", "live", kept, "", ""))
		begin := set.entry.next(s.now())
		begin.Removing, begin.RemovingSince = []string{gone}, begin.Time
		if _, err := s.add(ctx, "news", begin); err != nil {
			t.Fatal(err)
		}
		if err := s.bucket.remove(ctx, cardKey("news", gone)); err != nil {
			t.Fatal(err)
		}
		other := t.open()
		if state := must[State](t)(other.State(ctx, "news")); state.Etag != set.Etag {
			t.Errorf("etag %s, want %s: no alias has moved", state.Etag, set.Etag)
		}
		_, err := other.SetAlias(ctx, "news", "live", gone, "", "")
		wantError(t, err, ErrBusy)
		_, err = other.Publish(ctx, "news", newModel(t, 1), Provenance{})
		wantError(t, err, ErrBusy)
		_, err = other.GC(ctx, "news", keepOne, false)
		wantError(t, err, ErrBusy)

		after := later(t.open(), 48*time.Hour)
		if r := must[Removal](t)(after.GC(ctx, "news", keepOne, false)); !slices.Equal(r.Files, []string{gone}) {
			t.Errorf("removed %+v", r)
		}
		s.clock = time.Now
		must[Card](t)(s.Publish(ctx, "news", newModel(t, 1), Provenance{}))
		must[State](t)(s.SetAlias(ctx, "news", "live", gone, set.Etag, ""))
	})
}

func TestGCRefusesCarelessRules(t *testing.T) {
	s := open(t, "mem://")
	for _, keep := range []Keep{{Age: time.Minute}, {Newest: -1, Age: time.Hour}, {Moves: -1, Age: time.Hour}} {
		_, err := s.GC(context.Background(), "news", keep, true)
		wantError(t, err, ErrInvalid)
	}
}

func TestVerdicts(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		r := publish(t, s, 1)
		if none := must[[]Verdict](t)(s.Verdicts(ctx, "news", r)); none != nil {
			t.Errorf("verdicts %v", none)
		}
		for _, gate := range []string{"first", "second"} {
			v := Verdict{Gate: gate, Passed: gate == "second", Details: json.RawMessage(`{"gain": 0.5}`)}
			if err := s.AddVerdict(ctx, "news", r, v); err != nil {
				t.Fatal(err)
			}
		}
		list := must[[]Verdict](t)(t.open().Verdicts(ctx, "news", r))
		if len(list) != 2 || list[0].Gate != "first" || list[0].Passed || !list[1].Passed || list[1].Time.Before(list[0].Time) {
			t.Errorf("verdicts %+v", list)
		}
		wantError(t, s.AddVerdict(ctx, "news", r, Verdict{Details: json.RawMessage("1")}), ErrInvalid)
		wantError(t, s.AddVerdict(ctx, "news", newModel(t, 2).Revision(), Verdict{}), ErrNotFound)
	})
}
