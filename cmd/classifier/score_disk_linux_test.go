package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of so many bytes, where that is allowed, and
// returns a file on it and what makes it larger.
func smallDisk(t *testing.T, folder string, bytes int) (file string, grow func()) {
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", folder, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(folder, "out.jsonl"), func() {
		if err := syscall.Mount("none", folder, "tmpfs", syscall.MS_REMOUNT, "size=1g"); err != nil {
			t.Fatal(err)
		}
	}
}
