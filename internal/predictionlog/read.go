package predictionlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// An OpenFile is a file of a log, as it was when it was opened: whole lines, in the
// order in which they were written.
type OpenFile struct {
	io.Reader
	Name string // when it was opened: a server may have renamed it since
	f    *os.File
	info fs.FileInfo
}

// Close closes the file.
func (o *OpenFile) Close() error { return o.f.Close() }

// mostMissing is after how many numbers without a file the log ends. While a file
// moves, one is missing.
const mostMissing = 3

// OpenFiles opens the log at path and its older files, the oldest first. A server
// may write the log, rotate it and erase rows of it meanwhile: every row that was
// there when OpenFiles was called, and is not older than the log keeps, is read once.
// It is an error if there is no file.
func OpenFiles(path string) (list []*OpenFile, err error) {
	defer func() {
		if err != nil {
			for _, o := range list {
				err = errors.Join(err, o.Close())
			}
			list, err = nil, fmt.Errorf("prediction log: %w", err)
		}
	}()
	listed, err := files(path)
	if err != nil {
		return nil, err
	}
	add := func(name string) (there bool, err error) {
		o, there, err := openWhole(name, list)
		if o != nil {
			list = append(list, o)
		}
		return there, err
	}
	// A file only ever moves from one number to the next, so who asks for one number
	// after the other meets them all. A listing of the folder may lack those that are
	// moving.
	older := file{path: path}
	for i, missing := 0, 0; missing < mostMissing; i++ {
		there, err := add(older.name(i))
		if err != nil {
			return list, err
		}
		if missing++; there {
			missing = 0
		}
	}
	for _, name := range listed { // beyond numbers that somebody removed
		if _, err := add(name); err != nil {
			return list, err
		}
	}
	if len(list) == 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	slices.Reverse(list)
	return list, nil
}

// openWhole opens a file and tells whether there is one. A file that is among those
// that are open gives nil.
func openWhole(name string, open []*OpenFile) (o *OpenFile, there bool, err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, true, fmt.Errorf("%s is no regular file", name) // to open a pipe would wait for its other end
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, true, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, true, errors.Join(err, f.Close())
	}
	if slices.ContainsFunc(open, func(o *OpenFile) bool { return os.SameFile(info, o.info) }) {
		return nil, true, f.Close()
	}
	size, err := wholeLines(f, info.Size())
	if err != nil {
		return nil, true, errors.Join(err, f.Close())
	}
	return &OpenFile{io.NewSectionReader(f, 0, size), name, f, info}, true, nil
}

// wholeLines is the size of a file without a line at its end that is being written.
func wholeLines(f *os.File, size int64) (int64, error) {
	const step = 64 << 10
	for end := size; end > 0; end = max(0, end-step) {
		b := make([]byte, min(step, end))
		if _, err := f.ReadAt(b, end-int64(len(b))); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if at := bytes.LastIndexByte(b, '\n'); at >= 0 {
			return end - int64(len(b)-at-1), nil
		}
	}
	return 0, nil
}
