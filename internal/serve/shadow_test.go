package serve

import (
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// shadowed runs a server of the depot with a live revision and a shadow.
func (d *depot) shadowed(t *testing.T, shadow Shadow, live, other *model.Model) *service {
	t.Helper()
	d.publishModel(t, live)
	d.publishModel(t, other)
	d.alias(t, "live", live.Revision())
	d.alias(t, "shadow", other.Revision())
	cfg := d.config()
	cfg.Revisions.ShadowAlias, cfg.Revisions.Shadow = "shadow", shadow
	s := listen(t, cfg)
	s.untilShadow(t, other.Revision())
	return s
}

func (s *service) untilShadow(t *testing.T, id string) {
	t.Helper()
	until(t, "the shadow is "+id, func() bool { return s.ShadowReport().Shadow == id })
}

// The report counts what a comparison by hand gives.
func TestShadowAgreement(t *testing.T) {
	d := newDepot(t)
	live, other := newModel(t, 0), newModel(t, 6) // which says money more often
	s := d.shadowed(t, Shadow{Share: 1}, live, other)
	texts := []string{"shares", "goal", "late goal", "great shares", "terrible the", "unheard"}
	want := map[string]*HeadAgreement{"topic": {Head: "topic"}, "stance": {Head: "stance"}}
	compare := func(text string, o *parleyv1.ClassifyOptions, heads ...string) {
		a, b := live.NewClassifier(), other.NewClassifier()
		p, q := a.Classify(text, ""), b.Classify(text, "")
		for _, name := range heads {
			h, sum := live.Head(name), want[name]
			best := p.Predictions[h].Best
			limits := thresholds(&live.Heads()[h], o)
			sum.Compared++
			if best == q.Predictions[h].Best {
				sum.SameLabel++
			}
			if p.Decide(h, limits) == q.Decide(h, limits) {
				sum.SameDecision++
			}
			sum.ProbabilityDifference += math.Abs(p.Predictions[h].Probabilities[best] - q.Predictions[h].Probabilities[best])
		}
	}
	strict := &parleyv1.ClassifyOptions{MinProbability: proto.Float64(0.95), Heads: []string{"topic"}}
	for _, text := range texts {
		s.classify(t, text, nil)
		compare(text, nil, "topic", "stance")
		s.classify(t, text, strict)
		compare(text, strict, "topic")
	}
	if _, err := s.client.BatchClassify(t.Context(), batch(append(slices.Clone(texts), " ")...)); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		compare(text, nil, "topic", "stance")
	}
	// What another revision answers is not compared.
	if got := s.ask(t, "shadow"); got != other.Revision() {
		t.Errorf("the shadow asked by name: %s", got)
	}
	total := int64(3 * len(texts))
	until(t, "all are scored", func() bool { return s.ShadowReport().Scored >= total })
	got := s.ShadowReport()
	if got.Live != live.Revision() || got.Shadow != other.Revision() || got.Scored != total || got.Dropped != 0 || got.Failed != 0 || len(got.Heads) != 2 {
		t.Fatalf("got %+v, want %d scored", got, total)
	}
	for i, name := range []string{"stance", "topic"} {
		g, w := got.Heads[i], *want[name]
		if diff := g.ProbabilityDifference - w.ProbabilityDifference; math.Abs(diff) > 1e-9 {
			t.Errorf("%s: probabilities differ by %v, want %v", name, g.ProbabilityDifference, w.ProbabilityDifference)
		}
		g.ProbabilityDifference = w.ProbabilityDifference
		if g != w {
			t.Errorf("got %+v, want %+v", g, w)
		}
	}
	if w := want["topic"]; w.SameLabel == w.Compared || w.SameDecision == w.Compared || w.SameLabel == 0 {
		t.Errorf("the texts show no difference: %+v", w)
	}
	if n := s.shadow.bytes.Load(); n != 0 {
		t.Errorf("%d bytes of an empty queue", n)
	}
}

// A shadow with other heads and labels is compared where it can be.
func TestShadowWithOtherHeads(t *testing.T) {
	d := newDepot(t)
	live := newModel(t, 0)
	heads := []model.Head{
		{Name: "topic", Labels: []string{"health", "sport"}, DocCounts: []uint64{1, 1}, Prior: []float64{0.5, 0.5}, Bias: []int64{0, 0},
			Blocks: []model.Block{{Value: model.Binary}}, InverseTemperature: 1, TargetInverseTemperature: 1},
		{Name: "mood", Labels: []string{"a", "b", "c"}, DocCounts: []uint64{1, 1, 1}, Prior: []float64{0.5, 0.25, 0.25}, Bias: []int64{0, 0, 0},
			Blocks: []model.Block{{Value: model.Binary}}, InverseTemperature: 1, TargetInverseTemperature: 1},
	}
	s := d.shadowed(t, Shadow{Share: 1}, live, build(t, heads, nil))
	s.classify(t, "shares", nil)
	until(t, "it is scored", func() bool { return s.ShadowReport().Scored == 1 })
	got := s.ShadowReport().Heads
	p := live.NewClassifier().Classify("shares", "").Predictions[0]
	want := []HeadAgreement{
		{Head: "stance", Missing: 1},
		{Head: "topic", Compared: 1, SameDecision: 1, ProbabilityDifference: p.Probabilities[p.Best]}, // it has no money
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A shadow that is slow costs its samples, never a call.
func TestShadowQueueIsFull(t *testing.T) {
	d := newDepot(t)
	for name, shadow := range map[string]Shadow{
		"texts": {Share: 1, Workers: 1, Queue: 3},
		"bytes": {Share: 1, Workers: 1, QueueBytes: 20},
	} {
		s := d.shadowed(t, shadow, newModel(t, 0), newModel(t, 1))
		p := s.held.Load().pair
		p.mu.Lock() // as if it took for ever
		for range 10 {
			s.classify(t, "shares", nil)
		}
		dropped := s.shadow.dropped.Load()
		p.mu.Unlock()
		// One is being scored, three more wait: of 20 bytes three in all.
		if least := int64(map[string]int{"texts": 6, "bytes": 7}[name]); dropped < least || dropped > 9 {
			t.Errorf("%s: %d dropped, want %d or little more", name, dropped, least)
		}
		until(t, "the rest is scored", func() bool { return s.ShadowReport().Scored == 10-dropped })
	}
}

// A share of the texts is scored.
func TestShadowShare(t *testing.T) {
	d := newDepot(t)
	s := d.shadowed(t, Shadow{Share: 0.5}, newModel(t, 0), newModel(t, 1))
	const texts = 1000
	if _, err := s.client.BatchClassify(t.Context(), batch(slices.Repeat([]string{"goal"}, texts)...)); err != nil {
		t.Fatal(err)
	}
	seen := func() int64 { return s.ShadowReport().Scored + s.ShadowReport().Dropped }
	until(t, "the queue is empty", func() bool { return s.shadow.bytes.Load() == 0 })
	// Five standard deviations: wrong once in two million runs.
	if n := seen(); n < 420 || n > 580 {
		t.Errorf("%d of %d texts, want about half", n, texts)
	}
	none := newDepot(t).shadowed(t, Shadow{}, newModel(t, 0), newModel(t, 1))
	none.classify(t, "goal", nil)
	if n := none.ShadowReport(); n.Scored+n.Dropped != 0 || len(none.shadow.queue) != 0 {
		t.Errorf("without a share: %+v", n)
	}
}

// The figures are those of two revisions: with another there are new ones.
func TestShadowFollowsItsAlias(t *testing.T) {
	d := newDepot(t)
	live, first, second := newModel(t, 0), newModel(t, 1), newModel(t, 2)
	s := d.shadowed(t, Shadow{Share: 1}, live, first)
	s.classify(t, "goal", nil)
	until(t, "it is scored", func() bool { return s.ShadowReport().Heads[0].Compared == 1 })
	d.publishModel(t, newModel(t, 9))
	d.alias(t, "canary", newModel(t, 9).Revision()) // is no news to the pair
	until(t, "the canary is in memory", func() bool { return len(s.inMemory()) == 3 })
	if got := s.ShadowReport().Heads[0].Compared; got != 1 {
		t.Errorf("%d compared after another alias moved, want 1", got)
	}
	d.publishModel(t, second)
	d.alias(t, "shadow", second.Revision())
	s.untilShadow(t, second.Revision())
	if got := s.ShadowReport().Heads[0].Compared; got != 0 {
		t.Errorf("%d compared with the new shadow, want 0", got)
	}
	d.alias(t, "live", second.Revision()) // the shadow itself is live now
	s.untilShadow(t, "")
	s.answers(t, second.Revision(), 2)
	// Of each pair the log has the figures at its end, by head.
	var compared []any
	until(t, "the end of both pairs is logged", func() bool {
		compared = nil
		for _, e := range s.log.events() {
			if e["message"] == "shadow compared" {
				compared = append(compared, e["compared"])
			}
		}
		return len(compared) >= 4
	})
	if want := []any{1.0, 1.0, 0.0, 0.0}; !slices.Equal(compared, want) {
		t.Errorf("logged %v texts compared, want %v", compared, want)
	}
}

// A panic of the shadow is counted, and nothing else happens.
func TestShadowPanics(t *testing.T) {
	s := newShadower(Shadow{Share: 1, Queue: 1, QueueBytes: 100})
	s.bytes.Store(3)
	s.judge(sample{text: "abc", pair: &shadowPair{shadow: &revision{}}})
	if s.failed.Load() != 1 || s.scored.Load() != 0 || s.bytes.Load() != 0 {
		t.Errorf("%d failed, %d scored, %d bytes left, want 1, 0, 0", s.failed.Load(), s.scored.Load(), s.bytes.Load())
	}
}

// Texts go on to the shadow while the revisions change.
func TestShadowDuringSwaps(t *testing.T) {
	d := newDepot(t)
	a, b := newModel(t, 1), newModel(t, 2)
	s := d.shadowed(t, Shadow{Share: 1}, a, b)
	load := s.traffic(t, map[string]int64{a.Revision(): 1, b.Revision(): 2})
	ids := []string{a.Revision(), b.Revision()}
	swaps := 0
	for i := range 20 {
		live, other := ids[(i+1)%2], ids[i%2]
		d.alias(t, "live", live)
		d.alias(t, "shadow", other)
		s.untilLive(t, live)
		s.untilShadow(t, other)
		swaps++
	}
	load.stop()
	report := s.ShadowReport()
	if report.Scored == 0 || report.Failed != 0 {
		t.Errorf("after %d swaps: %+v", swaps, report)
	}
	for _, h := range report.Heads {
		if h.SameLabel > h.Compared || h.SameDecision > h.Compared || strings.TrimSpace(h.Head) == "" {
			t.Errorf("%+v", h)
		}
	}
}

// What a text costs its call when there is a shadow.
func BenchmarkOffer(b *testing.B) {
	m := newModel(b, 1)
	live := newRevision("default", m)
	s := newShadower(Shadow{Share: 1, Queue: 1, QueueBytes: 1 << 20})
	p := &plan{model: m, heads: []int{0, 1}, thresholds: make([]model.Thresholds, 2), pair: pairOf(live, newRevision("default", newModel(b, 2)), nil), shadow: s}
	w := newWorker(p, 1)
	defer w.release()
	text := strings.Repeat("late goal ", 140)
	d := document(text)
	r := w.classifier.Classify(text, "")
	b.ReportAllocs()
	for b.Loop() {
		s.offer(&w, r, text, d)
		<-s.queue
		s.bytes.Store(0)
	}
}
