package serve

import "testing"

// A token is one that the server has made, to the letter, or it is refused.
func FuzzMark(f *testing.F) {
	for _, m := range []mark{{0, 0}, {1, 2}, {1<<63 - 1, 1<<63 - 1}} {
		f.Add(m.token())
	}
	for _, s := range []string{"", "x", "LTEgMg", "MiAx", "MSAy=", "MDEgMg", "MSAyIDM", "OTIyMzM3MjAzNjg1NDc3NTgwOCAx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		m, err := parseMark(token)
		if err != nil && m != (mark{}) || err == nil && (m.token() != token || m.after < 0 || m.until < m.after) {
			t.Errorf("%q: %+v, error %v", token, m, err)
		}
	})
}
