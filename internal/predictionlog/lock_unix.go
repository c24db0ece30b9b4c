//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package predictionlog

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lock waits until nobody else has the lock of a file: the writer holds it while it
// writes, Forget while it erases. It ends with the file or the process.
func lock(ctx context.Context, f *os.File) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// unlock gives the lock back.
func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
