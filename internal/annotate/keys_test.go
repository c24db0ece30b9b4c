package annotate

import (
	"reflect"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	tests := []struct {
		name string
		in   []string // what is read at once
		want []Key
	}{
		{"letters", []string{"aé日"}, []Key{'a', 'é', '日'}},
		{"a character in two", []string{"\xe6\x97", "\xa5b"}, []Key{'日', 'b'}},
		{"controls", []string{"\r\n\x7f\b\t\x03\x04\x1a\x0c\x01"}, []Key{KeyEnter, KeyEnter, KeyBackspace, KeyBackspace, KeyTab, KeyInterrupt, KeyInterrupt, KeySuspend, KeyRedraw, KeyOther}},
		{"escape alone", []string{"\x1b"}, []Key{KeyEscape}},
		{"two escapes", []string{"\x1b\x1b"}, []Key{KeyEscape, KeyEscape}},
		{"arrow", []string{"\x1b[Aa"}, []Key{KeyOther, 'a'}},
		{"arrow of the other mode", []string{"\x1bOAa"}, []Key{KeyOther, 'a'}},
		{"delete", []string{"\x1b[3~a"}, []Key{KeyOther, 'a'}},
		{"with Alt", []string{"\x1bäa"}, []Key{KeyOther, 'a'}},
		{"sequence in two", []string{"\x1b[3", "~a"}, []Key{KeyOther, 'a'}},
		{"paste", []string{"a\x1b[200~bcd\x03\x1b[201~e"}, []Key{'a', KeyPaste, 'e'}},
		{"paste in pieces", []string{"\x1b[20", "0~bc", "d\x1b[20", "1~e"}, []Key{KeyPaste, 'e'}},
		{"broken", []string{"\xff"}, []Key{KeyOther}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d decoder
			var got []Key
			for _, in := range test.in {
				got = append(got, d.decode([]byte(in))...)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("keys are %v, want %v", got, test.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x1b[200~a\x1b[201~\x1b[A\xe6"), 3)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		var d decoder
		cut = max(0, cut) % (len(in) + 1)
		n := len(d.decode(in[:cut])) + len(d.decode(in[cut:]))
		if n > len(in) {
			t.Errorf("%d keys of %d bytes", n, len(in))
		}
	})
}

func keysOf(labels ...string) string {
	var b strings.Builder
	for _, c := range choices(labels) {
		if c.key == 0 {
			c.key = '_'
		}
		b.WriteRune(c.key)
	}
	return b.String()
}

func TestChoices(t *testing.T) {
	tests := []struct {
		labels []string
		want   string
	}{
		{[]string{"economy", "politics", "sport"}, "eps"},
		{[]string{"Economy", "energy"}, "en"},
		{[]string{"for", "foreign affairs", "against"}, "foa"},
		{[]string{"cab", "ca", "b"}, "cab"},
		{[]string{"-1", "0", "1"}, "201"}, // "1" has its own, "-1" takes what is spare
		{[]string{"日本", "中国"}, "12"},
		{[]string{"aa", "aa b", "ab"}, "ab1"},
	}
	for _, test := range tests {
		if got := keysOf(test.labels...); got != test.want {
			t.Errorf("keys of %q are %q, want %q", test.labels, got, test.want)
		}
	}
}

// TestManyLabels: as many labels as there are keys have one each, the others none,
// and no command is one.
func TestManyLabels(t *testing.T) {
	var labels []string
	for i := range 50 {
		labels = append(labels, strings.Repeat("x", i+1))
	}
	got := keysOf(labels...)
	seen := map[rune]bool{}
	for _, r := range got {
		if seen[r] && r != '_' || strings.ContainsRune(" .</Q", r) {
			t.Fatalf("key %q is taken: %s", r, got)
		}
		seen[r] = true
	}
	if n := strings.Count(got, "_"); n != 50-len(spare) {
		t.Errorf("%d labels have no key", n)
	}
}

func TestMatching(t *testing.T) {
	list := choices([]string{"Sport", "Politics", "World politics", "sports"})
	for text, want := range map[string][]string{"sp": {"Sport", "sports"}, "politics": {"Politics"}, "world": {"World politics"}, "tics": {"Politics", "World politics"}, "x": nil} {
		if got := matching(list, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q matches %q, want %q", text, got, want)
		}
	}
	if got := commonPrefix([]string{"täter", "tä", "täx"}); got != "tä" {
		t.Errorf("common prefix %q", got)
	}
}
