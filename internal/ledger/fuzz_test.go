package ledger

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
)

// FuzzImport: whatever is imported, the ledger is whole or as it was, and what it
// took it exports again.
func FuzzImport(f *testing.F) {
	l, err := Open(f.Context(), filepath.Join(f.TempDir(), "labels.db"))
	if err != nil {
		f.Fatal(err)
	}
	if _, err := l.Add(f.Context(), "", []NewLabel{{Text: "a", ID: "1", Group: "g", Target: "t", Head: "topic", Label: "x", Annotator: "ann"}, label("b", "topic", "x", "ann")}); err != nil {
		f.Fatal(err)
	}
	if _, err := l.Enqueue(f.Context(), []QueueItem{{Text: "q", Heads: []string{"topic"}}}); err != nil {
		f.Fatal(err)
	}
	if _, err := l.Forget(f.Context(), "", []TextRef{{Text: "b"}}, "r"); err != nil {
		f.Fatal(err)
	}
	var seed bytes.Buffer
	if err := errors.Join(l.Export(f.Context(), &seed), l.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(seed.Bytes())
	f.Add([]byte(`{"format":"parley ledger","version":1,"id":"00000000000000000000000000000000","salt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","position":0}` + "\n" + `{"end":{"lines":0}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "labels.db")
		l := freshAt(t, path)
		defer l.Close()
		done, err := l.Import(t.Context(), bytes.NewReader(data))
		at, posErr := l.Position(t.Context())
		if posErr != nil {
			t.Fatal(posErr)
		}
		if err != nil {
			known := errors.Is(err, ErrFormat) || errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrTooLarge)
			if !known || at != 0 {
				t.Fatalf("position %d after %v", at, err)
			}
			return
		}
		if at != done.Position {
			t.Fatalf("position %d, told %d", at, done.Position)
		}
		var out bytes.Buffer
		if err := l.Export(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Resolve(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		again, err := l.Import(t.Context(), bytes.NewReader(out.Bytes()))
		if err != nil || again.Events != 0 {
			t.Fatalf("its own export: %v, %v", again, err)
		}
	})
}

// freshAt returns an empty ledger: one that is there is emptied, which is faster
// than making another.
func freshAt(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{`DROP TRIGGER IF EXISTS events_delete`, `DELETE FROM events`, `DELETE FROM texts`, `DELETE FROM ids`, `DELETE FROM groups`,
		`DELETE FROM targets`, `DELETE FROM queued`, `DELETE FROM tombstones`, `DELETE FROM requests`} {
		if _, err := l.db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	return l
}
