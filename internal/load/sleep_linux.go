package load

import (
	"syscall"
	"time"
)

// fineSleep sleeps by the kernel's timer, which is some 100 us late where the
// runtime's waits for whole milliseconds. It may return early.
func fineSleep(d time.Duration) {
	left := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&left, nil) // the runtime's signals cut it short
}
