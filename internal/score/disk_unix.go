//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package score

import (
	"errors"
	"os"
	"syscall"
)

// lock fails when another process holds the lock of f. Closing f gives it back,
// and so does the end of the process, whatever ends it.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// syncDir waits until the names in a folder are on the disk.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
