package model

import (
	"fmt"
	"iter"
	"strings"
)

// Features says which n-grams of a text are features. Word n-grams run over
// neighbouring tokens; character n-grams stay inside one word, which is padded
// with a space on either side.
type Features struct {
	// Words is the longest word n-gram, 1 to MaxWords. Single words are always
	// features: the share of them that the model knows tells whether it can
	// speak about a text at all.
	Words int
	// CharMin and CharMax bound the length of character n-grams in runes; both
	// 0 for none.
	CharMin, CharMax int
}

// Limits of Features.
const (
	MaxWords = 3
	MinChars = 2
	MaxChars = 5
)

// maxWordRunes is how much of a word gives character n-grams: longer "words"
// are keys, encoded files or noise.
const maxWordRunes = 64

// check returns an error when f is out of its limits.
func (f Features) check() error {
	if f.Words < 1 || f.Words > MaxWords {
		return fmt.Errorf("word n-grams up to %d: want 1 to %d", f.Words, MaxWords)
	}
	if f.CharMin == 0 && f.CharMax == 0 {
		return nil
	}
	if f.CharMin < MinChars || f.CharMax > MaxChars || f.CharMin > f.CharMax {
		return fmt.Errorf("character n-grams from %d to %d: want %d to %d, or 0 for none", f.CharMin, f.CharMax, MinChars, MaxChars)
	}
	return nil
}

// String is the compact form of f, as in "words 1-2, characters 2-5".
func (f Features) String() string {
	s := "words 1"
	if f.Words > 1 {
		s = fmt.Sprintf("words 1-%d", f.Words)
	}
	if f.CharMax > 0 {
		s += fmt.Sprintf(", characters %d-%d", f.CharMin, f.CharMax)
	}
	return s
}

// A Feature is one occurrence of an n-gram in a text.
type Feature struct {
	ID FeatureID
	// Start and End are bytes of the text. For a character n-gram they are
	// those of the word around it: evidence is words, not their splinters.
	Start, End uint32
	// Words is the number of tokens of a word n-gram, 0 for characters.
	Words uint8
	// Counted marks a single word that counts in InputReport's figures: not a
	// URL, mention, hashtag or punctuation mark.
	Counted bool
}

// An Extractor turns texts into features. It is scratch memory: one goroutine
// at a time.
type Extractor struct {
	features Features
	tok      tokenizer
	buf      []Feature
}

// NewExtractor returns an extractor of the given features. A seed of 0 gives
// the ids that models hold. Any other gives a second, independent set of ids
// in the same order, by which the trainer proves that no two features of its
// data share an id.
func NewExtractor(f Features, seed uint64) (*Extractor, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return &Extractor{features: f, tok: tokenizer{seed: seed}}, nil
}

// Extract returns the features of text in order of their tokens, repeats
// included. Like Classify it reads at most MaxTextBytes. The slice is valid until the next call.
func (x *Extractor) Extract(text string) []Feature {
	x.tok.tokenize(head(text, MaxTextBytes))
	x.buf = x.tok.appendFeatures(x.buf[:0], x.features, 0, len(x.tok.tokens))
	return x.buf
}

// Strings calls yield with the strings of those features of the last Extract for
// which want holds, by their positions: folded words with spaces between them,
// or "~" and the characters of a character n-gram, in which a space is an end of
// the word. Of long words it gives the beginning.
func (x *Extractor) Strings(want func(i int) bool, yield func(i int, s string)) {
	at := 0
	name := func(s func() string) {
		if want(at) {
			yield(at, s())
		}
		at++
	}
	t := &x.tok
	for i := range t.tokens {
		for n := 1; n <= min(x.features.Words, i+1); n++ {
			name(func() string { return t.phrase(i+1-n, i+1) })
		}
		if k := &t.tokens[i]; x.features.CharMax > 0 && k.wordlike {
			var padded paddedWord
			for gram := range t.grams(&padded, k, x.features) {
				name(func() string { return "~" + string(gram) })
			}
		}
	}
}

// phrase is the folded tokens from lo up to hi.
func (t *tokenizer) phrase(lo, hi int) string {
	var b strings.Builder
	for i := lo; i < hi; i++ {
		if i > lo {
			b.WriteByte(' ')
		}
		var runes [maxWordRunes + 1]rune
		n := t.runes(runes[:], &t.tokens[i])
		if n > maxWordRunes {
			runes[maxWordRunes] = '…'
		}
		b.WriteString(string(runes[:n]))
	}
	return b.String()
}

// A paddedWord has room for the runes of a word with a space on either side.
type paddedWord [maxWordRunes + 2]rune

// pad returns the padded runes of a word.
func (t *tokenizer) pad(padded *paddedWord, k *token) []rune {
	n := 1 + t.runes(padded[1:maxWordRunes+1], k)
	padded[0], padded[n] = ' ', ' '
	return padded[:n+1]
}

// grams yields the character n-grams of a word in the order of
// appendCharacters.
func (t *tokenizer) grams(padded *paddedWord, k *token, f Features) iter.Seq[[]rune] {
	runes := t.pad(padded, k)
	return func(yield func([]rune) bool) {
		for i := range runes {
			for n := f.CharMin; n <= min(f.CharMax, len(runes)-i); n++ {
				if !yield(runes[i:][:n]) {
					return
				}
			}
		}
	}
}

// appendFeatures appends the features whose last token is one of
// t.tokens[lo:hi]. It fills each in its place: to append a filled struct of
// small fields takes twice the time.
func (t *tokenizer) appendFeatures(dst []Feature, f Features, lo, hi int) []Feature {
	for i := lo; i < hi; i++ {
		k := &t.tokens[i]
		dst = append(dst, Feature{})
		word := &dst[len(dst)-1]
		word.ID, word.Start, word.End, word.Words, word.Counted = finish(k.state), k.start, k.end, 1, k.word
		if f.Words >= 2 && i >= 1 {
			j := &t.tokens[i-1]
			state := step(step(t.seed^familyBigram, j.state), k.state)
			dst = append(dst, Feature{})
			pair := &dst[len(dst)-1]
			pair.ID, pair.Start, pair.End, pair.Words = finish(state), j.start, k.end, 2
		}
		if f.Words >= 3 && i >= 2 {
			h, j := &t.tokens[i-2], &t.tokens[i-1]
			state := step(step(step(t.seed^familyTrigram, h.state), j.state), k.state)
			dst = append(dst, Feature{})
			triple := &dst[len(dst)-1]
			triple.ID, triple.Start, triple.End, triple.Words = finish(state), h.start, k.end, 3
		}
		if f.CharMax > 0 && k.wordlike {
			dst = t.appendCharacters(dst, f, k)
		}
	}
	return dst
}

// appendCharacters appends the character n-grams of one word.
func (t *tokenizer) appendCharacters(dst []Feature, f Features, k *token) []Feature {
	var padded paddedWord
	runes := t.pad(&padded, k)
	for i := range runes {
		state := t.seed ^ familyCharacter
		for n, r := range runes[i:min(i+f.CharMax, len(runes))] {
			state = step(state, uint64(r))
			if n+1 >= f.CharMin {
				dst = append(dst, Feature{})
				splinter := &dst[len(dst)-1]
				splinter.ID, splinter.Start, splinter.End = finish(state), k.start, k.end
			}
		}
	}
	return dst
}
