package dataset

import (
	"fmt"
	"strings"
	"testing"
)

var topicOnly = Options{Heads: []string{"topic"}}

// TestJSONLRow checks what one line gives.
func TestJSONLRow(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		// Texts.
		{`{"text":"a b","topic":"x"}`, `1: "a b" [x]`},
		{`{"text":" a \n","topic":" x "}`, `1: " a \n" [x]`},
		{`{"text":"a\rb","topic":"x"}`, `1: "a\rb" [x]`},
		{"{\"text\":\"a\\rb\"}\r", `1: "a\rb" []`},
		{`{"text":"a\u0000b"}`, `1: "a\x00b" []`},
		{`{"text":"\ud83d\ude00 \u00e9 \"q\" \\ud800"}`, `1: "😀 é \"q\" \\ud800" []`},
		{` { "te\u0078t" : "a" , "topic" : "x" } `, `1: "a" [x]`},
		{`{"text":"a","other":{"a":[1,"}",{"\"":"]"}]},"topic":"x"}`, `1: "a" [x]`},

		// Text errors.
		{`{"text":3}`, `bad: in.jsonl:1: text: want a string, got number`},
		{`{"text":true}`, `bad: in.jsonl:1: text: want a string, got boolean`},
		{`{"text":null}`, `bad: in.jsonl:1: text: want a string, got null`},
		{`{"text":["a"]}`, `bad: in.jsonl:1: text: want a string, got array`},
		{`{"text":{"a":1}}`, `bad: in.jsonl:1: text: want a string, got object`},
		{`{"text":"a\ud800"}`, `bad: in.jsonl:1: text: half of a surrogate pair: \ud800`},
		{`{"text":"\udc00\ud800"}`, `bad: in.jsonl:1: text: half of a surrogate pair: \udc00`},
		{`{"text":"\ud800\ud800\udc00"}`, `bad: in.jsonl:1: text: half of a surrogate pair: \ud800`},
		{`{"text":"\ud800\\udc00"}`, `bad: in.jsonl:1: text: half of a surrogate pair: \ud800`},

		// Id, group, target.
		{`{"text":"a","id":" i ","group":"g","target":"t"}`, `1: "a" id=i group=g target=t []`},
		{`{"text":"a","id":1e2,"group":-0,"target":1.50}`, `1: "a" id=1e2 group=-0 target=1.50 []`},
		{`{"text":"a","id":null}`, `1: "a" []`},
		{`{"text":"a","id":true}`, `bad: in.jsonl:1: id: want a string or a number, got boolean`},
		{`{"text":"a","group":[]}`, `bad: in.jsonl:1: group: want a string or a number, got array`},
		{`{"text":"a","target":{}}`, `bad: in.jsonl:1: target: want a string or a number, got object`},
		{`{"text":"a","id":"\udc00"}`, `bad: in.jsonl:1: id: half of a surrogate pair: \udc00`},

		// Labels.
		{`{"text":"a"}`, `1: "a" []`},
		{`{"text":"a","topic":null}`, `1: "a" []`},
		{`{"text":"a","topic":""}`, `1: "a" []`},
		{`{"text":"a","topic":" \t "}`, `1: "a" []`},
		{`{"text":"a","topic":1.0}`, `1: "a" [1.0]`},
		{`{"text":"a","topic":false}`, `1: "a" [false]`},
		{`{"text":"a","topic":["x"]}`, `bad: in.jsonl:1: topic: want a string, a number or a boolean, got array`},
		{`{"text":"a","topic":{"x":1}}`, `bad: in.jsonl:1: topic: want a string, a number or a boolean, got object`},
		{`{"text":"a","topic":"x\ny"}`, `bad: in.jsonl:1: topic: label "x\ny" has a control character`},
		{`{"text":"a","topic":"x\u0085y"}`, `bad: in.jsonl:1: topic: label "x\u0085y" has a control character`},
		{`{"text":"a","topic":"` + strings.Repeat("x", 256) + `"}`, `1: "a" [` + strings.Repeat("x", 256) + `]`},
		{`{"text":"a","topic":"` + strings.Repeat("x", 257) + `"}`, `bad: in.jsonl:1: topic: label of 257 bytes, the limit is 256`},
		{`{"text":"a","topic":"\ud800"}`, `bad: in.jsonl:1: topic: half of a surrogate pair: \ud800`},

		// Broken rows.
		{`{"text":"a"`, `bad: in.jsonl:1: broken JSON at byte 11: unexpected end of JSON input`},
		{`{"text":"a",}`, `bad: in.jsonl:1: broken JSON at byte 13: invalid character '}' looking for beginning of object key string`},
		{`{"text":"a"} x`, `bad: in.jsonl:1: broken JSON at byte 14: invalid character 'x' after top-level value`},
		{`{"text":"a"}{"text":"b"}`, `bad: in.jsonl:1: broken JSON at byte 13: invalid character '{' after top-level value`},
		{`17`, `bad: in.jsonl:1: want a JSON object, got number`},
		{`"text"`, `bad: in.jsonl:1: want a JSON object, got string`},
		{`null`, `bad: in.jsonl:1: want a JSON object, got null`},
		{`{"text":"a","text":"b"}`, `bad: in.jsonl:1: key "text" appears twice`},
		{`{"x":1,"text":"a","\u0078":2}`, `bad: in.jsonl:1: key "x" appears twice`},
		{`{"text":"a","\ud800":2}`, `bad: in.jsonl:1: key "\ud800": half of a surrogate pair: \ud800`},
		{"{\"text\":\"a\x00\"}", `bad: in.jsonl:1: NUL byte at byte 11`},
		{"{\"text\":\"\u00e9\xff\"}", `bad: in.jsonl:1: invalid UTF-8 at byte 12; if the file is Windows-1252, say --encoding windows-1252`},
		{"{\"text\":\"\xed\xa0\x80\"}", `bad: in.jsonl:1: invalid UTF-8 at byte 10; if the file is Windows-1252, say --encoding windows-1252`},
		{`{"text":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + "}", `bad: in.jsonl:1: broken JSON at byte 10008: invalid character '[' exceeded max depth`},
	} {
		compare(t, dump(text("in.jsonl", test.line), topicOnly), []string{test.want})
		compare(t, dump(text("in.jsonl", test.line+"\n"), topicOnly), []string{test.want})
	}
}

// TestJSONLFile checks lines against each other.
func TestJSONLFile(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"blank lines count", "\n{\"text\":\"a\"}\r\n \t\n\r\n{\"text\":\"b\"}", []string{`2: "a" []`, `5: "b" []`}},
		{"rows that are erased", "\x18\"text\":\"a\"}\n                \n{\"text\":\"b\"}\n\x18          }\n{\"text\":\"c\"}", []string{`3: "b" []`, `5: "c" []`}},
		{"byte order mark", "\ufeff{\"text\":\"a\"}\n", []string{`1: "a" []`}},
		{"byte order marks before nothing", "\ufeff\n{\"text\":\"a\"}\n\ufeff \n", []string{`2: "a" []`}},
		{"bad rows do not stop", "{\n{\"text\":\"a\"}\n[]\n{\"text\":\"b\"}\n", []string{
			`bad: in.jsonl:1: broken JSON at byte 1: unexpected end of JSON input`, `2: "a" []`,
			`bad: in.jsonl:3: want a JSON object, got array`, `4: "b" []`}},
		{"text missing in some rows", "{\"topic\":\"x\"}\n{\"text\":\"a\"}\n{}\n", []string{
			`bad: in.jsonl:1: text: missing`, `2: "a" []`, `bad: in.jsonl:3: text: missing`}},
		{"array file", " \n [\n{\"text\":\"a\"}\n]\n", []string{
			`final: in.jsonl: the file begins with a JSON array: want one object a line`}},
		{"no rows", "\n \n", []string{`final: in.jsonl: no rows`}},
		{"empty", "", []string{`final: in.jsonl: no rows`}},
		{"only a mark", "\ufeff", []string{`final: in.jsonl: no rows`}},
		{"no text at all", "{\"a\":1}\nx\n{\"body\":\"b\",\"a\":2}\n", []string{
			`final: in.jsonl: no text column "text"; the columns are "a", "body"`}},
		{"nothing but broken rows", "x\ny\n", []string{
			`bad: in.jsonl:1: broken JSON at byte 1: invalid character 'x' looking for beginning of value`,
			`bad: in.jsonl:2: broken JSON at byte 1: invalid character 'y' looking for beginning of value`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			compare(t, dump(text("in.jsonl", test.data), Options{Heads: []string{"no such"}}), test.want)
		})
	}
}

// TestNoTextIsDecidedEarly: reading ends after 100 rows, with one error.
func TestNoTextIsDecidedEarly(t *testing.T) {
	rows := strings.Repeat("{\"body\":\"b\"}\n", 99)
	want := []string{`final: in.jsonl: no text column "text"; the columns are "body"`}
	compare(t, dump(text("in.jsonl", rows), Options{}), want)
	compare(t, dump(text("in.jsonl", rows+"{}\n{\"text\":\"late\"}\n"), Options{}), want)
	got := dump(text("in.jsonl", rows+"{\"text\":\"in time\"}\n"), Options{NoLabels: true})
	if len(got) != 100 || got[0] != "bad: in.jsonl:1: text: missing" || got[99] != `100: "in time"` {
		t.Errorf("got %d rows, first %s, last %s", len(got), got[0], got[len(got)-1])
	}
}

func TestJSONLRowTooLong(t *testing.T) {
	long := fmt.Sprintf(`{"text":"%s"}`, strings.Repeat("x", 200_000))
	data := "{\"text\":\"a\"}\n" + long + "\n{\"text\":\"b\"}\n" + long
	got := dump(text("in.jsonl", data), Options{NoLabels: true, MaxRowBytes: 1024})
	compare(t, got, []string{
		`1: "a"`, `bad: in.jsonl:2: row longer than the limit of 1 KiB`,
		`3: "b"`, `bad: in.jsonl:4: row longer than the limit of 1 KiB`})
}

// TestRowLimitIsExact: the line break is not counted.
func TestRowLimitIsExact(t *testing.T) {
	line := `{"text":"abc"}`
	for _, eol := range []string{"", "\n", "\r\n"} {
		opts := Options{NoLabels: true, MaxRowBytes: len(line)}
		compare(t, dump(text("in.jsonl", line+eol), opts), []string{`1: "abc"`})
		opts.MaxRowBytes--
		compare(t, dump(text("in.jsonl", line+eol), opts), []string{`bad: in.jsonl:1: row longer than the limit of 13 bytes`})
	}
}

// TestManyKeys: wanted columns are found behind more keys than are remembered.
func TestManyKeys(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"text":"a"`)
	for i := range 3 * maxColumns {
		fmt.Fprintf(&b, `,"k%d":1`, i)
	}
	b.WriteString(`,"topic":"x"}`)
	long := strings.Repeat("k", maxName+1)
	fmt.Fprintf(&b, "\n{\"text\":\"a\",\"%s\":\"y\"}", long)
	compare(t, dump(text("in.jsonl", b.String()), topicOnly), []string{`1: "a" [x]`, `2: "a" []`})
	compare(t, dump(text("in.jsonl", b.String()), Options{Heads: []string{long}}), []string{`1: "a" []`, `2: "a" [y]`})
}
