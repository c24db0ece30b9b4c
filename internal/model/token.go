package model

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ExtractorVersion changes whenever the same text may give other feature ids.
const ExtractorVersion = 2

// UnicodeVersion is the version of the Unicode tables that tell letters from
// other characters and compose accents.
const UnicodeVersion = unicode.Version + "/" + norm.Version

// A token is a word, a URL, an @mention, a #hashtag, "!" or "?".
type token struct {
	start, end     uint32 // bytes of the text: text[start:end]
	foldLo, foldHi uint32 // bytes of tokenizer.folded; none for ASCII, whose folding is at low[start:end]
	state          uint64 // hash state over the folded bytes
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
	folding
	folded   []byte // of tokens that have more than ASCII
	composed []byte // scratch of compose
}

// tokenize replaces t.tokens by the tokens of text.
func (t *tokenizer) tokenize(text string) {
	t.text, t.tokens, t.folded = text, t.tokens[:0], t.folded[:0]
	t.fold(text)
	t.tokens = slices.Grow(t.tokens, len(t.edges)/2)
	last := 0 // where the last token ended
	for edges := t.edges; len(edges) >= 2; edges = edges[2:] {
		start, end := int(edges[0]), int(edges[1])
		four := le.Uint32(t.low[start:])
		if start < last || end-start > foldBlock || !t.plain(start, end) || four == http || four == www {
			last = t.run(max(start, last), end)
			continue
		}
		k := t.add(start, end, hashPadded(t.seed^familyWord, t.low[start:], end-start))
		k.word, k.wordlike = true, true
		last = end
	}
}

// How URLs begin, as the bytes of a number.
const (
	http = 'h' | 't'<<8 | 't'<<16 | 'p'<<24
	www  = 'w' | 'w'<<8 | 'w'<<16 | '.'<<24
)

// run appends the tokens of a run that begin from i on and before end, and
// returns where the last of them ended, or end.
func (t *tokenizer) run(i, end int) int {
	for i < end {
		switch c := t.text[i]; {
		case isWordByte(c):
			i = t.wordOrURL(i)
		case c >= utf8.RuneSelf:
			i = t.beyondASCII(i)
		case c == '!' || c == '?':
			t.folded = append(t.folded, c)
			t.append(i, i+1, len(t.folded)-1)
			i++
		case (c == '#' || c == '@') && startsWord(t.text[i+1:]) && !t.wordEndsAt(i):
			i = t.word(i, i+1)
		default:
			i++
		}
	}
	return i
}

// isWordByte reports whether an ASCII character may stand in a word.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || 'A' <= c && c <= 'Z'
}

// wordOrURL appends the word or URL at text[i:] and returns where it ends.
func (t *tokenizer) wordOrURL(i int) int {
	if n := urlLen(t.text[i:]); n > 0 {
		return t.url(i, i+n)
	}
	return t.word(i, i)
}

// beyondASCII appends the word that may begin at text[i:] with a character beyond
// ASCII, and returns where to go on.
func (t *tokenizer) beyondASCII(i int) int {
	r, size := utf8.DecodeRuneInString(t.text[i:])
	switch {
	case !inWord(r) || unicode.IsMark(r):
		return i + size
	case standsAlone(r):
		return t.character(i)
	}
	return t.word(i, i)
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
func (t *tokenizer) word(start, i int) int {
	end := t.wordEnd(i)
	if c := t.low[end]; c >= utf8.RuneSelf || c == '\'' && t.low[end+1] >= utf8.RuneSelf {
		end = t.unicodeWord(start, i)
	} else {
		t.add(start, end, hashPadded(t.seed^familyWord, t.low[start:], end-start))
	}
	k := &t.tokens[len(t.tokens)-1]
	k.word, k.wordlike = i == start, true
	return end
}

// unicodeWord is word for one that may have characters beyond ASCII.
func (t *tokenizer) unicodeWord(start, i int) int {
	text, folded, lo := t.text, append(t.folded, t.low[start:i]...), len(t.folded)
	ascii := true
	for i < len(text) {
		if end := t.wordEnd(i); end > i {
			folded = append(folded, t.low[i:end]...)
			i = end
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case (r == '\'' || r == '\u2019') && startsWord(text[i+size:]):
			folded = append(folded, '\'')
		case r == softHyphen && startsWord(text[i+size:]):
		case r >= utf8.RuneSelf && inWord(r) && !standsAlone(r):
			folded = utf8.AppendRune(folded, unicode.ToLower(r))
			if r == 'İ' { // the one letter whose small form is two characters
				folded = append(folded, "\u0307"...)
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
func (t *tokenizer) character(start int) int {
	lo, i := len(t.folded), start
	for i < len(t.text) {
		r, size := utf8.DecodeRuneInString(t.text[i:])
		if i > start && !unicode.IsMark(r) {
			break
		}
		t.folded = utf8.AppendRune(t.folded, r)
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
	t.folded = append(t.folded, "://"...)
	t.append(start, end, lo)
	return end
}

// append appends the token text[start:end], whose folded bytes are those from
// lo on.
func (t *tokenizer) append(start, end, lo int) *token {
	k := t.add(start, end, hash(t.seed^familyWord, t.folded[lo:]))
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

// foldedToken returns the folded bytes of a token.
func (t *tokenizer) foldedToken(k *token) []byte {
	if k.foldHi > k.foldLo {
		return t.folded[k.foldLo:k.foldHi]
	}
	return t.low[k.start:k.end]
}

// compose brings the folded bytes from lo on into normalisation form C. It
// comes after lowercasing, since a capital and its accent may have no composed
// form where the small letter has one.
func (t *tokenizer) compose(lo int) {
	word := t.folded[lo:]
	if norm.NFC.QuickSpan(word) == len(word) {
		return
	}
	t.composed = norm.NFC.Append(t.composed[:0], word...)
	t.folded = append(t.folded[:lo], t.composed...)
}

const softHyphen = '\u00ad'

// inWord reports whether r may stand in a word.
func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return isWordByte(byte(r))
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
		return isWordByte(c)
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
