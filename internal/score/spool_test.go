package score

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
)

// Rows that were written are read as they were.
func TestSpoolsAreReadBack(t *testing.T) {
	l := Layout{Heads: []HeadLayout{{Name: "topic"}, {Name: "stance"}}, Evidence: true}
	examples := exampleRows()
	want := encode(t, mustEncoder(t, JSONL, l), append(answers(t, 50), examples[0], examples[2])...)
	var rows []Row
	for r, err := range spooled(bytes.NewReader([]byte(want)), l) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if got := encode(t, mustEncoder(t, JSONL, l), rows...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// No spool makes a writer fail otherwise than by an error, and a row that is read
// can be written.
func FuzzSpool(f *testing.F) {
	for _, r := range exampleRows() {
		b, err := mustEncoder(f, JSONL, exampleLayout).Append(nil, &r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"id":"1","columns":{"n":1e400,"":null,"n":-0,"x":"\ud800"},"input":{"tokens":99999999999}}` + "\n"))
	f.Add([]byte(`{"predictions":{"topic":{"probability":-1e-9,"scores":null,"label_set":[]}},"columns":[1]}` + "\n"))
	f.Fuzz(func(t *testing.T, spool []byte) {
		for r, err := range spooled(bytes.NewReader(spool), exampleLayout) {
			if err != nil {
				break
			}
			b, err := mustEncoder(t, JSONL, exampleLayout).Append(nil, &r)
			if err != nil || !json.Valid(b) {
				t.Fatalf("%+v: error %v, got %s", r, err, b)
			}
			if b, err := mustEncoder(t, CSV, exampleLayout).Append(nil, &r); err != nil || len(b) == 0 {
				t.Fatalf("%+v: error %v", r, err)
			}
		}
		_ = WriteParquet(io.Discard, bytes.NewReader(spool), exampleLayout)
		_ = WriteTable(io.Discard, bytes.NewReader(spool), exampleLayout, TableStyle{Width: 80})
	})
}
