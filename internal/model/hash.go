package model

import "math/bits"

// A FeatureID identifies an n-gram: a 64-bit hash of the symbols it is made
// of. It is never 0.
type FeatureID uint64

// The hash of bytes starts at a family's own constant, takes one step for every
// eight of them, the last filled up with zeros, and is mixed at the end. A step
// multiplies to 128 bits and takes both halves (Wang Yi's wyhash): with one half,
// words that differ in two places had the same hash far too often. The trainer
// refuses a model in which any two features have.
const (
	multiplier = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

	familyWord      = 0x2545f4914f6cdd1d
	familyBigram    = 0xd1342543de82ef95
	familyTrigram   = 0xaf251af3b0f025b5
	familyCharacter = 0xb564ef22ec7aece5
	familyTarget    = 0x9fb21c651e98df25
)

// step adds a symbol, eight bytes or the state of a token, to a hash state.
func step(state, symbol uint64) uint64 {
	hi, lo := bits.Mul64(state^symbol, multiplier)
	return hi ^ lo
}

// hash adds bytes, none of them 0, to a hash state.
func hash(state uint64, b []byte) uint64 {
	for ; len(b) > 8; b = b[8:] {
		state = step(state, le.Uint64(b))
	}
	var last [8]byte
	copy(last[:], b)
	return step(state, le.Uint64(last[:]))
}

// hashPadded is hash of the first n bytes of b, 1 at least, after which 16 more
// may be read. The first two steps are taken without a branch, as words of up to
// eight letters and longer ones come in no order that a processor could learn.
func hashPadded(state uint64, b []byte, n int) uint64 {
	if n > 16 {
		return hash(state, b[:n])
	}
	one := step(state, le.Uint64(b)&firstBytes(n))
	two := step(step(state, le.Uint64(b)), le.Uint64(b[8:])&firstBytes(n-8))
	if n > 8 {
		one = two
	}
	return one
}

// firstBytes masks the first n bytes of eight, for n from 1 to 8; for any other n
// the result means nothing.
func firstBytes(n int) uint64 { return ^uint64(0) >> (uint(64-8*n) & 63) }

// finish turns a hash state into a feature id. It is the 64-bit finaliser of
// MurmurHash3 (Austin Appleby), after which every bit depends on every other.
func finish(state uint64) FeatureID {
	state ^= state >> 33
	state *= 0xff51afd7ed558ccd
	state ^= state >> 33
	state *= 0xc4ceb9fe1a85ec53
	state ^= state >> 33
	return FeatureID(max(state, 1)) // ids ascend from above 0
}

// Cross returns the id of a feature in texts about a target, whose name is in
// canonical form.
func Cross(id FeatureID, target string) FeatureID { return cross(id, targetState(target)) }

// targetState hashes a target's name.
func targetState(name string) uint64 {
	state := uint64(familyTarget)
	for i := range len(name) {
		state = step(state, uint64(name[i]))
	}
	return state
}

func cross(id FeatureID, target uint64) FeatureID { return finish(step(target, uint64(id))) }
