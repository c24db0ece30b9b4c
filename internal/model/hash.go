package model

import "math/bits"

// A FeatureID identifies an n-gram: a 64-bit hash of the symbols it is made
// of. It is never 0.
type FeatureID uint64

// The hash of a sequence of symbols starts at a family's own constant, takes
// one multiply-rotate step per symbol, and is mixed at the end. A step is a
// bijection of the state, so two n-grams of one family that differ in a single
// symbol never collide. The trainer refuses a model in which any two features
// do.
const (
	multiplier = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

	familyWord      = 0x2545f4914f6cdd1d
	familyBigram    = 0xd1342543de82ef95
	familyTrigram   = 0xaf251af3b0f025b5
	familyCharacter = 0xb564ef22ec7aece5
	familyTarget    = 0x9fb21c651e98df25
)

// step adds one symbol to a hash state.
func step(state, symbol uint64) uint64 {
	return bits.RotateLeft64((state^symbol)*multiplier, 29)
}

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
