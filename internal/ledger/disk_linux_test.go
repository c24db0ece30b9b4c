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

// A full disk is an error; nothing half-written is left, and with room again the
// ledger goes on.
func TestFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "small")
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
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, "size=100m"); err != nil {
		t.Fatal(err)
	}
	must(t, l, label("with room again", "topic", "x", "ann"))
	equal(t, "rows", len(resolved(t, l, 0).Rows), done+1)
}
