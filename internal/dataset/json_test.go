package dataset

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

var jsonSeeds = []string{
	`{"a": [1, -2.5e+3, 0.1, true, false, null, "x\n\u00e9\ud83d\ude00\/"], "b": {}}`, `[]`, ` {} `, `{"a":1,}`, `[1 2]`, `01`, `1.`, `.5`, `-`, `1e`, `1E-2`,
	`"\x"`, `"\u12"`, `"\u12G4"`, "\"\x01\"", `"`, `tru`, `nullx`, `{"a"}`, `{"a":}`, `{a:1}`, `{1:1}`, `"a" "b"`, "", "[", "{", `{"a"`, `["\`, "1\r",
	strings.Repeat("[", maxFastDepth+3) + strings.Repeat("]", maxFastDepth+3), strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
}

func FuzzValidJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if !utf8.Valid(line) {
			return
		}
		end, ok := validValue(line, skipSpace(line, 0), 0)
		ok = ok && skipSpace(line, end) == len(line)
		want := json.Valid(line)
		if ok && !want || !ok && want && strings.Count(string(line), "[")+strings.Count(string(line), "{") < maxFastDepth {
			t.Errorf("%q: valid %v, encoding/json says %v", line, ok, want)
		}
		if isJSON(line) != want {
			t.Errorf("%q: want %v", line, want)
		}
	})
}

func TestFastJSONOnSeeds(t *testing.T) {
	for _, s := range jsonSeeds {
		if got, want := isJSON([]byte(s)), json.Valid([]byte(s)); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func FuzzUnquote(f *testing.F) {
	for _, s := range []string{`"x\n\u00e9\ud83d\ude00\/\"\\"`, `"\ud800"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\uD83D\uDE00\uABCD"`, `"plain é"`, `""`, `"\\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, quoted []byte) {
		var want string
		if !utf8.Valid(quoted) || len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' || json.Unmarshal(quoted, &want) != nil {
			return
		}
		got, err := unquote(quoted)
		if err != nil {
			if !strings.Contains(want, "\ufffd") {
				t.Fatalf("%s: error %v, want %q", quoted, err, want)
			}
		} else if got != want {
			t.Fatalf("%s: got %q, want %q", quoted, got, want)
		}
		if end := stringEnd(append(quoted, `,"x"`...), 0); end != len(quoted) {
			t.Fatalf("%s: ends at %d", quoted, end)
		}
	})
}
