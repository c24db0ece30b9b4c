package page

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible returns text from data as a page can show it: valid UTF-8, control
// characters as the pictures that Unicode has for them. Escaping is left to the
// template.
func visible(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	return strings.Map(picture, s)
}

// label is the name of a label or of a part of the data, which may be empty.
func label(s string) string {
	if s == "" {
		return "(empty)"
	}
	return visible(s)
}

// hidden reports whether r does something to the text around it in place of
// being seen.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) && !mark(r)
}

// mark reports whether r only says the direction of what is beside it, as
// writers of right-to-left scripts need; the other characters of that kind can
// turn the text that follows around.
func mark(r rune) bool { return r == '\u200e' || r == '\u200f' || r == '\u061c' }

// picture is the visible form of r, from the block Control Pictures (U+2400).
func picture(r rune) rune {
	switch {
	case r < ' ':
		return 0x2400 + r
	case r == 0x7f:
		return 0x2421
	case hidden(r):
		return utf8.RuneError
	}
	return r
}

// short cuts s after at most n characters and says so with an ellipsis.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), " ") + "…"
}
