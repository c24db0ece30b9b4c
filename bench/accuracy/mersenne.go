package main

// A mersenneTwister is the generator MT19937 of Matsumoto and Nishimura,
// "Mersenne Twister" (1998), seeded and used as NumPy's RandomState does: the
// folds of published figures were drawn with it.
type mersenneTwister struct {
	state [mersenneWords]uint32
	next  int // position in state of the next word
}

const (
	mersenneWords  = 624
	mersenneOffset = 397 // of the word that is mixed into another
)

func newMersenneTwister(seed uint32) *mersenneTwister {
	t := &mersenneTwister{next: mersenneWords}
	t.state[0] = seed
	for i := uint32(1); i < mersenneWords; i++ {
		before := t.state[i-1]
		t.state[i] = 1812433253*(before^before>>30) + i
	}
	return t
}

// uint32 returns the next word.
func (t *mersenneTwister) uint32() uint32 {
	if t.next == mersenneWords {
		t.twist()
		t.next = 0
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// twist makes the next 624 words.
func (t *mersenneTwister) twist() {
	for i := range t.state {
		y := t.state[i]&0x80000000 | t.state[(i+1)%mersenneWords]&0x7fffffff
		mixed := t.state[(i+mersenneOffset)%mersenneWords] ^ y>>1
		if y&1 == 1 {
			mixed ^= 0x9908b0df
		}
		t.state[i] = mixed
	}
}

// upTo returns a number from 0 to limit: words are cut to its bits and those
// beyond it thrown away.
func (t *mersenneTwister) upTo(limit uint32) uint32 {
	mask := limit
	for shift := 1; shift < 32; shift *= 2 {
		mask |= mask >> shift
	}
	for {
		if v := t.uint32() & mask; v <= limit {
			return v
		}
	}
}

// shuffle exchanges each value, from the last to the second, with one that is
// not behind it (Fisher and Yates).
func (t *mersenneTwister) shuffle(values []int) {
	for i := len(values) - 1; i > 0; i-- {
		j := t.upTo(uint32(i))
		values[i], values[j] = values[j], values[i]
	}
}
