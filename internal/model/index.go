package model

import (
	"fmt"
	"math"
)

// An index maps feature ids to rows. It is an open-addressed table with linear
// probing, at most half full.
type index struct {
	mask  uint64
	slots []indexSlot
}

// An indexSlot is a key beside its row, so that a hit is one cache line.
type indexSlot struct {
	id  FeatureID // 0: empty
	row uint32    // unknown when empty
}

// maxProbe bounds how far a key may lie from its place. Hashes stay far below
// it (the longest run of a half-full table grows with the logarithm of its
// size); a file whose ids were made to collide is refused, not waited for.
const maxProbe = 512

// newIndex indexes ids by their position.
func newIndex(ids []FeatureID) (index, error) {
	size := uint64(2)
	for size < 2*uint64(len(ids)) {
		size *= 2
	}
	x := index{mask: size - 1, slots: make([]indexSlot, size)}
	for i := range x.slots {
		x.slots[i].row = unknown
	}
	for row, id := range ids {
		at, probes := uint64(id)&x.mask, 0
		for x.slots[at].id != 0 {
			at = (at + 1) & x.mask
			if probes++; probes > maxProbe {
				return index{}, fmt.Errorf("feature ids are not hashes: more than %d share a place", maxProbe)
			}
		}
		x.slots[at] = indexSlot{id, uint32(row)}
	}
	return x, nil
}

// unknown is the row of features that the model does not know.
const unknown = math.MaxUint32

// find appends the rows of features. It does nothing else, so that the
// processor can wait for several slots at once.
func (x *index) find(rows []uint32, features []Feature) []uint32 {
	slots := x.slots
	for i := range features {
		id := features[i].ID
		at := uint64(id) & x.mask
		for slots[at].id != id && slots[at].id != 0 {
			at = (at + 1) & x.mask
		}
		rows = append(rows, slots[at].row)
	}
	return rows
}

// row returns the row of one feature.
func (x *index) row(id FeatureID) uint32 {
	at := uint64(id) & x.mask
	for x.slots[at].id != id && x.slots[at].id != 0 {
		at = (at + 1) & x.mask
	}
	return x.slots[at].row
}

// A hit is a known feature of the text at hand.
type hit struct {
	row, count uint32
	start, end uint32 // of the first occurrence
	words      uint8
}

// A hitSet collects the hits of one text, each feature once. Its table from
// row to hit is cleared by raising the generation, not by writing it over.
type hitSet struct {
	hits       []hit
	generation uint32
	slots      []hitSlot // length is a power of two, at most half in use
}

type hitSlot struct{ generation, row, hit uint32 }

func (s *hitSet) reset() {
	s.hits = s.hits[:0]
	s.generation++
	if s.generation == 0 || s.slots == nil { // the counter has gone round, or first use
		s.generation = 1
		s.slots = make([]hitSlot, max(1024, len(s.slots)))
	}
}

// add counts one occurrence of f, whose row is row.
func (s *hitSet) add(row uint32, f *Feature) {
	if 2*len(s.hits) >= len(s.slots) {
		s.grow()
	}
	slot := s.find(row)
	if slot.generation == s.generation {
		s.hits[slot.hit].count++
		return
	}
	*slot = hitSlot{generation: s.generation, row: row, hit: uint32(len(s.hits))}
	s.hits = append(s.hits, hit{})
	h := &s.hits[len(s.hits)-1]
	h.row, h.count, h.start, h.end, h.words = row, 1, f.Start, f.End, f.Words
}

// find returns the slot that holds row, or the empty one where it belongs.
func (s *hitSet) find(row uint32) *hitSlot {
	mask := uint32(len(s.slots) - 1)
	for i := row * 0x9e3779b1 & mask; ; i = (i + 1) & mask {
		slot := &s.slots[i]
		if slot.generation != s.generation || slot.row == row {
			return slot
		}
	}
}

func (s *hitSet) grow() {
	s.slots = make([]hitSlot, 2*len(s.slots))
	s.generation = 1
	for i, h := range s.hits {
		*s.find(h.row) = hitSlot{generation: 1, row: h.row, hit: uint32(i)}
	}
}
