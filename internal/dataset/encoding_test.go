package dataset

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func encoded(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	utf16le = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	utf16be = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
)

func TestEncodings(t *testing.T) {
	const csv = "id,text\n1,“Où est le café?” – naïve\n2,plain\n"
	const jsonl = `{"text": "Übergrößen für 5 €"}` + "\n" + `{"text": "plain"}` + "\n"
	wantCSV := []string{`2: "“Où est le café?” – naïve" id=1`, `3: "plain" id=2`}
	wantJSONL := []string{`1: "Übergrößen für 5 €"`, `2: "plain"`}
	for _, e := range []struct {
		name   string
		encode func(string) string
		forced Encoding
	}{
		{"UTF-8", func(s string) string { return s }, ""},
		{"UTF-8 with a mark", func(s string) string { return mark + s }, ""},
		{"UTF-8 with a mark, called Windows-1252", func(s string) string { return mark + s }, Windows1252},
		{"UTF-8 forced", func(s string) string { return s }, UTF8},
		{"UTF-16 little-endian with a mark", func(s string) string { return encoded(t, utf16le, mark+s) }, ""},
		{"UTF-16 big-endian with a mark", func(s string) string { return encoded(t, utf16be, mark+s) }, ""},
		{"UTF-16 with a mark, called UTF-8", func(s string) string { return encoded(t, utf16le, mark+s) }, UTF8},
		{"UTF-16 little-endian by its zeros", func(s string) string { return encoded(t, utf16le, s) }, ""},
		{"UTF-16 big-endian by its zeros", func(s string) string { return encoded(t, utf16be, s) }, ""},
		{"UTF-16 little-endian forced", func(s string) string { return encoded(t, utf16le, s) }, UTF16LE},
		{"UTF-16 big-endian forced", func(s string) string { return encoded(t, utf16be, s) }, UTF16BE},
		{"Windows-1252", func(s string) string { return encoded(t, charmap.Windows1252, s) }, ""},
		{"Windows-1252 forced", func(s string) string { return encoded(t, charmap.Windows1252, s) }, Windows1252},
		{"with CRLF", func(s string) string { return encoded(t, utf16le, mark+strings.ReplaceAll(s, "\n", "\r\n")) }, ""},
		{"compressed", func(s string) string { return zipped(t, encoded(t, charmap.Windows1252, s)) }, ""},
	} {
		t.Run(e.name, func(t *testing.T) {
			opts := Options{NoLabels: true, Encoding: e.forced}
			for _, r := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
				compare(t, dump(Reader("in.csv", r(strings.NewReader(e.encode(csv)))), opts), wantCSV)
				compare(t, dump(Reader("in.jsonl", r(strings.NewReader(e.encode(jsonl)))), opts), wantJSONL)
			}
		})
	}
}

func zipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is not clear is not converted, and the error says what to do.
func TestUnclearEncodings(t *testing.T) {
	const hint = "; if the file is Windows-1252, say --encoding windows-1252"
	for _, c := range []struct {
		name, data string
		opts       Options
		want       []string
	}{
		{"too little to know", "text\ncaf\xe9\nplain\n", Options{}, []string{"bad: in.csv:2: text: invalid UTF-8 at byte 4" + hint, `3: "plain"`}},
		{"too little, but it is said", "text\ncaf\xe9\nplain\n", Options{Encoding: Windows1252}, []string{`2: "café"`, `3: "plain"`}},
		{"broken UTF-8", "text\nth\xe2\x80 caf\xc3 d\xc3 r\xe9sum\xe9\n", Options{}, []string{"bad: in.csv:2: text: invalid UTF-8 at byte 3" + hint}},
		{"UTF-8 with a cut character", "text\né\ncaf\xe9 caf\xe9 caf\xe9\n", Options{}, []string{`2: "é"`, "bad: in.csv:3: text: invalid UTF-8 at byte 4" + hint}},
		{"control characters", "text\ncaf\xe9 caf\xe9 caf\xe9 \x01\n", Options{}, []string{"bad: in.csv:2: text: invalid UTF-8 at byte 4" + hint}},
		{"Cyrillic in Windows-1251", "text\n\xcf\xf0\xe8\xe2\xe5\xf2\n", Options{}, []string{"bad: in.csv:2: text: invalid UTF-8 at byte 1" + hint}},
		{"forced UTF-8", "text\ncaf\xe9 caf\xe9 caf\xe9\n", Options{Encoding: UTF8}, []string{"bad: in.csv:2: text: invalid UTF-8 at byte 4" + hint}},
		{"UTF-32", "\xff\xfe\x00\x00t\x00\x00\x00", Options{}, []string{"final: in.csv: the file is UTF-32 and must be converted to UTF-8 (iconv -f UTF-32 -t UTF-8)"}},
		{"an encoding that is none", "text\na\n", Options{Encoding: "latin"}, []string{`final: encoding "latin": want utf-8, utf-16le, utf-16be or windows-1252`}},
		{"half of a surrogate pair", encoded(t, utf16le, "text\na") + "\x3d\xd8" + encoded(t, utf16le, "\nb\n"), Options{},
			[]string{"bad: in.csv:2: text: broken UTF-16, or U+FFFD, at byte 2 of the row in UTF-8", `3: "b"`}},
		{"half of a character at the end", encoded(t, utf16be, "text\nab") + "\x00", Options{}, []string{"bad: in.csv:2: text: broken UTF-16, or U+FFFD, at byte 3 of the row in UTF-8"}},
		{"a NUL", "text\na\x00b\nc\n", Options{}, []string{"bad: in.csv:2: text: NUL byte at byte 2", `3: "c"`}},
		{"a mark where files were joined", mark + "text\na\n" + mark + "text\nb\n" + mark, Options{},
			[]string{`2: "a"`, "bad: in.csv:3: a byte order mark begins the line: files with headers were joined here", `4: "b"`,
				"bad: in.csv:5: a byte order mark begins the line: files with headers were joined here"}},
		{"a mark inside a text", "text\na" + mark + "b\n", Options{}, []string{`2: "a\ufeffb"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.opts.NoLabels = true
			compare(t, dump(text("in.csv", c.data), c.opts), c.want)
		})
	}
	joined := mark + `{"text": "a"}` + "\n" + mark + `{"text": "b"}` + "\r\n"
	compare(t, dump(text("in.jsonl", joined), Options{NoLabels: true}), []string{`1: "a"`, `2: "b"`})
}

// Windows-1252 is known however late its first character comes.
func TestLateWindows1252(t *testing.T) {
	var b strings.Builder
	b.WriteString("text\n")
	for i := range 40_000 {
		fmt.Fprintf(&b, "row %d\n", i)
	}
	b.WriteString("caf\xe9\nna\xefve\n\x93so\x94\n")
	lines := dump(text("in.csv", b.String()), Options{NoLabels: true})
	compare(t, lines[len(lines)-3:], []string{`40002: "café"`, `40003: "naïve"`, `40004: "“so”"`})
}

// What trickles in is passed on at once: a row does not wait for the next one.
func TestTricklingRowsDoNotWait(t *testing.T) {
	r, w := io.Pipe()
	seen := make(chan string)
	go func() {
		for ex, err := range Rows(Reader("-", r), Options{NoLabels: true}) {
			seen <- fmt.Sprint(ex.Text, err)
		}
		close(seen)
	}()
	for _, text := range []string{"plain", "café", "“é”"} {
		fmt.Fprintf(w, "{\"text\": %q}\n", text)
		if got := <-seen; got != text+"<nil>" {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	w.Close()
	if got, more := <-seen; more {
		t.Errorf("got %s, want the end", got)
	}
}

// A file in any encoding is read as the same text in UTF-8.
func FuzzEncodings(f *testing.F) {
	f.Add("text\n“é”\n")
	f.Add("a,b\r\n\"x\ny\",é€™\n")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, '\ufffd') || strings.HasPrefix(s, mark) || strings.HasPrefix(s, "\x00") {
			return
		}
		want := dump(text("in.csv", s), Options{NoLabels: true, Encoding: UTF8, MaxRowBytes: fuzzLimit})
		for _, e := range []struct {
			encoding encoding.Encoding
			name     Encoding
		}{{utf16le, UTF16LE}, {utf16be, UTF16BE}, {charmap.Windows1252, Windows1252}} {
			data, err := e.encoding.NewEncoder().String(s)
			if _, _, bad := marked([]byte(data)); err != nil || bad != nil || marks(data) {
				continue
			}
			compare(t, dump(text("in.csv", data), Options{NoLabels: true, Encoding: e.name, MaxRowBytes: fuzzLimit}), want)
		}
	})
}

// marks reports whether the bytes of a text happen to be a byte order mark.
func marks(data string) bool {
	e, _, _ := marked([]byte(data))
	return e != EncodingAuto
}

// Any bytes at all: rows or errors, within the limits.
func FuzzGuessedEncodings(f *testing.F) {
	for _, s := range []string{"\xff\xfet\x00", "text\ncaf\xe9 caf\xe9 caf\xe9", "\x00t\x00e\x00", "t\x00e\x00x\x00t\x00\n\x00\x3d\xd8", "\xef\xbb", "\xe9\xe9\xe9"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data))} {
			for ex, err := range Rows(Reader("in", r), Options{NoLabels: true, MaxRowBytes: fuzzLimit}) {
				if err == nil {
					checkExample(t, ex)
				}
			}
		}
		one := dump(Reader("in.csv", bytes.NewReader(data)), Options{NoLabels: true})
		compare(t, dump(Reader("in.csv", iotest.OneByteReader(bytes.NewReader(data))), Options{NoLabels: true}), one)
	})
}
