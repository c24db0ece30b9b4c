package model

import (
	"math/bits"
	"slices"
)

// A hit is a known feature of the text at hand.
type hit struct {
	count uint32 // occurrences
	first uint32 // the first one: its position among all n-grams of the text
	words uint8  // as of a Feature
}

// A hitSet collects the hits of one text, each feature once. Its table from
// row to hit is emptied by raising the generation, not by writing it over.
type hitSet struct {
	hits       []hit
	rows       []uint32 // of the hits
	generation uint32
	keys       []uint64 // generation and row; a power of two, a quarter in use at most
	at         []uint32 // the hit of each key
	shift      uint8    // of a key's hash, to its place
}

// minKeys is the size of the table to begin with.
const minKeys = 1 << 10

func (s *hitSet) reset() {
	s.hits, s.rows = s.hits[:0], s.rows[:0]
	s.generation++
	if s.generation == 0 || s.keys == nil { // the counter has gone round, or first use
		s.makeKeys(max(minKeys, len(s.keys)))
	}
}

// makeKeys makes an empty table.
func (s *hitSet) makeKeys(n int) {
	s.keys, s.at = make([]uint64, n), make([]uint32, n)
	s.shift = uint8(64 - bits.Len(uint(n-1)))
	s.generation = 1
}

// add counts an occurrence of each of list, which are of one family; base is what
// to add to their positions.
//
// Whether a row is new no processor can guess: so each is written where the next
// hit would be, and only a new one takes the place.
func (s *hitSet) add(list []found, words uint8, base uint32) {
	s.grow(len(list))
	hits, rows, n := s.hits[:cap(s.hits)], s.rows[:cap(s.rows)], len(s.hits)
	for _, f := range list {
		key := uint64(s.generation)<<32 | uint64(f.row)
		place := s.place(key)
		at, step := s.at[place], 0
		if s.keys[place] != key {
			at, step = uint32(n), 1
		}
		s.keys[place], s.at[place], rows[n] = key, at, f.row
		h := &hits[at]
		count, first := h.count, h.first
		if step == 1 {
			count, first = 0, base+f.at
		}
		h.count, h.first, h.words = count+1, first, words
		n += step
	}
	s.hits, s.rows = hits[:n], rows[:n]
}

// place returns where a key is, or belongs.
func (s *hitSet) place(key uint64) int {
	mask := len(s.keys) - 1
	place := int(key * multiplier >> (s.shift & 63))
	for s.keys[place] != key && s.keys[place]>>32 == key>>32 {
		place = (place + 1) & mask
	}
	return place
}

// grow makes room for n more hits.
func (s *hitSet) grow(n int) {
	s.hits, s.rows = slices.Grow(s.hits, n+1), slices.Grow(s.rows, n+1)
	if 4*(len(s.hits)+n) <= len(s.keys) {
		return
	}
	s.makeKeys(1 << bits.Len(uint(4*(len(s.hits)+n))))
	for i, row := range s.rows {
		key := uint64(s.generation)<<32 | uint64(row)
		place := s.place(key)
		s.keys[place], s.at[place] = key, uint32(i)
	}
}
