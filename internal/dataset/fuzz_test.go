package dataset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

const fuzzLimit = 4 << 10

// readChecked reads data and checks what holds for all rows of any input.
func readChecked(t *testing.T, data []byte, opts Options) ([]Example, []*RowError, error) {
	t.Helper()
	opts.MaxRowBytes = fuzzLimit
	r, err := open(Reader("in", bytes.NewReader(data)), opts)
	if err != nil {
		return nil, nil, err
	}
	var good []Example
	var bad []*RowError
	var final error
	last := 0
	for ex, err := range r.rows {
		line := ex.Line
		if re, ok := err.(*RowError); ok {
			line = re.Line
			bad = append(bad, re)
		} else if err != nil {
			final = err
			break
		} else {
			good = append(good, ex)
		}
		if lines := bytes.Count(data, []byte("\n")) + 1; line <= last || r.in.kind == "" && line > lines {
			t.Fatalf("row on line %d after one on line %d, of %d lines", line, last, lines)
		}
		last = line
		checkExample(t, ex)
	}
	if size := cap(r.in.buf); size > fuzzLimit+128<<10 {
		t.Fatalf("buffer of %d bytes", size)
	}
	return good, bad, final
}

func checkExample(t *testing.T, ex Example) {
	t.Helper()
	for _, s := range append([]string{ex.Text, ex.ID, ex.Group, ex.Target}, ex.Labels...) {
		if !utf8.ValidString(s) || len(s) > fuzzLimit {
			t.Fatalf("line %d: %d bytes %.100q", ex.Line, len(s), s)
		}
	}
}

// sameAgain reads what was written from rows and wants those rows. A row may
// have become longer than the limit: doubled quotes, escapes.
func sameAgain(t *testing.T, rows []Example, written []byte, opts Options) {
	t.Helper()
	var got []Example
	for ex, err := range Rows(Reader("in", bytes.NewReader(written)), opts) {
		if err != nil {
			t.Fatalf("%v in what was written: %q", err, written)
		}
		got = append(got, ex)
	}
	if len(got) != len(rows) {
		t.Fatalf("%d rows from %d written: %q", len(got), len(rows), written)
	}
	for i := range got {
		got[i].Line, rows[i].Line = 0, 0
		if g, w := show(got[i]), show(rows[i]); g != w {
			t.Fatalf("got %s, wrote %s", g, w)
		}
	}
}

func FuzzJSONL(f *testing.F) {
	opts := Options{Format: FormatJSONL}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, _, _ := readChecked(t, data, opts)
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		for _, ex := range rows {
			if err := enc.Encode(map[string]string{"text": ex.Text, "id": ex.ID, "group": ex.Group,
				"target": ex.Target, "topic": ex.Labels[0], "stance": ex.Labels[1]}); err != nil {
				t.Fatal(err)
			}
		}
		if len(rows) > 0 {
			sameAgain(t, rows, b.Bytes(), opts)
		}
	})
}

// FuzzCSV reads data as a file and, with a header before it, next to
// encoding/csv.
func FuzzCSV(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte, semicolon bool) {
		comma := ","
		if semicolon {
			comma = ";"
		}
		opts := Options{Format: FormatCSV, NoLabels: true}
		readChecked(t, data, opts)
		header := "text" + comma + "id\n"
		file := append([]byte(header), data...)
		rows, bad, final := readChecked(t, file, opts)
		likeEncodingCSV(t, file, rune(comma[0]), rows, bad, final)

		var b bytes.Buffer
		b.WriteString(header)
		w := csv.NewWriter(&b)
		w.Comma = rune(comma[0])
		for _, ex := range rows {
			w.Write([]string{ex.Text, ex.ID})
		}
		w.Flush()
		if len(rows) > 0 {
			sameAgain(t, rows, b.Bytes(), opts)
		}
	})
}

// likeEncodingCSV wants the rows of encoding/csv where that finds no fault,
// except that it turns "\r\n" in a text into "\n".
func likeEncodingCSV(t *testing.T, file []byte, comma rune, rows []Example, bad []*RowError, final error) {
	t.Helper()
	if !utf8.Valid(file) || bytes.IndexByte(file, 0) >= 0 || len(file) > fuzzLimit {
		return
	}
	std := csv.NewReader(bytes.NewReader(file))
	std.Comma = comma
	want, err := std.ReadAll()
	switch {
	case err != nil && len(bad) == 0:
		t.Fatalf("no bad row, encoding/csv says %v", err)
	case err != nil:
		return
	case len(bad) > 0 || final != nil && len(want) > 1 || len(rows) != len(want)-1:
		t.Fatalf("%d rows, errors %v and %v, encoding/csv has %q", len(rows), bad, final, want)
	}
	for i, ex := range rows {
		if got := strings.ReplaceAll(ex.Text, "\r\n", "\n"); got != want[i+1][0] {
			t.Fatalf("got %q, encoding/csv has %q", got, want[i+1][0])
		}
	}
}

func FuzzTSV(f *testing.F) {
	opts := Options{Format: FormatTSV, Heads: []string{"topic"}}
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	f.Fuzz(func(t *testing.T, data []byte) {
		readChecked(t, data, opts)
		const header = "text\ttopic\n"
		rows, _, _ := readChecked(t, append([]byte(header), data...), opts)
		b := bytes.NewBufferString(header)
		for _, ex := range rows {
			if strings.Contains(ex.Text, "\t") && strings.Contains(ex.Text, "\n") {
				t.Fatalf("a tab and a line break in %q", ex.Text)
			}
			b.WriteString(quote(ex.Text) + "\t" + quote(ex.Labels[0]) + "\n")
		}
		if len(rows) > 0 {
			sameAgain(t, rows, b.Bytes(), opts)
		}
	})
}
