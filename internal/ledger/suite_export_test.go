package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

func testExport(t *testing.T, b backend) {
	l := b.open(t)
	must(t, l, NewLabel{Text: "a <b> \u2028", ID: "1", Group: "g", Target: "t", Head: "topic", Label: "x", Annotator: "ann", Selection: Random, SelectionProbability: 0.1},
		label("gone", "topic", "x", "ann"), label("b", "topic", "y", "bob"))
	if _, err := l.Record(t.Context(), "retrain", json.RawMessage(`{ "a": "<1>" }`)); err != nil {
		t.Fatal(err)
	}
	copied := b.open(t)
	carry := func() Imported {
		t.Helper()
		var data bytes.Buffer
		if err := l.Export(t.Context(), &data); err != nil {
			t.Fatal(err)
		}
		done, err := copied.Import(t.Context(), bytes.NewReader(data.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := copied.Export(t.Context(), &again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data.Bytes(), again.Bytes()) {
			t.Errorf("the copy is another:\n%s\n%s", data.Bytes(), again.Bytes())
		}
		equal(t, "id", copied.ID(), l.ID())
		equal(t, "resolution", resolved(t, copied, 0), resolved(t, l, 0))
		return done
	}
	equal(t, "first", carry(), Imported{4, 4})
	equal(t, "nothing new", carry(), Imported{0, 4})
	must(t, l, NewLabel{Text: "a <b> \u2028", ID: "2", Target: "u", Head: "topic", Label: "x", Annotator: "cec"}, label("c", "topic", "x", "cec"))
	if _, err := l.Forget(t.Context(), "", []TextRef{{Text: "gone"}}, "asked to"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Enqueue(t.Context(), []QueueItem{{Text: "q", Heads: []string{"topic"}}}); err != nil {
		t.Fatal(err)
	}
	equal(t, "more", carry(), Imported{4, 8})
	if found, err := copied.Find(t.Context(), TextRef{Text: "gone"}); err != nil || len(found) != 0 {
		t.Errorf("a forgotten text is in the copy: %v, %v", found, err)
	}
	testBadImports(t, b, l)
}

func testBadImports(t *testing.T, b backend, l *Ledger) {
	var data bytes.Buffer
	if err := l.Export(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data.Bytes(), []byte("\n"))
	cut := bytes.Join(lines[:len(lines)-2], nil)
	for what, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":        {nil, ErrFormat},
		"another file":   {[]byte(`{"text":"a","topic":"b"}`), ErrFormat},
		"cut off":        {cut, ErrFormat},
		"half a line":    {data.Bytes()[:data.Len()-20], ErrFormat},
		"a newer one":    {bytes.Replace(data.Bytes(), []byte(`"version":1`), []byte(`"version":2`), 1), ErrFormat},
		"a line twice":   {bytes.Join([][]byte{lines[0], lines[1], bytes.Join(lines[1:], nil)}, nil), ErrConflict},
		"events missing": {bytes.Join([][]byte{bytes.Join(lines[:len(lines)-4], nil), lines[len(lines)-2]}, nil), ErrFormat},
	} {
		other := b.open(t)
		if _, err := other.Import(t.Context(), bytes.NewReader(c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", what, err, c.want)
		}
		if n, err := other.Position(t.Context()); n != 0 || err != nil {
			t.Errorf("%s: position %d, %v", what, n, err)
		}
	}
	other := b.open(t)
	must(t, other, label("own", "topic", "x", "ann"))
	if _, err := other.Import(t.Context(), bytes.NewReader(data.Bytes())); !errors.Is(err, ErrConflict) {
		t.Errorf("into another ledger: %v", err)
	}
}
