package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOneMoverWins: of many that move aliases with the same etag, goroutines and
// other processes, one succeeds.
func TestOneMoverWins(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		for round := range int64(5) {
			before := must[State](t)(s.State(ctx, "news"))
			target := publish(t, s, round)
			var others []*process
			for range 3 {
				if t.url != "mem://" {
					others = append(others, startChild(t.T, "race", t.url, target, before.Etag))
				}
			}
			var won atomic.Int32
			together(16, func(i int) {
				own := s
				if i%2 == 0 {
					own = t.stores(i / 2)
				}
				if i == 0 {
					for _, p := range others {
						p.stdin.Close()
					}
				}
				// Some move other aliases: the etag is the model's.
				_, err := own.SetAlias(ctx, "news", []string{Live, Shadow}[i%2], target, before.Etag, fmt.Sprint(i))
				if err == nil {
					won.Add(1)
				} else {
					wantError(t, err, ErrEtagMismatch)
				}
			})
			for _, p := range others {
				if p.stdout.Scan() && p.stdout.Text() == "won" {
					won.Add(1)
				}
				if err := p.Wait(); err != nil {
					t.Error(err)
				}
			}
			if n := won.Load(); n != 1 {
				t.Errorf("%d movers won", n)
			}
			after := must[State](t)(t.open().State(ctx, "news"))
			if after.entry.Number != before.entry.Number+1 || after.Etag == before.Etag {
				t.Errorf("entry %d with etag %s after %d with %s", after.entry.Number, after.Etag, before.entry.Number, before.Etag)
			}
		}
	})
}

// stores returns another handle of the store, for a goroutine; one in memory has
// one.
func (t *storeTest) stores(i int) *Store {
	if t.url == "mem://" {
		return t.first
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.handles) <= i {
		t.handles = append(t.handles, open(t.T, t.url))
	}
	return t.handles[i]
}

// together runs n goroutines that start at once, and waits for them.
func together(n int, run func(i int)) {
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			run(i)
		})
	}
	close(start)
	group.Wait()
}

// TestNoMoveIsLost: movers without an etag all succeed, one after the other.
func TestNoMoveIsLost(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		r := publish(t, s, 1)
		together(12, func(i int) {
			if _, err := t.stores(i%3).SetAlias(ctx, "news", fmt.Sprintf("a%d", i), r, "", ""); err != nil {
				t.Error(err)
			}
		})
		state := must[State](t)(t.open().State(ctx, "news"))
		if len(state.Aliases) != 12 || state.entry.Number != 12 {
			t.Errorf("%d aliases in entry %d", len(state.Aliases), state.entry.Number)
		}
	})
}

// TestPublishersAtOnce: publishers of the same model agree on its card.
func TestPublishersAtOnce(t *testing.T) {
	each(t, func(t *storeTest) {
		m := newModel(t, 1)
		t.open()
		cards := make([]Card, 8)
		together(len(cards), func(i int) {
			var err error
			if cards[i], err = t.stores(i%4).Publish(t.Context(), "news", m, Provenance{Note: fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
		})
		for _, c := range cards {
			if string(encode(c)) != string(encode(cards[0])) {
				t.Errorf("card %s\nanother %s", encode(c), encode(cards[0]))
			}
		}
		must[Card](t)(t.first.Verify(t.Context(), "news", m.Revision()))
	})
}

// TestGCBesideMovers: an alias that moves while GC runs points to a revision that
// is there, or did not move.
func TestGCBesideMovers(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		random := rand.New(rand.NewPCG(3, 4))
		base := publish(t, s, -1)
		moved, refused := 0, 0
		for round := range int64(20) {
			must[State](t)(s.SetAlias(ctx, "news", Live, base, "", ""))
			r := publish(t, s, round)
			pause := time.Duration(random.Int64N(int64(3 * time.Millisecond)))
			var err error
			gc := later(t.stores(0), 48*time.Hour)
			together(2, func(i int) {
				if i == int(round%2) { // one of them comes later
					time.Sleep(pause)
				}
				if i == 0 {
					if _, err := gc.GC(ctx, "news", Keep{Moves: 1e6, Age: time.Hour}, false); err != nil {
						t.Error(err)
					}
					return
				}
				_, err = t.stores(1).SetAlias(ctx, "news", Live, r, "", "")
			})
			gc.clock = time.Now
			a := must[Alias](t)(t.stores(2).Alias(ctx, "news", Live))
			if _, e := t.stores(2).Verify(ctx, "news", a.Revision); e != nil {
				t.Errorf("live: %v", e)
			}
			switch {
			case err == nil && a.Revision == r:
				moved++
			case (errors.Is(err, ErrBusy) || errors.Is(err, ErrNotFound)) && a.Revision == base:
				refused++
			default:
				t.Errorf("live is %s, error %v", a.Revision, err)
			}
		}
		t.Logf("%d aliases moved first, %d revisions went first", moved, refused)
	})
}

// TestGCBesidePublishers: a file that a dead publisher left long ago may be
// published while GC removes it.
func TestGCBesidePublishers(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s, other := open(t, dir), open(t, dir)
	random := rand.New(rand.NewPCG(5, 6))
	published, refused := 0, 0
	for round := range int64(50) {
		m := newModel(t, round)
		path := filepath.Join(dir, filepath.FromSlash(fileKey("news", m.Revision())))
		if err := s.bucket.put(ctx, fileKey("news", m.Revision()), m.Bytes()); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-48 * time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		pause := time.Duration(random.Int64N(int64(2 * time.Millisecond)))
		var err error
		together(2, func(i int) {
			if i == 0 {
				if _, err := s.GC(ctx, "news", Keep{Newest: 1e6, Age: time.Hour}, false); err != nil {
					t.Error(err)
				}
				return
			}
			time.Sleep(pause)
			_, err = other.Publish(ctx, "news", m, Provenance{})
		})
		if errors.Is(err, ErrBusy) {
			refused++
			_, err = other.Publish(ctx, "news", m, Provenance{}) // when that is done
		} else {
			published++
		}
		if err != nil {
			t.Fatal(err)
		}
		must[Card](t)(other.Verify(ctx, "news", m.Revision()))
	}
	t.Logf("%d published at once, %d after GC", published, refused)
	if ids := must[[]string](t)(s.revisions(ctx, "news", "")); len(ids) != 50 || !slices.IsSorted(ids) {
		t.Errorf("%d revisions", len(ids))
	}
}
