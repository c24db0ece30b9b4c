package serve

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A traffic calls a server until it is stopped, and fails the test when a call
// fails or an answer is not that of the revision it names.
type traffic struct {
	scores map[string]int64 // of money for "shares", by revision name
	calls  atomic.Int64
	stop   func()
}

func (s *service) traffic(t *testing.T, biases map[string]int64) *traffic {
	tr := &traffic{scores: map[string]int64{}}
	for id, bias := range biases {
		tr.scores["models/default/revisions/"+id] = (bias + 3) * nat
	}
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for i := range 2 {
		callers.Go(func() {
			for n := i; ctx.Err() == nil && !t.Failed(); n++ {
				tr.single(t, s)
				tr.batch(t, s, n%100)
			}
		})
	}
	tr.stop = func() { cancel(); callers.Wait() }
	t.Cleanup(tr.stop)
	return tr
}

func (tr *traffic) check(t *testing.T, revision string, c *parleyv1.Classification) {
	want, known := tr.scores[revision]
	if got := moneyScore(c); !known || got != want {
		t.Errorf("%q gave the score %d, want %d", revision, got, want)
	}
	tr.calls.Add(1)
}

func (tr *traffic) single(t *testing.T, s *service) {
	one, err := s.client.Classify(t.Context(), request("shares", nil))
	if err != nil {
		t.Errorf("a call failed: %v", err)
		return
	}
	tr.check(t, one.GetModelRevision(), one.GetClassification())
}

// batch sends a batch of 100 texts, of which that at position bad is empty, and
// wants of the others what calls of their own to the same revision give.
func (tr *traffic) batch(t *testing.T, s *service, bad int) {
	texts := []string{"shares", "late goal", "great shares", "terrible goal the", "the"}
	req := &parleyv1.BatchClassifyRequest{}
	for i := range 100 {
		req.Items = append(req.Items, &parleyv1.BatchClassifyItem{Document: document(texts[i%len(texts)])})
	}
	req.Items[bad].Document.Text = " "
	many, err := s.client.BatchClassify(t.Context(), req)
	if err != nil {
		t.Errorf("a batch failed: %v", err)
		return
	}
	if many.GetErrorCount() != 1 || codes.Code(many.GetResults()[bad].GetError().GetCode()) != codes.InvalidArgument {
		t.Errorf("%d errors, item %d: %v, want that one to be invalid", many.GetErrorCount(), bad, many.GetResults()[bad])
	}
	for i, text := range texts {
		one, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: many.GetModelRevision(), Document: document(text)})
		if err != nil {
			t.Errorf("a call to %s: %v", many.GetModelRevision(), err)
			return
		}
		want := timeless(one.GetClassification())
		for k := i; k < 100; k += len(texts) {
			if got := many.GetResults()[k].GetClassification(); k != bad && !proto.Equal(timeless(got), want) {
				t.Errorf("item %d of a batch by %s: %v, a call of its own: %v", k, many.GetModelRevision(), got, want)
				return
			}
		}
	}
	if bad != 0 {
		tr.check(t, many.GetModelRevision(), many.GetResults()[0].GetClassification())
	}
}

// Two hundred swaps, and every call is answered, by one revision.
func TestSwapsUnderLoad(t *testing.T) {
	d := newDepot(t)
	biases := map[string]int64{d.publish(t, 1): 1, d.publish(t, 2): 2}
	var ids []string
	for id := range biases {
		ids = append(ids, id)
	}
	d.alias(t, "live", ids[0])
	s := listen(t, d.config())
	s.untilLive(t, ids[0])
	until(t, "both are in memory", func() bool { d.alias(t, "canary", ids[1]); return len(s.held.Load().byID) == 2 })
	health := s.watch(t, "")
	health.next(t, serving)
	load := s.traffic(t, biases)
	for i := range 200 {
		d.alias(t, "live", ids[(i+1)%2])
		before := load.calls.Load()
		s.untilLive(t, ids[(i+1)%2])
		s.answers(t, ids[(i+1)%2], biases[ids[(i+1)%2]])
		until(t, "a call since", func() bool { return load.calls.Load() > before || t.Failed() })
	}
	load.stop()
	if got := s.Counters().Swaps.Load(); got != 200 {
		t.Errorf("counted %d swaps, want 200", got)
	}
	s.checkHealth(t, serving)
}

// damages are what can happen to the file of a revision.
var damages = map[string]func(t *testing.T, d *depot, id string){
	"a flipped bit": func(t *testing.T, d *depot, id string) {
		replace(t, d.file(id), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	},
	"half a file": func(t *testing.T, d *depot, id string) {
		replace(t, d.file(id), func(b []byte) []byte { return b[:len(b)/2] })
	},
	"an empty file": func(t *testing.T, d *depot, id string) {
		replace(t, d.file(id), func([]byte) []byte { return nil })
	},
	"no file": func(t *testing.T, d *depot, id string) {
		if err := os.Remove(d.file(id)); err != nil {
			t.Fatal(err)
		}
	},
	"another model's file": func(t *testing.T, d *depot, id string) {
		other := newModel(t, 999)
		replace(t, d.file(id), func([]byte) []byte { return slices.Clone(other.Bytes()) })
	},
}

// tries is how often a revision could not be loaded.
func (k *keeper) tries(id string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f := k.failures[id]; f != nil {
		return f.tries
	}
	return 0
}

// Swaps with damaged revisions between them: those never answer, and are counted.
func TestDamagedRevisions(t *testing.T) {
	d := newDepot(t)
	good := []string{d.publish(t, 1), d.publish(t, 2)}
	biases := map[string]int64{good[0]: 1, good[1]: 2}
	d.alias(t, "live", good[0])
	s := listen(t, d.config())
	s.untilLive(t, good[0])
	until(t, "both are in memory", func() bool { d.alias(t, "canary", good[1]); return len(s.held.Load().byID) == 2 })
	load := s.traffic(t, biases)
	at, bias := 0, int64(100)
	for range 4 {
		for name, damage := range damages {
			bias++
			bad := d.publish(t, bias)
			damage(t, d, bad)
			before := s.Counters().Loads[LoadCorrupt].Load()
			d.alias(t, "live", bad)
			until(t, name+" is tried twice", func() bool { return s.keeper.tries(bad) >= 2 })
			if got := s.Counters().Loads[LoadCorrupt].Load(); got < before+2 {
				t.Errorf("%s: %d corrupt revisions counted, want 2 more than %d", name, got, before)
			}
			s.answers(t, good[at], biases[good[at]])
			_, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: "models/default/revisions/" + bad, Document: document("goal")})
			if status.Code(err) != codes.FailedPrecondition {
				t.Errorf("%s, asked for by its id: %v, want FailedPrecondition", name, err)
			}
			at = 1 - at
			d.alias(t, "live", good[at])
			s.untilLive(t, good[at])
		}
	}
	load.stop()
	if s.Counters().Loads[LoadOK].Load() != 2 {
		t.Errorf("%d loads, want 2", s.Counters().Loads[LoadOK].Load())
	}
	s.checkHealth(t, serving)
}

// A revision whose card is gone is missing; published again it goes live.
func TestMissingRevisionComesBack(t *testing.T) {
	d := newDepot(t)
	good, gone := d.publish(t, 1), d.publish(t, 2)
	d.alias(t, "live", good)
	s := listen(t, d.config())
	s.untilLive(t, good)
	card, hidden := filepath.Join(d.dir, "models", "default", "cards", gone+".json"), filepath.Join(d.dir, "hidden")
	s.keeper.turn <- struct{}{} // so that the server does not look meanwhile
	d.alias(t, "live", gone)
	if err := os.Rename(card, hidden); err != nil {
		t.Fatal(err)
	}
	<-s.keeper.turn
	until(t, "it is missed", func() bool { return s.Counters().Loads[LoadMissing].Load() > 1 })
	s.answers(t, good, 1)
	if err := os.Rename(hidden, card); err != nil {
		t.Fatal(err)
	}
	s.untilLive(t, gone)
	s.answers(t, gone, 2)
}

// A store that vanishes changes nothing; when it is back, it is followed again.
func TestStoreVanishes(t *testing.T) {
	d := newDepot(t)
	ids := []string{d.publish(t, 1), d.publish(t, 2)}
	d.alias(t, "live", ids[0])
	s := listen(t, d.config())
	s.untilLive(t, ids[0])
	load := s.traffic(t, map[string]int64{ids[0]: 1, ids[1]: 2})
	for i := range 5 {
		away := d.dir + ".away"
		if err := os.Rename(d.dir, away); err != nil {
			t.Fatal(err)
		}
		failures := s.Counters().CheckFailures.Load()
		until(t, "the store is missed", func() bool { return s.Counters().CheckFailures.Load() > failures+2 })
		s.answers(t, ids[i%2], int64(i%2+1))
		_, err := s.models.AliasModelRevision(t.Context(), &parleyv1.AliasModelRevisionRequest{Name: "models/default/revisions/" + ids[0], AliasId: "live"})
		if got := reason(err); status.Code(err) != codes.Unavailable || got != "STORE_UNAVAILABLE" {
			t.Errorf("a move: %v, want STORE_UNAVAILABLE", err)
		}
		if err := os.Rename(away, d.dir); err != nil {
			t.Fatal(err)
		}
		checked := s.Counters().LastCheck.Load()
		until(t, "the store is back", func() bool { return s.Counters().LastCheck.Load() > checked })
		d.alias(t, "live", ids[(i+1)%2])
		s.untilLive(t, ids[(i+1)%2])
	}
	load.stop()
	s.checkHealth(t, serving)
}

// A server whose store is not there is not ready, and becomes so.
func TestStartWithoutStore(t *testing.T) {
	d := newDepot(t)
	id := d.publish(t, 1)
	away := d.dir + ".away"
	if err := os.Rename(d.dir, away); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.dir, nil, 0o600); err != nil { // in its place
		t.Fatal(err)
	}
	s := listen(t, d.config())
	until(t, "the store is missed", func() bool { return s.Counters().CheckFailures.Load() > 2 })
	s.checkHealth(t, notServing)
	_, err := s.client.Classify(t.Context(), request("goal", nil))
	if reason(err) != "SERVER_NOT_READY" {
		t.Errorf("a call: %v, want SERVER_NOT_READY", err)
	}
	if err := os.Remove(d.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, d.dir); err != nil {
		t.Fatal(err)
	}
	until(t, "the store is open", func() bool { return s.Counters().LastCheck.Load() > 0 })
	s.checkHealth(t, notServing) // nothing is live yet
	d.alias(t, "live", id)
	<-s.Loaded()
	s.answers(t, id, 1)
	s.checkHealth(t, serving)
}

// A server that starts while the live revision cannot be loaded answers by the one
// before, as servers do that run.
func TestStartWithDamagedRevision(t *testing.T) {
	d := newDepot(t)
	good, bad := d.publish(t, 1), d.publish(t, 2)
	d.alias(t, "live", good)
	d.alias(t, "live", bad)
	whole, err := os.ReadFile(d.file(bad))
	if err != nil {
		t.Fatal(err)
	}
	damages["half a file"](t, d, bad)
	s := listen(t, d.config())
	s.untilLive(t, good)
	s.answers(t, good, 1)
	s.checkHealth(t, serving)
	if got := s.ask(t, "live"); got != good {
		t.Errorf("live: got %s, want %s", got, good)
	}
	replace(t, d.file(bad), func([]byte) []byte { return whole }) // as publishing it again does
	s.untilLive(t, bad)
	s.answers(t, bad, 2)
}

// Without one before, it is not ready.
func TestStartWithNothingButDamage(t *testing.T) {
	d := newDepot(t)
	bad := d.publish(t, 2)
	damages["half a file"](t, d, bad)
	d.alias(t, "live", bad)
	s := listen(t, d.config())
	until(t, "it is tried", func() bool { return s.keeper.tries(bad) > 2 })
	s.checkHealth(t, notServing)
}
