package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
)

// jsonl reads one JSON object a line. encoding/json checks the line and decodes
// strings; the walk over the object is our own, because encoding/json silently
// keeps the last of two equal keys and replaces half a surrogate pair.
type jsonl struct {
	in      *input
	started bool // something other than white space has been seen
}

const jsonSpace = " \t\r\n"

// next reads the next row into t.
func (j *jsonl) next(t *table) error {
	for {
		end, err := j.in.lineEnd(0)
		if err == errLong {
			t.begin(j.in.line)
			j.in.skipLine()
			return badRow("row longer than the limit of " + byteSize(j.in.max))
		}
		if err != nil {
			return err
		}
		line, begins := j.in.data()[:end], j.in.line
		j.in.consume(end)
		trimmed := bytes.TrimLeft(line, jsonSpace)
		if len(trimmed) == 0 {
			continue
		}
		if !j.started && trimmed[0] == '[' {
			return errors.New("the file begins with a JSON array: want one object a line")
		}
		j.started = true
		t.begin(begins)
		return parseObject(t, trimEOL(line))
	}
}

// parseObject sets the columns of t from one line.
func parseObject(t *table, line []byte) error {
	if msg := badBytes(line); msg != "" {
		return badRow(msg)
	}
	if !json.Valid(line) {
		return badRow(jsonError(line))
	}
	first := skipSpace(line, 0)
	if k := kindOf(line[first]); k != jsonObject {
		return badRow(fmt.Sprintf("want a JSON object, got %v", k))
	}
	return walkObject(t, line, first+1)
}

// jsonError says what is wrong with a line that is not valid JSON.
func jsonError(line []byte) string {
	var whole json.RawMessage
	err := json.Unmarshal(line, &whole)
	if se, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("broken JSON at byte %d: %v", se.Offset, err)
	}
	return fmt.Sprintf("broken JSON: %v", err)
}

// walkObject reads the members of an object that is known to be valid, from
// behind its brace.
func walkObject(t *table, line []byte, i int) error {
	for {
		i = skipSpace(line, i)
		switch line[i] {
		case '}':
			return nil
		case ',':
			i++
			continue
		}
		key := line[i:stringEnd(line, i)]
		i = skipSpace(line, i+len(key)) + len(":")
		i = skipSpace(line, i)
		end := valueEnd(line, i)
		if err := setMember(t, key, value{kindOf(line[i]), line[i:end]}); err != nil {
			return err
		}
		i = end
	}
}

func setMember(t *table, key []byte, v value) error {
	name := key[1 : len(key)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		s, err := unquote(key)
		if err != nil {
			return badRow("key " + string(key) + ": " + err.Error())
		}
		name = []byte(s)
	}
	c := t.column(name)
	switch {
	case c == nil && t.keepAll:
		return badRow(errKeepAll.Error())
	case c == nil:
		return nil
	case c.row == t.row:
		return badRow(fmt.Sprintf("key %q appears twice", name))
	}
	t.set(c, v)
	return nil
}

// kindOf tells a JSON value by its first byte.
func kindOf(b byte) kind {
	switch b {
	case '"':
		return jsonString
	case 't', 'f':
		return jsonBool
	case 'n':
		return jsonNull
	case '[':
		return jsonArray
	case '{':
		return jsonObject
	}
	return jsonNumber
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && bytes.IndexByte([]byte(jsonSpace), b[i]) >= 0 {
		i++
	}
	return i
}

// stringEnd returns the offset after the string that begins at b[i].
func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd returns the offset after the value that begins at b[i].
func valueEnd(b []byte, i int) int {
	switch kindOf(b[i]) {
	case jsonString:
		return stringEnd(b, i)
	case jsonArray, jsonObject:
		return nestedEnd(b, i)
	}
	for !bytes.ContainsRune([]byte(",}"+jsonSpace), rune(b[i])) {
		i++
	}
	return i
}

// nestedEnd returns the offset after the array or object that begins at b[i].
func nestedEnd(b []byte, i int) int {
	for depth := 0; ; i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i) - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// unquote decodes a valid JSON string.
func unquote(quoted []byte) (string, error) {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	if half := loneSurrogate(inner); half != "" {
		return "", errors.New("half of a surrogate pair: " + half)
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err
}

// loneSurrogate returns the first \uD800-\uDFFF escape in the inside of a valid
// JSON string that has no partner, "" if none.
func loneSurrogate(s []byte) string {
	for i := 0; i < len(s); i++ {
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
func hex4(b []byte) rune {
	n, _ := strconv.ParseUint(string(b[:4]), 16, 16) // checked by encoding/json
	return rune(n)
}
