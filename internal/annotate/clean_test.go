package annotate

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "One line.\nAnother, with ümläuts and 日本語.", "One line.\nAnother, with ümläuts and 日本語."},
		{"line ends", "a\r\nb\rc", "a\nb␍c"},
		{"tab", "a\tb", "a    b"},
		{"clear the screen", "\x1b[2J\x1b[Hgone", "␛[2J␛[Hgone"},
		{"title", "\x1b]0;evil\x07", "␛]0;evil␇"},
		{"C1 control sequence", "\u009b31mred", "<U+009B>31mred"},
		{"C1 as a byte", "\x9b31mred", "�31mred"},
		{"delete and null", "a\x7fb\x00", "a␡b␀"},
		{"bidirectional override", "abc\u202etxt.exe", "abc<U+202E>txt.exe"},
		{"isolates", "\u2066a\u2069", "<U+2066>a<U+2069>"},
		{"zero width space", "pay\u200bpal", "pay<U+200B>pal"},
		{"joiner between letters", "a\u200db", "a<U+200D>b"},
		{"line separator", "a\u2028b", "a<U+2028>b"},
		{"family", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"},
		{"heart", "❤\ufe0f", "❤\ufe0f"},
		{"Persian", "می\u200cخواهم", "می\u200cخواهم"},
		{"combining", "e\u0301", "e\u0301"},
		{"broken", "a\xff\xc3", "a��"},
		{"tag", "a\U000e0041", "a<U+E0041>"},
		{"private", "\ue000", "<U+E000>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Clean(test.in); got != test.want {
				t.Errorf("Clean(%+q) = %+q, want %+q", test.in, got, test.want)
			}
		})
	}
	if got := CleanLine(" a\n b\tc\x1b "); got != "a b c␛" {
		t.Errorf("CleanLine gives %q", got)
	}
}

// FuzzClean: whatever a text is, what is shown has no control characters but line
// breaks, is UTF-8, and its lines fit.
func FuzzClean(f *testing.F) {
	f.Add("\x1b[31m\u202ea\u200d\x9b日本語 hello world\r\n\t", 10)
	f.Add("👨\u200d👩\u200d👧👨\u200d👩\u200d👧 e\u0301\u0301\u0301", 3)
	f.Add("\U00028467\U00011440\u200d", 0) // a mark that takes a cell
	f.Fuzz(func(t *testing.T, s string, width int) {
		clean := Clean(s)
		if !utf8.ValidString(clean) || strings.ContainsFunc(clean, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
			t.Fatalf("Clean(%+q) = %+q", s, clean)
		}
		width = 2 + max(0, width%100)
		for _, line := range Wrap(clean, width) {
			if got := uniseg.StringWidth(line); got > width {
				t.Fatalf("line %+q has %d cells, want at most %d", line, got, width)
			}
		}
		if line := fit(CleanLine(s), width); uniseg.StringWidth(line) > width {
			t.Fatalf("%+q is wider than %d", line, width)
		}
	})
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name, in string
		width    int
		want     string
	}{
		{"fits", "ten cells.", 10, "ten cells."},
		{"words", "the quick brown fox", 10, "the quick|brown fox"},
		{"space at the end does not count", "0123456789 abc", 10, "0123456789|abc"},
		{"long word", "a 0123456789abcdef b", 10, "a|0123456789|abcdef b"},
		{"paragraphs", "a\n\nb", 10, "a||b"},
		{"wide characters", "日本語日本語", 5, "日本|語日|本語"},
		{"mixed", "ab日本", 5, "ab日|本"},
		{"hyphen", "twenty-second", 10, "twenty-|second"},
		{"indentation", "  a", 10, "  a"},
		{"marks", "e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301|e\u0301"},
		{"emoji", "👨\u200d👩\u200d👧👨\u200d👩\u200d👧", 3, "👨\u200d👩\u200d👧|👨\u200d👩\u200d👧"},
		{"a mark with a cell", "\U00028467\U00011440\u200da", 2, "\U00028467|a"},
		{"no width", "abc", 0, "ab|c"},
		{"empty", "", 10, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(Wrap(test.in, test.width), "|")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := Wrap("e"+strings.Repeat("\u0301", 1000), 10); len(got) != 1 || len(got[0]) > maxCluster {
		t.Errorf("a thousand marks give %d lines, the first of %d bytes", len(got), len(got[0]))
	}
}
