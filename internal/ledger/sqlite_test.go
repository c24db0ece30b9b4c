package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var onFiles = backend{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "labels with space?.db") }}

func TestSQLite(t *testing.T) { runSuite(t, onFiles) }

// What is forgotten is in none of the ledger's files.
func TestForgettingErasesTheBytes(t *testing.T) {
	dir := t.TempDir()
	l := openAt(t, filepath.Join(dir, "labels.db"))
	for i := range 200 {
		must(t, l, NewLabel{Text: "unspeakable words", ID: "name of it", Group: "group of it", Target: "target of it", Head: "topic", Label: string(rune('a' + i%2)), Annotator: "ann"})
	}
	if !inFiles(t, dir, "unspeakable") {
		t.Fatal("the text is in no file")
	}
	if _, err := l.Forget(t.Context(), "r", []TextRef{{Text: "unspeakable words"}}, "asked to"); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"unspeakable", "name of it", "group of it", "target of it"} {
		if inFiles(t, dir, s) {
			t.Errorf("%q is still in a file", s)
		}
	}
}

func inFiles(t *testing.T, dir, s string) bool {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(s)) {
			return true
		}
	}
	return false
}

func TestFilesThatAreNoLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	before := bytes.Repeat([]byte("not a database "), 100)
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrNotLedger) {
		t.Errorf("a text file: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`CREATE TABLE songs (name TEXT)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before, err = os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), other); !errors.Is(err, ErrNotLedger) {
		t.Errorf("another program's database: %v", err)
	}
	if after, err := os.ReadFile(other); err != nil || !bytes.Equal(before, after) {
		t.Errorf("another program's database was changed: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "no", "such", "folder.db")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no folder: %v", err)
	}
	for _, url := range []string{"", "mysql://x"} {
		if _, err := Open(t.Context(), url); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// Another process that writes for long is an error, not a hang, and then writing
// goes on.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "labels.db")
	holder := openAt(t, path)
	l, err := open(t.Context(), path, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tx, err := holder.db.Begin() // immediate: it has the lock
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Add(t.Context(), "", []NewLabel{label("a", "topic", "x", "ann")}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
	if _, err := l.Resolve(t.Context(), 0); err != nil {
		t.Errorf("reading beside a writer: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	must(t, l, label("a", "topic", "x", "ann"))
}

// A text's events are found by its number, however many others there are.
func TestTextsAreFoundByTheirIndex(t *testing.T) {
	l := openAt(t, filepath.Join(t.TempDir(), "labels.db"))
	var plan string
	var ignored any
	err := l.db.QueryRow(`EXPLAIN QUERY PLAN `+strings.Replace(eventsOfTexts, "%s", "1, 2, 3", 1)).Scan(&ignored, &ignored, &ignored, &plan)
	if err != nil || !strings.Contains(plan, "INDEX events_text (text_id=?)") {
		t.Errorf("got %q, %v", plan, err)
	}
}

func TestNewerLedgersAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "labels.db")
	l := openAt(t, path)
	if _, err := l.db.Exec(`INSERT INTO ` + versions + ` (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}
