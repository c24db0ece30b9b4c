package predictionlog_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/predictionlog"
)

// rowsOf reads a log and returns the texts of its rows.
func rowsOf(t *testing.T, path string) (texts []string) {
	t.Helper()
	list, err := predictionlog.OpenFiles(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		for s := bufio.NewScanner(f); s.Scan(); {
			var row struct{ Text string }
			if err := json.Unmarshal(s.Bytes(), &row); err != nil {
				t.Fatalf("%s: %q: %v", f.Name, s.Text(), err)
			}
			texts = append(texts, row.Text)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	return texts
}

// TestOpenFilesWhileRotating: a log that is written and rotated all the time gives
// every row that was written before once, and in order, unless it has left the log.
func TestOpenFilesWhileRotating(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	l, err := predictionlog.Open(predictionlog.Config{Path: path, Share: 1, MaxBytes: 2000, Keep: 400})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	const rows = 3000
	go func() {
		defer close(done)
		for i := range rows {
			l.Add(row(i))
			for i%20 == 0 && l.Counts().Written.Load() <= int64(i) { // it is dropped when the queue is full
				time.Sleep(100 * time.Microsecond)
			}
		}
	}()
	reads := 0
	for open := true; open; reads++ {
		select {
		case <-done:
			open = false
		default:
		}
		written := int(l.Counts().Written.Load())
		if written == 0 {
			continue
		}
		texts := rowsOf(t, path)
		sorted := slices.Clone(texts)
		slices.Sort(sorted)
		if again := slices.Compact(sorted); len(again) != len(texts) || len(texts) < written {
			t.Fatalf("%d rows, %d different, %d were written", len(texts), len(again), written)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(rowsOf(t, path)); got != rows || reads < 3 {
		t.Errorf("%d rows in the end: want %d; %d reads", got, rows, reads)
	}
}

func row(i int) *predictionlog.Row {
	return &predictionlog.Row{ID: fmt.Sprint(i), Text: fmt.Sprintf("text %06d", i)}
}

// TestOpenFilesLeavesOutBrokenEnd: what is being written at the end is no row yet,
// however long it is.
func TestOpenFilesLeavesOutBrokenEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	for _, end := range []int{0, 10, 64 << 10, 200_001} {
		for want, begin := range []string{"", "{}\n", "{}\n{}\n"} {
			if err := os.WriteFile(path, append([]byte(begin), make([]byte, end)...), 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := predictionlog.OpenFiles(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(list[0])
			if err != nil || len(got) != 3*want {
				t.Errorf("%d rows and %d bytes: %d bytes, %v", want, end, len(got), err)
			}
			if err := list[0].Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestOpenFilesErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := predictionlog.OpenFiles(filepath.Join(dir, "nosuch")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := predictionlog.OpenFiles(dir); err == nil {
		t.Error("a folder: no error")
	}
}
