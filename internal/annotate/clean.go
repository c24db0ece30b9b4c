package annotate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tabWidth is how many spaces stand for a tab.
const tabWidth = 4

// Clean makes a text harmless to a terminal and keeps its lines. Control
// characters are shown as their pictures (ESC as "␛") or numbers, bytes that are
// not UTF-8 as "�", and so are marks that reorder text or are not seen, which
// could make a text look like another one.
func Clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\n':
			b.WriteByte('\n')
		case r == '\t':
			b.WriteString(strings.Repeat(" ", tabWidth))
		case r == utf8.RuneError:
			b.WriteRune(utf8.RuneError)
		case r < ' ':
			b.WriteRune('␀' + r)
		case r == 0x7f:
			b.WriteRune('␡')
		case joins(s, i, r):
			b.WriteRune(r)
		case hidden(r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// CleanLine is Clean for what is to stay on one line.
func CleanLine(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }

// hidden reports whether a character has no look of its own: C1 controls, formats
// such as bidirectional overrides, the separators of lines and paragraphs, and
// private and unassigned ones.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || !unicode.IsGraphic(r)
}

// joins reports whether r is a joiner between two characters that are no ASCII,
// where emoji and several scripts need it, or a selector of how the character
// before it looks.
func joins(s string, i int, r rune) bool {
	const nonJoiner, joiner = 0x200c, 0x200d
	if r != nonJoiner && r != joiner {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
	return beyondASCII(before) && beyondASCII(after)
}

func beyondASCII(r rune) bool {
	return r >= 0x80 && r != utf8.RuneError && !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)
}
