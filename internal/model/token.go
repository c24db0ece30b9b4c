package model

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ExtractorVersion changes whenever the same text may give other feature ids.
const ExtractorVersion = 1

// UnicodeVersion is the version of the Unicode tables that tell letters from
// other characters and compose accents.
const UnicodeVersion = unicode.Version + "/" + norm.Version

// A token is a word, a URL, an @mention, a #hashtag, "!" or "?".
type token struct {
	start, end     uint32 // bytes of the text: text[start:end]
	foldLo, foldHi uint32 // runes of tokenizer.folded; none for ASCII, which is folded on demand
	state          uint64 // hash state over the folded runes
	word           bool   // made of letters and digits: counts as a word
	wordlike       bool   // word, mention or hashtag: has character n-grams
}

// A tokenizer cuts texts into tokens. It is scratch memory: one goroutine at a
// time.
//
// The rules: a word is a run of letters, digits, marks and "_" that does not
// begin with a mark; an apostrophe stays inside a word ("don't"), "’" is the
// same as "'"; "#" and "@" stay with the word that follows, unless a word ends
// right before them (an e-mail address is words); a URL is one token that is
// the same for all URLs; "!" and "?" are tokens; a soft hyphen inside a word
// vanishes; every Han or Hiragana character, with the marks on it, is a word of
// its own, as those scripts put no spaces between words; everything else
// separates. Words are lowercased and composed (NFC), so "É" written as one
// character or two is the same word.
type tokenizer struct {
	seed   uint64
	text   string
	tokens []token
	folded []rune

	bytes, composed []byte // scratch of compose
}

// foldASCII maps a byte that may stand in a word to its lowercase form, every
// other byte to 0.
var foldASCII = func() (table [256]byte) {
	for c := range byte(utf8.RuneSelf) {
		if 'A' <= c && c <= 'Z' {
			table[c] = c + 'a' - 'A'
		} else if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' {
			table[c] = c
		}
	}
	return table
}()

// tokenize replaces t.tokens by the tokens of text.
func (t *tokenizer) tokenize(text string) {
	t.text, t.tokens, t.folded = text, t.tokens[:0], t.folded[:0]
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case foldASCII[c] != 0:
			if c|0x20 == 'h' || c|0x20 == 'w' {
				if n := urlLen(text[i:]); n > 0 {
					i = t.url(i, i+n)
					continue
				}
			}
			i = t.word(text, i, i)
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(text[i:])
			switch {
			case !inWord(r) || unicode.IsMark(r):
				i += size
			case standsAlone(r):
				i = t.character(text, i)
			default:
				i = t.word(text, i, i)
			}
		case (c == '#' || c == '@') && startsWord(text[i+1:]) && !t.wordEndsAt(i):
			i = t.word(text, i, i+1)
		case c == '!' || c == '?':
			t.folded = append(t.folded, rune(c))
			t.append(i, i+1, len(t.folded)-1)
			i++
		default:
			i++
		}
	}
}

// wordEndsAt reports whether the last token ends at byte i and is wordlike.
func (t *tokenizer) wordEndsAt(i int) bool {
	if len(t.tokens) == 0 {
		return false
	}
	last := &t.tokens[len(t.tokens)-1]
	return int(last.end) == i && last.wordlike
}

// word appends the word, mention or hashtag at text[start:], whose first
// letter is at text[i], and returns where it ends.
func (t *tokenizer) word(text string, start, i int) int {
	state := t.seed ^ familyWord
	if i > start {
		state = step(state, uint64(text[start]))
	}
	end := i
	for end < len(text) {
		f := foldASCII[text[end]]
		if f == 0 {
			if text[end] != '\'' || end+1 == len(text) || foldASCII[text[end+1]] == 0 {
				break
			}
			f = '\''
		}
		state = step(state, uint64(f))
		end++
	}
	if end < len(text) && (text[end] >= utf8.RuneSelf || text[end] == '\'') {
		end = t.unicodeWord(text, start, i)
	} else {
		t.add(start, end, state)
	}
	k := &t.tokens[len(t.tokens)-1]
	k.word, k.wordlike = text[start] != '#' && text[start] != '@', true
	return end
}

// unicodeWord is word for one that may have characters beyond ASCII.
func (t *tokenizer) unicodeWord(text string, start, i int) int {
	folded, lo := t.folded, len(t.folded)
	if i > start {
		folded = append(folded, rune(text[start]))
	}
	ascii := true
	for i < len(text) {
		c := text[i]
		if f := foldASCII[c]; f != 0 {
			folded = append(folded, rune(f))
			i++
			continue
		}
		if c < utf8.RuneSelf {
			if c != '\'' || !startsWord(text[i+1:]) {
				break
			}
			folded = append(folded, '\'')
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\u2019' && startsWord(text[i+size:]):
			folded = append(folded, '\'')
		case r == softHyphen && startsWord(text[i+size:]):
		case inWord(r) && !standsAlone(r):
			folded = append(folded, unicode.ToLower(r))
			if r == 'İ' { // the one letter whose small form is two characters
				folded = append(folded, '\u0307')
			}
			ascii = false
		default:
			size = 0
		}
		if size == 0 {
			break
		}
		i += size
	}
	t.folded = folded
	if !ascii {
		t.compose(lo)
	}
	t.append(start, i, lo)
	return i
}

// character appends the character at text[start:] and the marks on it, and
// returns where they end.
func (t *tokenizer) character(text string, start int) int {
	lo, i := len(t.folded), start
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if i > start && !unicode.IsMark(r) {
			break
		}
		t.folded = append(t.folded, r)
		i += size
	}
	t.compose(lo)
	k := t.append(start, i, lo)
	k.word, k.wordlike = true, true
	return i
}

// url appends a token for a URL. Its address hardly ever comes again, that it
// is one does: every URL is the same token.
func (t *tokenizer) url(start, end int) int {
	lo := len(t.folded)
	t.folded = append(t.folded, ':', '/', '/')
	t.append(start, end, lo)
	return end
}

// append appends the token text[start:end], whose folded runes are those from
// lo on.
func (t *tokenizer) append(start, end, lo int) *token {
	state := t.seed ^ familyWord
	for _, r := range t.folded[lo:] {
		state = step(state, uint64(r))
	}
	k := t.add(start, end, state)
	k.foldLo, k.foldHi = uint32(lo), uint32(len(t.folded))
	return k
}

// add appends the token text[start:end].
func (t *tokenizer) add(start, end int, state uint64) *token {
	t.tokens = append(t.tokens, token{})
	k := &t.tokens[len(t.tokens)-1]
	k.start, k.end, k.state = uint32(start), uint32(end), state
	return k
}

// runes writes the folded runes of a token to dst, at most its length, and
// returns how many.
func (t *tokenizer) runes(dst []rune, k *token) int {
	if k.foldHi > k.foldLo {
		return copy(dst, t.folded[k.foldLo:k.foldHi])
	}
	n := min(len(dst), int(k.end-k.start))
	for i := range n {
		c := t.text[int(k.start)+i]
		if f := foldASCII[c]; f != 0 {
			c = f
		}
		dst[i] = rune(c)
	}
	return n
}

// compose brings the folded runes from lo on into normalisation form C. It
// comes after lowercasing, since a capital and its accent may have no composed
// form where the small letter has one.
func (t *tokenizer) compose(lo int) {
	t.bytes = t.bytes[:0]
	for _, r := range t.folded[lo:] {
		t.bytes = utf8.AppendRune(t.bytes, r)
	}
	if norm.NFC.QuickSpan(t.bytes) == len(t.bytes) {
		return
	}
	t.composed = norm.NFC.Append(t.composed[:0], t.bytes...)
	t.folded = t.folded[:lo]
	for b := t.composed; len(b) > 0; {
		r, size := utf8.DecodeRune(b)
		t.folded = append(t.folded, r)
		b = b[size:]
	}
}

const softHyphen = '\u00ad'

// inWord reports whether r may stand in a word.
func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return foldASCII[byte(r)] != 0
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r))
}

// startsWord reports whether text begins with a letter or digit of a word of
// any length: not with a mark or a character that stands alone.
func startsWord(text string) bool {
	if text == "" {
		return false
	}
	if c := text[0]; c < utf8.RuneSelf {
		return foldASCII[c] != 0
	}
	r, _ := utf8.DecodeRuneInString(text)
	return inWord(r) && !unicode.IsMark(r) && !standsAlone(r)
}

// standsAlone reports whether r is a word of its own.
func standsAlone(r rune) bool {
	return r >= 0x2e80 && unicode.In(r, unicode.Han, unicode.Hiragana) && !unicode.IsMark(r)
}

// urlLen returns the length of the URL at the start of text, which begins with
// "h" or "w", or else 0.
func urlLen(text string) int {
	prefix := 0
	for _, p := range [...]string{"http://", "https://", "www."} {
		n := len(p)
		if len(text) > n && text[n-1] == p[n-1] && strings.EqualFold(text[:n], p) {
			prefix = len(p)
		}
	}
	if prefix == 0 {
		return 0
	}
	n := strings.IndexFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`<>"“”`, r)
	})
	if n < 0 {
		n = len(text)
	}
	n = len(strings.TrimRight(text[:n], ".,;:!?)]}'’"))
	if n <= prefix {
		return 0
	}
	return n
}
