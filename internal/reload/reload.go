// Package reload holds values that are made from small files, such as
// certificates and keys, and makes them anew when the files change.
package reload

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// MaxFileBytes is the largest file that is read.
const MaxFileBytes = 1 << 20

// A Value is made from files. It is safe for any number of goroutines.
type Value[T any] struct {
	files   []string
	parse   func(contents [][]byte) (T, error)
	current atomic.Pointer[T]

	mu   sync.Mutex // held while the files are read
	seen [sha256.Size]byte
}

// New reads the files and makes the value.
func New[T any](parse func(contents [][]byte) (T, error), files ...string) (*Value[T], error) {
	v := &Value[T]{files: files, parse: parse}
	if _, err := v.Check(); err != nil {
		return nil, err
	}
	return v, nil
}

// Get returns the value made last.
func (v *Value[T]) Get() T { return *v.current.Load() }

// Files returns the names of the files.
func (v *Value[T]) Files() []string { return v.files }

// Check reads the files and reports whether they made a new value. When they
// cannot be read or make none, the old value stays. The error of the same
// contents is returned once: the next call with them returns false and nil.
func (v *Value[T]) Check() (changed bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	contents, seen, err := v.read()
	if seen == v.seen {
		return false, nil
	}
	v.seen = seen
	if err != nil {
		return false, err
	}
	value, err := v.parse(contents)
	if err != nil {
		return false, err
	}
	v.current.Store(&value)
	return true, nil
}

// read returns what is in the files, and a hash of that or of the error.
func (v *Value[T]) read() (contents [][]byte, seen [sha256.Size]byte, err error) {
	h := sha256.New()
	for _, name := range v.files {
		b, failed := readFile(name)
		if failed != nil {
			err = errors.Join(err, failed)
			fmt.Fprintf(h, "error %v\n", failed)
		}
		fmt.Fprintf(h, "%d\n%s\n", len(b), b)
		contents = append(contents, b)
	}
	return contents, [sha256.Size]byte(h.Sum(nil)), err
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err == nil && len(b) > MaxFileBytes {
		return nil, fmt.Errorf("%s: the file has more than %d bytes, the limit", name, MaxFileBytes)
	}
	return b, err
}
