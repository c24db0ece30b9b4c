package annotate

import (
	"bytes"
	"unicode/utf8"
)

// A Key is a key that was pressed: a character, or one of the following.
type Key rune

// Keys that are no characters.
const (
	KeyEnter Key = -1 - iota
	KeyBackspace
	KeyTab
	KeyEscape
	KeyInterrupt // Ctrl-C or Ctrl-D
	KeySuspend   // Ctrl-Z
	KeyRedraw    // Ctrl-L
	KeyPaste     // something was pasted; what, is dropped
	KeyOther     // arrows, function keys
)

var controls = map[byte]Key{'\r': KeyEnter, '\n': KeyEnter, 0x7f: KeyBackspace, '\b': KeyBackspace, '\t': KeyTab,
	3: KeyInterrupt, 4: KeyInterrupt, 26: KeySuspend, 12: KeyRedraw}

// Brackets that a terminal puts around what is pasted.
var pasteBegin, pasteEnd = []byte("\x1b[200~"), []byte("\x1b[201~")

// A decoder makes keys of what a raw terminal sends.
type decoder struct {
	rest    []byte // the beginning of a character or a sequence
	pasting bool
}

// decode returns the keys of what was read at once. An escape character that
// nothing follows is the escape key; one that something follows is the beginning
// of a sequence.
func (d *decoder) decode(b []byte) (keys []Key) {
	b = append(d.rest, b...)
	d.rest = nil
	for len(b) > 0 {
		if d.pasting {
			i := bytes.Index(b, pasteEnd)
			if i < 0 {
				d.rest = bytes.Clone(b[max(0, len(b)-len(pasteEnd)+1):]) // the end may be cut in two
				return keys
			}
			b, d.pasting = b[i+len(pasteEnd):], false
			keys = append(keys, KeyPaste)
			continue
		}
		if rest, ok := bytes.CutPrefix(b, pasteBegin); ok {
			b, d.pasting = rest, true
			continue
		}
		if !utf8.FullRune(b) {
			d.rest = bytes.Clone(b)
			return keys
		}
		key, n := one(b)
		if n == 0 {
			d.rest = bytes.Clone(b)
			return keys
		}
		keys, b = append(keys, key), b[n:]
	}
	return keys
}

// one returns the first key and how many bytes it has, 0 when more must be read.
func one(b []byte) (Key, int) {
	if b[0] == 0x1b {
		n := sequence(b)
		if n == 1 {
			return KeyEscape, 1
		}
		return KeyOther, n
	}
	if key, ok := controls[b[0]]; ok {
		return key, 1
	}
	r, n := utf8.DecodeRune(b)
	if r < ' ' || r == utf8.RuneError {
		return KeyOther, n
	}
	return Key(r), n
}

// sequence is the length of the escape sequence at the start of b: ESC [ with
// parameters and a final byte (0 while that is missing), ESC O with one byte, ESC
// with one byte (a key together with Alt).
func sequence(b []byte) int {
	if len(b) < 2 || b[1] == 0x1b {
		return 1
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
		}
		return 0
	case 'O':
		return min(3, len(b))
	}
	_, n := utf8.DecodeRune(b[1:])
	return 1 + n
}
