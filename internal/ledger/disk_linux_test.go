package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// On a disk that may only be read, a ledger cannot be opened, and is not changed.
func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t)
	path := filepath.Join(dir, "labels.db")
	l, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	must(t, l, label("a", "topic", "x", "ann"))
	if err := l.Close(); err != nil { // a file that is open keeps the disk writable
		t.Fatal(err)
	}
	remount(t, dir, syscall.MS_RDONLY, "")
	for _, name := range []string{"labels.db", "new.db"} {
		if _, err := Open(t.Context(), filepath.Join(dir, name)); !errors.Is(err, ErrUnavailable) {
			t.Errorf("opening %s: got %v, want ErrUnavailable", name, err)
		}
	}
	remount(t, dir, 0, "size=2m")
	l = openAt(t, path)
	must(t, l, label("b", "topic", "x", "ann"))
	equal(t, "rows", len(resolved(t, l, 0).Rows), 2)
}

func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|flags, options); err != nil {
		t.Fatal(err)
	}
}

// A full disk is an error; nothing half-written is left, and with room again the
// ledger goes on.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	l := openAt(t, filepath.Join(dir, "labels.db")) // closed before the unmount
	done := 0
	var full error
	for n := 0; full == nil && n < 1000; n++ {
		var labels []NewLabel
		for i := range 10 {
			labels = append(labels, label(fmt.Sprintf("%d-%d %s", n, i, strings.Repeat("a", 2000)), "topic", "x", "ann"))
		}
		if _, full = l.Add(t.Context(), fmt.Sprint(n), labels); full == nil {
			done += len(labels)
		}
	}
	if !errors.Is(full, ErrUnavailable) || !strings.Contains(full.Error(), "full") {
		t.Fatalf("after %d labels: got %v, want that the disk is full", done, full)
	}
	equal(t, "rows", len(resolved(t, l, 0).Rows), done)
	remount(t, dir, 0, "size=100m")
	must(t, l, label("with room again", "topic", "x", "ann"))
	equal(t, "rows", len(resolved(t, l, 0).Rows), done+1)
}
