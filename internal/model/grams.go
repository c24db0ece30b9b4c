package model

import (
	"iter"
	"slices"
	"unicode/utf8"
)

// Grams are the n-grams that end in some neighbouring tokens of a text, as ids,
// family by family: single words, pairs, triples, then the character n-grams of
// token after token.
type grams struct {
	features Features
	lo, hi   int // the tokens
	ids      []FeatureID
	ends     [families]int // in ids: of the n-grams of so many words, 0 for those of characters
	splits   []int         // in ids, by token: where its character n-grams end
	padded   paddedWord    // scratch
}

// read replaces g by the n-grams whose last token is one of t.tokens[lo:hi].
func (g *grams) read(t *tokenizer, f Features, lo, hi int) {
	g.features, g.lo, g.hi = f, lo, hi
	g.ids = slices.Grow(g.ids[:0], f.Words*(hi-lo))
	g.readWords(t)
	if f.Words >= 2 {
		g.readPairs(t)
	}
	if f.Words >= 3 {
		g.readTriples(t)
	}
	if f.CharMax > 0 {
		g.readCharacters(t)
	}
	g.ends[0] = len(g.ids)
}

// more makes room for n more ids.
func (g *grams) more(n int) []FeatureID {
	g.ids = slices.Grow(g.ids, n)[:len(g.ids)+n]
	return g.ids[len(g.ids)-n:]
}

func (g *grams) readWords(t *tokenizer) {
	tokens := t.tokens[g.lo:g.hi]
	ids := g.more(len(tokens))[:len(tokens)]
	for i := range tokens {
		ids[i] = finish(tokens[i].state)
	}
	g.ends[1] = len(g.ids)
}

func (g *grams) readPairs(t *tokenizer) {
	if first := g.first(2); first < g.hi {
		seconds := t.tokens[first:g.hi]
		firsts, ids := t.tokens[first-1:][:len(seconds)], g.more(len(seconds))[:len(seconds)]
		start := t.seed ^ familyBigram
		for i := range seconds {
			ids[i] = finish(step(step(start, firsts[i].state), seconds[i].state))
		}
	}
	g.ends[2] = len(g.ids)
}

func (g *grams) readTriples(t *tokenizer) {
	start := t.seed ^ familyTrigram
	for i := g.first(3); i < g.hi; i++ {
		state := step(step(start, t.tokens[i-2].state), t.tokens[i-1].state)
		g.ids = append(g.ids, finish(step(state, t.tokens[i].state)))
	}
	g.ends[3] = len(g.ids)
}

// first returns the first token that ends an n-gram of that many words.
func (g *grams) first(words int) int { return max(g.lo, words-1) }

func (g *grams) readCharacters(t *tokenizer) {
	start := t.seed ^ familyCharacter
	g.splits = g.splits[:0]
	for i := g.lo; i < g.hi; i++ {
		if k := &t.tokens[i]; k.wordlike {
			if n := g.padded.ascii(t, k); n > 0 {
				g.readASCII(n, start)
			} else {
				for gram := range t.characters(&g.padded, k, g.features) {
					g.ids = append(g.ids, finish(hash(start, gram)))
				}
			}
		}
		g.splits = append(g.splits, len(g.ids))
	}
}

// readASCII reads the character n-grams of the padded word, which has n bytes, in
// the order of characters.
func (g *grams) readASCII(n int, start uint64) {
	least, most := g.features.CharMin, g.features.CharMax
	ids, at := g.more((most-least+1)*n), 0
	for i := 0; i+least <= n; i++ {
		eight := le.Uint64(g.padded[i:])
		for length := least; length <= min(most, n-i); length++ {
			ids[at] = finish(step(start, eight&firstBytes(length)))
			at++
		}
	}
	g.ids = g.ids[:len(g.ids)-len(ids)+at]
}

// all yields the spans of the n-grams in the order of ids: the tokens from first
// to last, their number of words, 0 of characters.
func (g *grams) all() iter.Seq[span] {
	return func(yield func(span) bool) {
		for words := 1; words <= g.features.Words; words++ {
			for i := g.first(words); i < g.hi; i++ {
				if !yield(span{i - words + 1, i, uint8(words)}) {
					return
				}
			}
		}
		i := 0
		for at := g.ends[g.features.Words]; at < g.ends[0]; at++ {
			for g.splits[i] <= at {
				i++
			}
			if !yield(span{g.lo + i, g.lo + i, 0}) {
				return
			}
		}
	}
}

// A span is the tokens that an n-gram reaches over.
type span struct {
	first, last int
	words       uint8 // 0 for characters
}

// A paddedWord has room for the characters of a word with a space on either side,
// and zeros after a word of ASCII.
type paddedWord [utf8.UTFMax*maxWordRunes + 2 + 8]byte

// ascii writes a word of ASCII and returns its length, 0 for any other word.
func (p *paddedWord) ascii(t *tokenizer, k *token) int {
	if k.foldHi > k.foldLo {
		return 0
	}
	n := 1 + copy(p[1:1+maxWordRunes], t.low[k.start:k.end])
	p[0], p[n] = ' ', ' '
	return n + 1
}

// characters yields the character n-grams of a word: by their first character,
// then by length.
func (t *tokenizer) characters(padded *paddedWord, k *token, f Features) iter.Seq[[]byte] {
	word := append(append(padded[:0], ' '), cut(t.foldedToken(k), maxWordRunes)...)
	word = append(word, ' ')
	return func(yield func([]byte) bool) {
		for len(word) > 0 {
			end := 0
			for n := 1; n <= f.CharMax && end < len(word); n++ {
				_, size := utf8.DecodeRune(word[end:])
				if end += size; n >= f.CharMin && !yield(word[:end]) {
					return
				}
			}
			_, size := utf8.DecodeRune(word)
			word = word[size:]
		}
	}
}

// cut returns at most the first n characters of folded.
func cut(folded []byte, n int) []byte {
	end := 0
	for ; n > 0 && end < len(folded); n-- {
		_, size := utf8.DecodeRune(folded[end:])
		end += size
	}
	return folded[:end]
}
