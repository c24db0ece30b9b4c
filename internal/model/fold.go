package model

import (
	"math/bits"
	"slices"
)

// A folding is a text with its ASCII letters in lower case, cut into runs: what
// separates words is between them, and a run with no rare byte is a word. Eight
// bytes are worked on at a time, in the eight parts of a 64-bit number, hardly with
// a branch.
type folding struct {
	low   []byte   // the folded text, then more than foldBlock zeros
	edges []uint32 // of the runs: start, end, start, end, ...
	word  []uint64 // bits by byte: ASCII letters, digits, "_", and apostrophes between these
	rare  []uint64 // bits by byte: what may be part of a token and is not in word, as "é", "#", "@", "!", "?"
	quote []uint64 // bits by byte: apostrophes
}

// foldBlock is how many bytes have their bits in a number.
const foldBlock = 64

// A bit in all eight parts of a number.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// fold replaces f by the folding of text.
func (f *folding) fold(text string) {
	blocks := len(text)/foldBlock + 1
	f.low = slices.Grow(f.low[:0], (blocks+1)*foldBlock)[:(blocks+1)*foldBlock]
	clear(f.low[copy(f.low, text):])
	f.word = slices.Grow(f.word[:0], blocks+1)[:blocks+1]
	f.rare = slices.Grow(f.rare[:0], blocks+1)[:blocks+1]
	f.quote = slices.Grow(f.quote[:0], blocks+1)[:blocks+1]
	for k := range blocks {
		f.word[k], f.rare[k], f.quote[k] = foldBytes((*[foldBlock]byte)(f.low[k*foldBlock:]))
	}
	f.word[blocks], f.rare[blocks], f.quote[blocks] = 0, 0, 0
	f.cut(len(text))
}

// foldBytes folds a block in place and returns the bits of its bytes.
func foldBytes(b *[foldBlock]byte) (word, rare, quote uint64) {
	for i := uint(0); i < foldBlock; i += 8 {
		x := le.Uint64(b[i : i+8])
		ascii := x &^ highBits
		letters := within(ascii|0x20*lowBits, 'a', 'z') &^ x & highBits
		words := letters | (within(ascii, '0', '9')|equal(ascii, '_'))&^x&highBits
		rares := (x | within(ascii, '?', '@') | equal(ascii|2*lowBits, '#')) & highBits // "!" is "#" without 2
		quotes := equal(ascii, '\'') &^ x & highBits
		le.PutUint64(b[i:i+8], x|(letters&^(x<<2))>>2) // 0x20 for the letters without
		word |= gather(words) << (i % foldBlock)
		if rares|quotes != 0 { // not in most
			rare |= gather(rares) << (i % foldBlock)
			quote |= gather(quotes) << (i % foldBlock)
		}
	}
	return word, rare, quote
}

// within sets the highest bit of each part of x that is from lo to hi; the parts
// are below 128. The other bits are anything.
func within(x uint64, lo, hi uint8) uint64 {
	return (x + uint64(128-lo)*lowBits) &^ (x + uint64(127-hi)*lowBits)
}

// equal does the same for a single byte.
func equal(x uint64, c uint8) uint64 { return ^(x ^ uint64(c)*lowBits + 127*lowBits) }

// gather brings the highest bits of the parts of x together, the first into bit
// 0; the other bits of x are 0.
func gather(x uint64) uint64 { return x >> 7 * 0x0102040810204080 >> 56 }

// cut finds the runs of a text of n bytes; apostrophes between two bytes of a
// run are part of it, and those between two bytes of a word part of the word.
func (f *folding) cut(n int) {
	f.edges = slices.Grow(f.edges[:0], n+2)
	edges, at := f.edges[:n+2], 0
	wordBefore, runBefore := uint64(0), uint64(0) // of the last byte of the block before
	for k := range f.word[:len(f.word)-1] {
		word, quote := f.word[k], f.quote[k]
		run, wordAfter := word|f.rare[k], f.word[k+1]<<63
		f.word[k] |= quote & (word<<1 | wordBefore) & (word>>1 | wordAfter)
		wordBefore = word >> 63
		run |= quote & (run<<1 | runBefore) & (run>>1 | wordAfter | f.rare[k+1]<<63)
		base := uint32(k * foldBlock)
		for edge := run ^ (run<<1 | runBefore); edge != 0; edge &= edge - 1 {
			edges[at] = base + uint32(bits.TrailingZeros64(edge))
			at++
		}
		runBefore = run >> 63
	}
	f.edges = edges[:at]
}

// plain reports whether f.low[start:end], which has no more than foldBlock
// bytes, is part of a word as it is.
func (f *folding) plain(start, end int) bool {
	return bits.TrailingZeros64(^window(f.word, start)) >= end-start
}

// wordEnd returns the first byte from i on that is not part of a word of ASCII.
func (f *folding) wordEnd(i int) int {
	for {
		if w := ^window(f.word, i); w != 0 {
			return i + bits.TrailingZeros64(w)
		}
		i += foldBlock
	}
}

// window returns the bits of the 64 bytes from i on.
func window(kinds []uint64, i int) uint64 {
	two := kinds[i/foldBlock:][:2]
	shift := uint(i) % foldBlock
	return two[0]>>shift | two[1]<<1<<(foldBlock-1-shift)
}
