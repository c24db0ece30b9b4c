package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// withdraw withdraws revisions.
func withdraw(t *storeTest, s *Store, revisions ...string) State {
	t.Helper()
	return must[State](t)(s.Withdraw(t.Context(), "news", revisions, "trained on a text to forget"))
}

func TestWithdraw(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a, b, c := publish(t, s, 1), publish(t, s, 2), publish(t, s, 3)
		must[State](t)(s.SetAlias(ctx, "news", Live, a, "", ""))
		before := must[State](t)(s.SetAlias(ctx, "news", Live, b, "", ""))
		after := withdraw(t, s, c, b)
		if after.Etag != before.Etag || after.Aliases[Live] != before.Aliases[Live] {
			t.Errorf("state %+v after %+v", after, before)
		}
		other := t.open()
		state := must[State](t)(other.State(ctx, "news"))
		if w := state.Withdrawn(b); w == nil || w.Reason != "trained on a text to forget" || w.Time.IsZero() || !slices.Equal(w.Revisions, sorted(b, c)) {
			t.Errorf("withdrawal %+v", w)
		}
		if state.Withdrawn(a) != nil || len(state.Withdrawals()) != 1 {
			t.Errorf("withdrawals %+v", state.Withdrawals())
		}
		for _, alias := range []string{Live, Shadow, "new"} {
			for _, r := range []string{b, c} {
				_, err := other.SetAlias(ctx, "news", alias, r, "", "")
				wantError(t, err, ErrWithdrawn)
				if err != nil && !strings.Contains(err.Error(), "trained on a text to forget") {
					t.Errorf("error %v", err)
				}
			}
		}
		_, err := s.Publish(ctx, "news", newModel(t, 3), Provenance{})
		wantError(t, err, ErrWithdrawn)
		must[Card](t)(s.Verify(ctx, "news", c)) // until it is removed
		if got := must[string](t)(s.Resolve(ctx, "news", Live)); got != b {
			t.Errorf("live is %s, want %s", got, b)
		}
		again := must[State](t)(s.Withdraw(ctx, "news", []string{b}, "another"))
		if again.entry.Number != after.entry.Number || again.Withdrawn(b).Reason != "trained on a text to forget" {
			t.Errorf("entry %d after %d", again.entry.Number, after.entry.Number)
		}
		moved := must[State](t)(s.SetAlias(ctx, "news", Live, a, "", "")) // carries the list forward
		if moved.Withdrawn(b) == nil || moved.Aliases[Live].Previous != "" {
			t.Errorf("state %+v", moved)
		}
	})
}

func TestWithdrawRefusesBadArguments(t *testing.T) {
	s := open(t, "mem://")
	r := publish(t, s, 1)
	for _, bad := range []struct{ model, revision, reason string }{
		{"News", r, "x"}, {"news", r[:8], "x"}, {"news", r, ""}, {"news", r, "two\nlines"}, {"news", r, strings.Repeat("x", 2000)},
	} {
		_, err := s.Withdraw(t.Context(), bad.model, []string{bad.revision}, bad.reason)
		wantError(t, err, ErrInvalid)
	}
	if state := must[State](t)(s.State(t.Context(), "news")); len(state.Withdrawals()) != 0 || state.entry.Number != 0 {
		t.Errorf("state %+v", state)
	}
}

// TestWithdrawBeforeAnyAlias: a model without aliases has no etag, also then; and
// what is not in the store cannot get there.
func TestWithdrawBeforeAnyAlias(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a := publish(t, s, 1)
		state := withdraw(t, s, newModel(t, 2).Revision())
		if state.Etag != NoEtag {
			t.Errorf("etag %s", state.Etag)
		}
		_, err := s.Publish(ctx, "news", newModel(t, 2), Provenance{})
		wantError(t, err, ErrWithdrawn)
		must[State](t)(t.open().SetAlias(ctx, "news", Live, a, NoEtag, ""))
	})
}

// TestRollbackPassesOver: it goes to the newest revision before that was not
// withdrawn.
func TestRollbackPassesOver(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		var r []string
		for bias := range int64(4) {
			r = append(r, publish(t, s, bias))
			must[State](t)(s.SetAlias(ctx, "news", Live, r[bias], "", ""))
		}
		other := must[State](t)(s.SetAlias(ctx, "news", Shadow, r[2], "", ""))
		state := withdraw(t, s, r[2])
		if got := state.Aliases[Live]; got.Previous != r[1] || got.Time != other.Aliases[Live].Time || state.Aliases[Shadow].Revision != r[2] {
			t.Errorf("aliases %+v", state.Aliases)
		}
		state = must[State](t)(t.open().Rollback(ctx, "news", Live, state.Etag, "bad answers"))
		if got := state.Aliases[Live]; got.Revision != r[1] || got.Previous != r[3] {
			t.Errorf("live %+v", got)
		}
		state = must[State](t)(s.Rollback(ctx, "news", Live, "", "")) // the second one undoes the first
		if got := state.Aliases[Live]; got.Revision != r[3] || got.Previous != r[1] {
			t.Errorf("live %+v", got)
		}
		withdraw(t, s, r[3]) // now it is live
		state = must[State](t)(s.Rollback(ctx, "news", Live, "", ""))
		if got := state.Aliases[Live]; got.Revision != r[1] || got.Previous != "" {
			t.Errorf("live %+v: want it to have nothing before", got)
		}
		_, err := s.Rollback(ctx, "news", Live, "", "")
		wantError(t, err, ErrNoPrevious)
		wantError(t, err, ErrWithdrawn)
		if err != nil && !strings.Contains(err.Error(), "trained on a text to forget") {
			t.Errorf("error %v", err)
		}
		_, err = s.Rollback(ctx, "news", Shadow, "", "")
		wantError(t, err, ErrNoPrevious)
		if errors.Is(err, ErrWithdrawn) {
			t.Errorf("error %v: shadow has pointed to one revision only", err)
		}
	})
}

// TestRollbackToWhatIsThere: revisions that GC removed are passed over, too.
func TestRollbackToWhatIsThere(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		var r []string
		for bias := range int64(4) {
			r = append(r, publish(t, s, bias))
			must[State](t)(s.SetAlias(ctx, "news", Live, r[bias], "", ""))
		}
		if err := s.removeRevision(ctx, "news", r[1]); err != nil {
			t.Fatal(err)
		}
		if got := withdraw(t, s, r[2]).Aliases[Live].Previous; got != r[0] {
			t.Errorf("would roll back to %s, want %s", got, r[0])
		}
	})
}

func TestGCRemovesWithdrawn(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		var r []string
		for bias := range int64(4) {
			r = append(r, publish(t, s, bias))
			must[State](t)(s.SetAlias(ctx, "news", Live, r[bias], "", ""))
		}
		putTraining(t, s, r[2], trainingOf(2))
		withdraw(t, s, r[2], r[3])
		keep := Keep{Newest: 10, Moves: 10, Age: 1000 * time.Hour}
		done := must[Removal](t)(t.open().GC(ctx, "news", keep, false))
		if !slices.Equal(done.Revisions, []string{r[2]}) || len(done.Files)+done.Entries != 0 {
			t.Errorf("removed %+v, want %s", done, r[2])
		}
		_, err := s.Training(ctx, "news", r[2])
		wantError(t, err, ErrNotFound)
		must[Card](t)(s.Verify(ctx, "news", r[3])) // an alias points to it
		_, err = s.Publish(ctx, "news", newModel(t, 2), Provenance{})
		wantError(t, err, ErrWithdrawn)
		must[State](t)(s.Rollback(ctx, "news", Live, "", ""))
		done = must[Removal](t)(s.GC(ctx, "news", keep, false))
		if !slices.Equal(done.Revisions, []string{r[3]}) {
			t.Errorf("removed %+v, want %s", done, r[3])
		}
		if now := ids(t, s); !slices.Equal(now, sorted(r[0], r[1])) {
			t.Errorf("revisions %q", now)
		}
	})
}

// TestGCRemovesLoneFilesOfWithdrawn: what a GC that died left of them does not wait
// for its age.
func TestGCRemovesLoneFilesOfWithdrawn(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a, b := publish(t, s, 1), publish(t, s, 2)
		putTraining(t, s, a, trainingOf(1))
		withdraw(t, s, a)
		for _, r := range []string{a, b} {
			if err := s.bucket.remove(ctx, cardKey("news", r)); err != nil {
				t.Fatal(err)
			}
		}
		done := must[Removal](t)(later(t.open(), 2*time.Hour).GC(ctx, "news", Keep{Age: 1000 * time.Hour}, false))
		if !slices.Equal(done.Files, []string{a}) {
			t.Errorf("removed %+v, want %s", done, a)
		}
		s.clock = time.Now
		_, err := s.Training(ctx, "news", a)
		wantError(t, err, ErrNotFound)
	})
}

// TestWithdrawBesidePromoters: of a withdrawal and promotions at the same time, in
// goroutines and another process, each promotion either came first, or is refused;
// and none succeeds after the withdrawal has returned.
func TestWithdrawBesidePromoters(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		base := publish(t, s, -1)
		random := rand.New(rand.NewPCG(7, 8))
		first, refused := 0, 0
		for round := range int64(12) {
			must[State](t)(s.SetAlias(ctx, "news", Live, base, "", ""))
			r := publish(t, s, round)
			var other *process
			if t.url != "mem://" {
				other = startChild(t.T, "promote", t.url, r)
			}
			pause := time.Duration(random.Int64N(int64(2 * time.Millisecond)))
			won := make([]bool, 6)
			together(len(won), func(i int) {
				if (i == 0) == (round%2 == 0) { // one side comes later
					time.Sleep(pause)
				}
				switch {
				case i == 0:
					if _, err := t.stores(0).Withdraw(ctx, "news", []string{r}, "race"); err != nil {
						t.Error(err)
					}
				case i == 1 && other != nil:
					other.stdin.Close()
				default:
					_, err := t.stores(i%3).SetAlias(ctx, "news", []string{Live, Shadow, "a"}[i%3], r, "", "")
					if won[i] = err == nil; !won[i] {
						wantError(t, err, ErrWithdrawn)
					}
				}
			})
			if other != nil {
				won[1] = other.stdout.Scan() && other.stdout.Text() == "won"
				if err := other.Wait(); err != nil {
					t.Error(err)
				}
			}
			checkOrder(t, t.open(), r)
			state := must[State](t)(t.stores(1).State(ctx, "news"))
			for i, w := range won {
				if i > 0 && w {
					first++
				} else if i > 0 {
					refused++
				}
			}
			if state.Withdrawn(r) == nil {
				t.Errorf("%s is not withdrawn: %+v", r, state)
			}
			_, err := s.SetAlias(ctx, "news", "late", r, "", "")
			wantError(t, err, ErrWithdrawn)
		}
		t.Logf("%d promotions came first, %d were refused", first, refused)
	})
}

// checkOrder fails the test if the log has a move to a revision after its
// withdrawal, or loses that.
func checkOrder(t *storeTest, s *Store, revision string) {
	t.Helper()
	log := must[[]entry](t)(s.entries(t.Context(), "news"))
	slices.Reverse(log)
	withdrawn := false
	for _, e := range log {
		if withdrawn && (e.withdrawn(revision) == nil || e.Change != nil && e.Change.To == revision) {
			t.Errorf("entry %+v after the withdrawal of %s", e, revision)
		}
		withdrawn = withdrawn || e.withdrawn(revision) != nil
	}
}

// TestWithdrawalsAtOnce: none is lost.
func TestWithdrawalsAtOnce(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx := t.Context()
		t.open()
		together(12, func(i int) {
			r := []string{fmt.Sprintf("%064x", i), fmt.Sprintf("%064x", 99)}
			if _, err := t.stores(i%3).Withdraw(ctx, "news", r, fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
		state := must[State](t)(t.open().State(ctx, "news"))
		for i := range 12 {
			if w := state.Withdrawn(fmt.Sprintf("%064x", i)); w == nil || w.Reason != fmt.Sprint(i) {
				t.Errorf("withdrawal %d is %+v", i, w)
			}
		}
		if len(state.Withdrawals()) != 12 {
			t.Errorf("%d withdrawals", len(state.Withdrawals()))
		}
	})
}

// TestKilledWithdrawers kills processes that withdraw and promote: what they
// said to be withdrawn is, and stays so.
func TestKilledWithdrawers(t *testing.T) {
	each(t, func(t *storeTest) {
		if t.url == "mem://" {
			t.Skip("ends with its process")
		}
		ctx, s := t.Context(), t.open()
		live := publish(t, s, 1)
		random := rand.New(rand.NewPCG(9, 10))
		said := 0
		for round := range 15 {
			p := startChild(t.T, "withdraw", t.url, live, fmt.Sprint(round))
			time.AfterFunc(time.Duration(random.Int64N(int64(60*time.Millisecond))), func() { p.Process.Kill() })
			var acknowledged []string
			for p.stdout.Scan() {
				acknowledged = append(acknowledged, p.stdout.Text())
			}
			if err := p.Wait(); err == nil {
				t.Error("the process ended by itself")
			}
			state := must[State](t)(t.open().State(ctx, "news"))
			for _, r := range acknowledged {
				if said++; state.Withdrawn(r) == nil {
					t.Fatalf("round %d: %s was withdrawn, and is not", round, r)
				}
			}
			must[State](t)(s.SetAlias(ctx, "news", Shadow, live, "", "")) // the log goes on
			must[State](t)(s.RemoveAlias(ctx, "news", Shadow, "", ""))
		}
		t.Logf("%d withdrawals were acknowledged", said)
		if said == 0 {
			t.Error("all were killed before they withdrew anything: the test shows nothing")
		}
	})
}

func TestManyWithdrawals(t *testing.T) {
	ctx, s := t.Context(), open(t, "mem://")
	there := publish(t, s, 1)
	must[State](t)(s.Withdraw(ctx, "news", []string{there}, "first"))
	for batch := range 3 {
		var list []string
		for i := range MaxWithdrawn / 2 {
			list = append(list, fmt.Sprintf("%032x%032x", batch, i))
		}
		must[State](t)(s.Withdraw(ctx, "news", list, fmt.Sprint(batch)))
	}
	state := must[State](t)(s.State(ctx, "news"))
	n := 0
	for _, w := range state.Withdrawals() {
		n += len(w.Revisions)
	}
	if n != MaxWithdrawn || state.Withdrawn(there) == nil || state.Withdrawn(fmt.Sprintf("%032x%032x", 0, 1)) != nil || state.Withdrawn(fmt.Sprintf("%032x%032x", 2, 1)) == nil {
		t.Errorf("%d withdrawn; of the one in the store: %v", n, state.Withdrawn(there))
	}
	var list []string
	for i := range MaxWithdrawn + 1 {
		list = append(list, fmt.Sprintf("%064x", i))
	}
	_, err := s.Withdraw(ctx, "news", list, "too many")
	wantError(t, err, ErrInvalid)
}

// TestWithdrawalsNeedANewFormat: a program that would lose withdrawals cannot open
// the store.
func TestWithdrawalsNeedANewFormat(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		r := publish(t, s, 1)
		marked := func() string {
			return string(must[[]byte](t)(s.bucket.get(ctx, markerKey, maxJSON)))
		}
		if got := marked(); got != string(encode(marker{1})) {
			t.Errorf("marker %s", got)
		}
		withdraw(t, s, r)
		if got := marked(); got != string(encode(marker{2})) {
			t.Errorf("marker %s", got)
		}
		must[State](t)(t.open().State(ctx, "news"))
	})
}
