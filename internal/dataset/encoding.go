package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// An Encoding says how characters are written as bytes. A byte order mark at the
// start of the data goes before what Options say.
type Encoding string

// The encodings. EncodingAuto is UTF-8, unless zero bytes at the start show
// UTF-16, or the first character beyond ASCII cannot be UTF-8 and what follows
// clearly is Windows-1252.
const (
	EncodingAuto Encoding = ""
	UTF8         Encoding = "utf-8"
	UTF16LE      Encoding = "utf-16le"
	UTF16BE      Encoding = "utf-16be"
	Windows1252  Encoding = "windows-1252"
)

// decoders are those of the encodings that have to be converted.
var decoders = map[Encoding]encoding.Encoding{
	UTF16LE:     unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	UTF16BE:     unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	Windows1252: charmap.Windows1252,
}

// check returns an error for an encoding that is none of these.
func (e Encoding) check() error {
	if _, ok := decoders[e]; !ok && e != UTF8 && e != EncodingAuto {
		return fmt.Errorf("encoding %q: want utf-8, utf-16le, utf-16be or windows-1252", string(e))
	}
	return nil
}

// convert makes in.r yield UTF-8. A read error is left for the first line.
func (in *input) convert(want Encoding) error {
	for len(in.buf) < 4 && in.err == nil {
		in.fill()
	}
	e, size, err := marked(in.buf)
	if err != nil {
		return err
	}
	if e == EncodingAuto {
		e = want
	}
	if e == EncodingAuto {
		e = guessUTF16(in.buf)
	}
	if e == UTF8 {
		in.pos = size
		return nil
	}
	in.reread(size)
	if d, ok := decoders[e]; ok {
		in.encoding, in.r = e, transform.NewReader(in.r, d.NewDecoder())
	} else {
		in.r = &guesser{in: in, r: in.r}
	}
	return nil
}

// marked returns the encoding that a byte order mark of that size shows.
func marked(b []byte) (e Encoding, size int, err error) {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(b, []byte("\x00\x00\xfe\xff")):
		return "", 0, errors.New("the file is UTF-32 and must be converted to UTF-8 (iconv -f UTF-32 -t UTF-8)")
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return UTF16LE, 2, nil
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return UTF16BE, 2, nil
	case bytes.HasPrefix(b, []byte(mark)):
		return UTF8, len(mark), nil
	}
	return EncodingAuto, 0, nil
}

// mark is the byte order mark in UTF-8.
const mark = "\ufeff"

// guessUTF16 knows UTF-16 without a mark by the zero bytes of two characters of
// ASCII, with which all formats begin.
func guessUTF16(b []byte) Encoding {
	ascii := func(c byte) bool { return 0 < c && c < utf8.RuneSelf }
	switch {
	case len(b) < 4:
	case ascii(b[0]) && b[1] == 0 && ascii(b[2]) && b[3] == 0:
		return UTF16LE
	case b[0] == 0 && ascii(b[1]) && b[2] == 0 && ascii(b[3]):
		return UTF16BE
	}
	return EncodingAuto
}

// reread makes in.r yield again what lies in the buffer, after the first bytes.
func (in *input) reread(after int) {
	head := bytes.NewReader(in.buf[after:])
	rest := in.r
	if in.err != nil {
		rest = failing{in.err}
	}
	in.r, in.buf, in.err = io.MultiReader(head, rest), nil, nil
}

// failing is a reader that is at its end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if broken, ok := f.err.(*readError); ok {
		return 0, broken.err
	}
	return 0, f.err
}

// A guesser passes ASCII on, and at the first other character decides between
// UTF-8 and Windows-1252: until then they are the same. Data that trickles in
// waits for more only after bytes that are no UTF-8.
type guesser struct {
	in   *input
	r    io.Reader
	rest io.Reader // once it is decided
}

// sampleBytes is how much Windows-1252 is known by.
const sampleBytes = 64 << 10

func (g *guesser) Read(p []byte) (int, error) {
	if g.rest != nil {
		return g.rest.Read(p)
	}
	n, err := g.r.Read(p)
	i := asciiLength(p[:n])
	if i == n {
		return n, err
	}
	left := g.r
	if err != nil {
		left = failing{err}
	}
	g.decide(io.MultiReader(bytes.NewReader(bytes.Clone(p[i:n])), left))
	if i == 0 {
		return g.rest.Read(p)
	}
	return i, nil
}

// asciiLength returns how many bytes at the start of b are ASCII.
func asciiLength(b []byte) int {
	const high = 0x8080808080808080
	i := 0
	for ; i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&high == 0; i += 8 {
	}
	for ; i < len(b) && b[i] < utf8.RuneSelf; i++ {
	}
	return i
}

// decide chooses how r, which begins with the first character beyond ASCII, is
// read. An error of r comes again when it is read.
func (g *guesser) decide(r io.Reader) {
	br := bufio.NewReaderSize(r, sampleBytes)
	g.rest = br
	first, _ := br.Peek(utf8.UTFMax)
	if r, n := utf8.DecodeRune(first); r != utf8.RuneError || n > 1 {
		return
	}
	if sample, _ := br.Peek(sampleBytes); looksWindows1252(sample) {
		g.in.encoding, g.rest = Windows1252, transform.NewReader(br, charmap.Windows1252.NewDecoder())
	}
}

// looksWindows1252 reports whether bytes that are no UTF-8 clearly are
// Windows-1252: three characters beyond ASCII at least, each of them a letter
// beside a letter of ASCII or a sign of print, none of them beside another one
// but in words. Of broken UTF-8 the characters come in pairs and triples with
// bytes that are no letters.
func looksWindows1252(b []byte) bool {
	found := 0
	for i, c := range b {
		switch {
		case c < utf8.RuneSelf:
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' {
				return false
			}
			continue
		case isLatinLetter(c):
			if i > 0 && !asciiLetter(b, i-1) && !asciiLetter(b, i+1) { // what is before the first is not at hand
				return false
			}
			if i+1 < len(b) && 0x80 <= b[i+1] && b[i+1] < 0xc0 { // as UTF-8 is
				return false
			}
		case bytes.IndexByte([]byte(printSigns), c) < 0, i > 0 && b[i-1] >= 0xc0:
			return false
		}
		found++
	}
	return found >= 3
}

// printSigns are signs of Windows-1252 that texts have: the euro, dots, quotes,
// dashes, the space that does not break, guillemets, a few more.
const printSigns = "\x80\x85\x91\x92\x93\x94\x95\x96\x97\xa0\xa1\xa3\xa7\xa9\xab\xae\xb0\xb7\xbb\xbf"

func isLatinLetter(c byte) bool {
	return c >= 0xc0 && c != 0xd7 && c != 0xf7 || bytes.IndexByte([]byte("\x8a\x8c\x8e\x9a\x9c\x9e\x9f"), c) >= 0
}

func asciiLetter(b []byte, i int) bool {
	return 0 <= i && i < len(b) && 'a' <= b[i]|0x20 && b[i]|0x20 <= 'z'
}

// badBytes says what is wrong with bytes of the file, "" if nothing.
func (in *input) badBytes(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return fmt.Sprintf("NUL byte at byte %d", i+1)
	}
	switch in.encoding {
	case UTF16LE, UTF16BE: // the decoder puts U+FFFD in the place of what is broken
		if i := bytes.IndexRune(b, utf8.RuneError); i >= 0 {
			return fmt.Sprintf("broken UTF-16, or U+FFFD, at byte %d of the row in UTF-8", i+1)
		}
	default:
		if i := invalidUTF8(b); i >= 0 {
			return fmt.Sprintf("invalid UTF-8 at byte %d; if the file is Windows-1252, say --encoding windows-1252", i+1)
		}
	}
	return ""
}

// invalidUTF8 returns the offset of the first byte that is no UTF-8, -1 if there
// is none.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}
