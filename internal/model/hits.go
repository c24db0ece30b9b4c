package model

// A hit is a known feature of the text at hand.
type hit struct {
	count      uint32
	start, end uint32 // of the first occurrence
	words      uint8
}

// A hitSet collects the hits of one text, each feature once. Its table from
// row to hit is cleared by raising the generation, not by writing it over.
type hitSet struct {
	hits       []hit
	rows       []uint32 // of the hits
	generation uint32
	slots      []hitSlot // length is a power of two, at most half in use
}

type hitSlot struct{ generation, row, hit uint32 }

func (s *hitSet) reset() {
	s.hits, s.rows = s.hits[:0], s.rows[:0]
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
	s.rows = append(s.rows, row)
	s.hits = append(s.hits, hit{})
	h := &s.hits[len(s.hits)-1]
	h.count, h.start, h.end, h.words = 1, f.Start, f.End, f.Words
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
	for i, row := range s.rows {
		*s.find(row) = hitSlot{generation: 1, row: row, hit: uint32(i)}
	}
}
