package predictionlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A file is the newest file of a log, PATH; older ones are PATH.1, the newest of
// them, to PATH.N.
type file struct {
	path     string
	maxBytes int64
	keep     int // older files
	f        *os.File
	size     int64
	shared   bool // Forget may erase rows of it
}

// mode: texts are for nobody but the one who runs the server.
const mode = 0o600

func openFile(path string, maxBytes int64, keep int) (*file, error) {
	l := &file{path: path, maxBytes: maxBytes, keep: keep}
	return l, l.open()
}

// open opens the newest file, and goes on where it ends.
func (l *file) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, mode)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&^mode != 0 {
		err = f.Chmod(mode) // it may be from before
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.f, l.size, l.shared = f, info.Size(), info.Mode().IsRegular()
	return nil
}

// write appends whole lines, to a new file when this one would become too large.
// Of lines that cannot be written, nothing stays.
func (l *file) write(lines []byte) error {
	if l.f == nil { // the last rotation failed half-way
		if err := l.open(); err != nil {
			return err
		}
	}
	if l.size > 0 && l.size+int64(len(lines)) > l.maxBytes {
		if err := l.rotate(); err != nil {
			return fmt.Errorf("rotate: %w", err)
		}
	}
	if l.shared { // without the lock, a text may be erased and logged at the same time
		_ = lock(context.Background(), l.f)
		defer unlock(l.f)
	}
	n, err := l.f.Write(lines)
	if err != nil && n > 0 {
		if cut := l.f.Truncate(l.size); cut == nil {
			n = 0
		}
	}
	l.size += int64(n)
	return err
}

// rotate renames PATH to PATH.1, PATH.1 to PATH.2 and so on, over the oldest.
func (l *file) rotate() error {
	err := l.f.Close()
	l.f = nil
	for i := l.keep; i > 0 && err == nil; i-- {
		if err = os.Rename(l.name(i-1), l.name(i)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if l.keep == 0 && err == nil {
		err = os.Remove(l.path)
	}
	return errors.Join(err, l.open())
}

func (l *file) name(i int) string {
	if i == 0 {
		return l.path
	}
	return fmt.Sprintf("%s.%d", l.path, i)
}

// close makes what was written durable.
func (l *file) close() error {
	if l.f == nil {
		return nil
	}
	err := l.f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || !l.regular() {
		err = nil // a pipe or device
	}
	return errors.Join(err, l.f.Close())
}

func (l *file) regular() bool {
	info, err := l.f.Stat()
	return err == nil && info.Mode().IsRegular()
}
