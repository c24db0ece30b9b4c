package page

import "testing"

func TestVisible(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain text, ünïcode", "plain text, ünïcode"},
		{"a\x00b\x1b[31m\x7f", "a␀b␛[31m␡"},
		{"tab\tnew\nline", "tab␉new␊line"},
		{"next\u0085line", "next\ufffdline"},
		{"a\xffb", "a\ufffdb"},
		{"\u202egnp.exe", "\ufffdgnp.exe"},
		{"\u2067x\u2069", "\ufffdx\ufffd"},
		{"שלום\u200f!", "שלום\u200f!"},
	}
	for _, test := range tests {
		if got := visible(test.in); got != test.want {
			t.Errorf("visible(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestLabel(t *testing.T) {
	for in, want := range map[string]string{"": "(empty)", "for": "for", "a\x00": "a␀"} {
		if got := label(in); got != want {
			t.Errorf("label(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"", 5, ""},
		{"abcde", 5, "abcde"},
		{"abcdef", 5, "abcd…"},
		{"abc def", 5, "abc…"},
		{"äöüßé+", 5, "äöüß…"},
	}
	for _, test := range tests {
		if got := short(test.in, test.n); got != test.want {
			t.Errorf("short(%q, %d) = %q, want %q", test.in, test.n, got, test.want)
		}
	}
}
