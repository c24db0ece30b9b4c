//go:build unix

package annotate

import (
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// watchSignals restores the terminal before a signal ends the process that nobody
// else takes care of, and tells of new sizes. SIGKILL cannot be caught.
func watchSignals(t *terminal) (stop func()) {
	fatal := make(chan os.Signal, 1)
	signal.Notify(fatal, unix.SIGHUP, unix.SIGQUIT, unix.SIGABRT)
	signal.Notify(t.resized, unix.SIGWINCH)
	done := make(chan struct{})
	go func() {
		select {
		case sig := <-fatal:
			t.restore() // the process ends: there is nobody to tell
			signal.Reset(sig)
			unix.Kill(unix.Getpid(), sig.(unix.Signal))
		case <-done:
		}
	}()
	return func() {
		signal.Stop(fatal)
		signal.Stop(t.resized)
		close(done)
	}
}

// stopsWithin is longer than a process takes to stop.
const stopsWithin = time.Second / 2

// suspend stops the process as Ctrl-Z does elsewhere.
func (t *terminal) suspend() error {
	if err := t.restore(); err != nil {
		return err
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, unix.SIGCONT)
	defer signal.Stop(continued)
	err := unix.Kill(0, unix.SIGTSTP) // the whole job, as the terminal does
	select {
	case <-continued:
	case <-time.After(stopsWithin): // without a shell nothing stops
	}
	return errors.Join(err, t.enter())
}
