package model

import (
	"fmt"
	"slices"
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

// families lists the families of f in the order in which texts give them, by their
// numbers of words, 0 for characters.
func (f Features) families() []uint8 {
	list := []uint8{1, 2, 3}[:f.Words]
	if f.CharMax > 0 {
		list = append(list, 0)
	}
	return list
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
	grams    grams
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

// Extract returns the features of text, repeats included: single words in their
// order, then pairs, triples, and characters. Like Classify it reads at most
// MaxTextBytes. The slice is valid until the next call.
func (x *Extractor) Extract(text string) []Feature {
	x.tok.tokenize(head(text, MaxTextBytes))
	x.grams.read(&x.tok, x.features, 0, len(x.tok.tokens))
	x.buf = slices.Grow(x.buf[:0], len(x.grams.ids))
	for s := range x.grams.all() {
		first, last := &x.tok.tokens[s.first], &x.tok.tokens[s.last]
		x.buf = append(x.buf, Feature{
			ID: x.grams.ids[len(x.buf)], Start: first.start, End: last.end,
			Words: s.words, Counted: s.words == 1 && last.word,
		})
	}
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
	for s := range x.grams.all() {
		if s.words == 0 {
			break
		}
		name(func() string { return x.tok.phrase(s.first, s.last+1) })
	}
	for i := range x.tok.tokens {
		if x.features.CharMax == 0 {
			break
		}
		if k := &x.tok.tokens[i]; k.wordlike {
			var padded paddedWord
			for gram := range x.tok.characters(&padded, k, x.features) {
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
		folded := t.foldedToken(&t.tokens[i])
		begin := cut(folded, maxWordRunes)
		b.Write(begin)
		if len(begin) < len(folded) {
			b.WriteString("…")
		}
	}
	return b.String()
}
