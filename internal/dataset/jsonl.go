package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// jsonl reads one JSON object a line. The walk over the object is our own,
// because encoding/json silently keeps the last of two equal keys and replaces
// half a surrogate pair.
type jsonl struct {
	in      *input
	started bool // something other than white space has been seen
}

// erasing is the sign CANCEL. A line that begins with it is a row of a prediction log
// that is being erased, or was when whoever did it was interrupted.
const erasing = 0x18

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
		line, begins := bytes.TrimPrefix(j.in.data()[:end], []byte(mark)), j.in.line // files were joined
		j.in.consume(end)
		trimmed := bytes.TrimLeft(line, jsonSpace)
		if len(trimmed) == 0 || trimmed[0] == erasing {
			continue
		}
		if !j.started && trimmed[0] == '[' {
			return errors.New("the file begins with a JSON array: want one object a line")
		}
		j.started = true
		t.begin(begins)
		line = trimEOL(line)
		if msg := j.in.badBytes(line); msg != "" {
			return badRow(msg)
		}
		return parseObject(t, line)
	}
}

// parseObject sets the columns of t from one line.
func parseObject(t *table, line []byte) error {
	if !isJSON(line) {
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
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
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
