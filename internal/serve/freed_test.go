package serve

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/parley-nlp/parley/internal/model"
)

// After many swaps between many revisions, those that nobody needs are gone.
func TestRevisionsAreFreed(t *testing.T) {
	const revisions = 60
	d := newDepot(t)
	d.alias(t, "live", d.publish(t, 0))
	s := listen(t, d.config())
	<-s.Loaded()
	biases := map[string]int64{s.Live(): 0}
	var ids []string
	for i := range int64(revisions) {
		id := d.publish(t, i+1)
		ids, biases[id] = append(ids, id), i+1
	}
	var models []weak.Pointer[model.Model]
	heap := make([]uint64, 0, 2)
	for _, half := range [][]string{ids[:revisions/2], ids[revisions/2:]} {
		for _, id := range half {
			d.alias(t, "live", id)
			s.untilLive(t, id)
			s.answers(t, id, biases[id])
			models = append(models, weak.Make(s.held.Load().live.model))
		}
		heap = append(heap, heapInUse())
	}
	freed := func() (n int) {
		for _, m := range models {
			if m.Value() == nil {
				n++
			}
		}
		return n
	}
	until(t, "all but two are freed", func() bool { runtime.GC(); return freed() >= revisions-2 })
	if n := len(s.held.Load().byID); n != 2 || freed() != revisions-2 {
		t.Errorf("%d in memory, %d freed, want 2 and %d", n, freed(), revisions-2)
	}
	if heap[1] > heap[0]+heap[0]/4+4<<20 {
		t.Errorf("heap of %d bytes after half of the swaps, %d after all", heap[0], heap[1])
	}
}

func heapInUse() uint64 {
	for range 3 { // pools let go in the second
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A large revision takes a large part of the memory only once.
func TestLargeRevisionsAreFreed(t *testing.T) {
	d := newDepot(t)
	large := func(seed int) *model.Model { return largeModel(t, 200_000, seed) }
	first := d.publishModel(t, large(0))
	d.alias(t, "live", first)
	cfg := d.config()
	cfg.Revisions.MemoryBytes = 1 // no room for a second one
	s := listen(t, cfg)
	s.untilLive(t, first)
	one := heapInUse()
	for i := range 6 {
		id := d.publishModel(t, large(i+1))
		d.alias(t, "live", id)
		s.untilLive(t, id)
		until(t, "the one before is gone", func() bool { return len(s.held.Load().byID) == 1 })
	}
	if now, size := heapInUse(), s.held.Load().live.memory; now > one+uint64(size)/2 {
		t.Errorf("heap of %d bytes with one revision of %d, %d after 6 swaps", one, size, now)
	}
}

// largeModel returns a model of so many features. Its weights tell the seeds
// apart.
func largeModel(t testing.TB, features, seed int) *model.Model {
	t.Helper()
	spec := model.Spec{Features: model.Features{Words: 1}, Heads: []model.Head{
		{Name: "topic", Labels: []string{"money", "sport"}, DocCounts: []uint64{1, 1}, Prior: []float64{0.5, 0.5}, Bias: []int64{0, 0},
			Blocks: []model.Block{{Value: model.Binary}}, InverseTemperature: 1, TargetInverseTemperature: 1},
	}}
	ids := map[model.FeatureID]bool{}
	x, err := model.NewExtractor(spec.Features, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range features {
		for _, f := range x.Extract(fmt.Sprintf("w%d", i)) {
			ids[f.ID] = true
		}
	}
	for id := range ids {
		spec.IDs = append(spec.IDs, id)
	}
	slices.Sort(spec.IDs)
	for i := range spec.IDs {
		spec.Weights = append(spec.Weights, int16(i%7-3), int16((i+seed)%11-5))
	}
	m, err := model.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
