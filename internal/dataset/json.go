package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding/json looks at every byte through a function and decodes strings by
// reflection, which costs more than the classification of a short text. What
// follows is for the lines that nearly all are: anything it does not accept is
// left to encoding/json, which also words the errors. FuzzValidJSON and
// FuzzUnquote hold the two against each other.

// maxFastDepth is how deep arrays and objects may be nested here.
const maxFastDepth = 32

// isJSON reports whether a line is valid JSON.
func isJSON(line []byte) bool {
	if end, ok := validValue(line, skipSpace(line, 0), 0); ok && skipSpace(line, end) == len(line) {
		return true
	}
	return json.Valid(line)
}

// validValue returns the offset after the value that begins at b[i]; false when
// it is not valid, or nested too deep for here.
func validValue(b []byte, i, depth int) (int, bool) {
	if i >= len(b) || depth > maxFastDepth {
		return 0, false
	}
	switch b[i] {
	case '"':
		return validString(b, i)
	case '{', '[':
		return validNested(b, i, depth+1)
	case 't':
		return validWord(b, i, "true")
	case 'f':
		return validWord(b, i, "false")
	case 'n':
		return validWord(b, i, "null")
	}
	return validNumber(b, i)
}

func validWord(b []byte, i int, word string) (int, bool) {
	end := i + len(word)
	return end, end <= len(b) && string(b[i:end]) == word
}

// validNested is validValue for an array or an object.
func validNested(b []byte, i, depth int) (end int, ok bool) {
	object, closing := b[i] == '{', b[i]+2 // "[]" and "{}" are two apart
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == closing {
		return i + 1, true
	}
	for {
		if object {
			if i, ok = validKey(b, i); !ok {
				return 0, false
			}
		}
		if i, ok = validValue(b, i, depth); !ok {
			return 0, false
		}
		i = skipSpace(b, i)
		switch {
		case i == len(b):
			return 0, false
		case b[i] == closing:
			return i + 1, true
		case b[i] != ',':
			return 0, false
		}
		i = skipSpace(b, i+1)
	}
}

// validKey returns the offset of the value after the key that begins at b[i].
func validKey(b []byte, i int) (int, bool) {
	if i >= len(b) || b[i] != '"' {
		return 0, false
	}
	i, ok := validString(b, i)
	if !ok {
		return 0, false
	}
	if i = skipSpace(b, i); i == len(b) || b[i] != ':' {
		return 0, false
	}
	return skipSpace(b, i+1), true
}

// plainInString are the bytes that a JSON string may hold as they are.
var plainInString = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return plain
}()

func validString(b []byte, i int) (int, bool) {
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case plainInString[c]:
		case c == '"':
			return i + 1, true
		case c != '\\' || i+1 == len(b):
			return 0, false
		default:
			if i++; b[i] == 'u' {
				if len(b)-i <= 4 || !isHex4(b[i+1:i+5]) {
					return 0, false
				}
				i += 4
			} else if unescaped[b[i]] == 0 {
				return 0, false
			}
		}
	}
	return 0, false
}

// unescaped are the characters that a backslash and one other stand for.
var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func isHex4(b []byte) bool {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

func validNumber(b []byte, i int) (int, bool) {
	if b[i] == '-' {
		i++
	}
	whole := digits(b, i)
	if whole == i || b[i] == '0' && whole > i+1 {
		return 0, false
	}
	if i = whole; i < len(b) && b[i] == '.' {
		if i = digits(b, i+1); b[i-1] == '.' {
			return 0, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		from := i + 1
		if from < len(b) && (b[from] == '+' || b[from] == '-') {
			from++
		}
		if i = digits(b, from); i == from {
			return 0, false
		}
	}
	return i, true
}

// digits returns the offset after the digits that begin at b[i].
func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// unquote decodes a valid JSON string.
func unquote(quoted []byte) (string, error) {
	inner := quoted[1 : len(quoted)-1]
	escape := bytes.IndexByte(inner, '\\')
	if escape < 0 {
		return string(inner), nil
	}
	if half := loneSurrogate(inner[escape:]); half != "" {
		return "", errors.New("half of a surrogate pair: " + half)
	}
	out := make([]byte, 0, len(inner))
	for ; escape >= 0; escape = bytes.IndexByte(inner, '\\') {
		out = append(out, inner[:escape]...)
		n := 0
		out, n = appendUnescaped(out, inner[escape:])
		inner = inner[escape+n:]
	}
	return string(append(out, inner...)), nil
}

// appendUnescaped appends what the escape at the start of s stands for and
// returns its length.
func appendUnescaped(out, s []byte) ([]byte, int) {
	if s[1] != 'u' {
		return append(out, unescaped[s[1]]), len(`\n`)
	}
	r := hex4(s[2:])
	if utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, utf16.DecodeRune(r, hex4(s[8:]))), len(`\uD800\uDC00`)
	}
	return utf8.AppendRune(out, r), len(`\u0000`)
}

// loneSurrogate returns the first \uD800-\uDFFF escape in the inside of a valid
// JSON string that has no partner, "" if none.
func loneSurrogate(s []byte) string {
	for i := bytes.IndexByte(s, '\\'); i >= 0 && i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		i++
		if s[i] != 'u' {
			continue
		}
		r := hex4(s[i+1:])
		i += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		next := s[i+1:]
		if len(next) < 6 || next[0] != '\\' || next[1] != 'u' || utf16.DecodeRune(r, hex4(next[2:])) == '\uFFFD' {
			return string(s[i-5 : i+1])
		}
		i += 6
	}
	return ""
}

// hex4 decodes the four digits of a valid \u escape.
func hex4(b []byte) (r rune) {
	for _, c := range b[:4] {
		switch {
		case c <= '9':
			r = r<<4 | rune(c-'0')
		default:
			r = r<<4 | rune(c|0x20-'a'+10)
		}
	}
	return r
}
