package serve

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Every message is handed out once, and lists do not run into each other.
func TestSlab(t *testing.T) {
	for _, sizes := range [][]int{{1}, {0, 3}, {slabSize}, {1, slabSize, 2}, {2*slabSize + 1, 0, 1}, {100, 100, 100}} {
		s := slab[parleyv1.LabelScore]{}
		for _, n := range sizes {
			s.wanted += n
		}
		seen := map[*parleyv1.LabelScore]bool{}
		for _, n := range sizes {
			list := s.list(n)
			if len(list) != n || cap(list) != n {
				t.Errorf("%v: %d messages with room for %d, want %d", sizes, len(list), cap(list), n)
			}
			for _, m := range list {
				if seen[m] || !proto.Equal(m, &parleyv1.LabelScore{}) {
					t.Errorf("%v: %v was handed out before", sizes, m)
				}
				seen[m], m.RawScore = true, 1
			}
		}
		if s.wanted != 0 || len(s.messages) != 0 {
			t.Errorf("%v: %d messages wanted and %d left in the end, want none", sizes, s.wanted, len(s.messages))
		}
	}
}

// The best label alone is the first of all labels.
func TestBestIsTheFirst(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	for _, text := range []string{"great", "the", "terrible", "goal shares", "the the great", "qwrtzx"} {
		for _, target := range []string{"", "oil price", "straße 1 ü"} {
			all := s.classifyAbout(t, text, target, &parleyv1.ClassifyOptions{TopK: -1})
			for h, p := range s.classifyAbout(t, text, target, nil).GetPredictions() {
				want := all.GetPredictions()[h].GetScores()[0]
				if got := p.GetScores(); len(got) != 1 || !proto.Equal(got[0], want) {
					t.Errorf("%q about %q, %s: got %v, want %v", text, target, p.GetHead(), got, want)
				}
			}
		}
	}
}

// The answers to a batch lie in few pieces of memory.
func TestAllocationsOfABatch(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	req := batch(strings.Split(strings.Repeat("great goal,", 99)+"great goal", ",")...)
	n := testing.AllocsPerRun(10, func() {
		if _, err := s.Server.BatchClassify(t.Context(), req); err != nil {
			t.Error(err)
		}
	})
	if documents := float64(len(req.GetItems())); n > documents {
		t.Errorf("%v allocations for %v documents, want at most 1 each", n, documents)
	}
}
