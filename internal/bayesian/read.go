package bayesian

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// ErrFormat: the bytes are not a file of the library, or it is damaged, or it
// exceeds a limit. It is wrapped with what is wrong.
var ErrFormat = errors.New("not a readable model file of bayesian")

// Limits of what is read. Reading takes up to about 2 times the bytes of a
// file, and 24 bytes for each word of each class.
const (
	MaxFileBytes  = 1 << 30 // of all files of a model together
	MaxClasses    = 1 << 16
	MaxWords      = 1 << 25 // of all classes together; twice if it has term frequencies
	MaxClassBytes = 1 << 10 // of the name of a class
	MaxWordBytes  = 1 << 16
)

// limits are what may still be read.
type limits struct {
	fileBytes                   int64
	classes, words              int
	maxClassBytes, maxWordBytes int
}

func defaultLimits() *limits {
	return &limits{MaxFileBytes, MaxClasses, MaxWords, MaxClassBytes, MaxWordBytes}
}

// Read reads a model from one file, as WriteToFile makes it. Bytes after it are
// ignored, as the library leaves some when it writes a file again. The error is
// ErrFormat or that of r.
func Read(r io.Reader) (*Classifier, error) { return read(r, defaultLimits()) }

func read(r io.Reader, l *limits) (*Classifier, error) {
	d, err := open(r, l)
	if err != nil {
		return nil, err
	}
	f := d.model()
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, d.err)
	}
	return f.classifier()
}

// ReadClass reads one class from its file, as WriteClassToFile makes it: the
// library calls the file by the name of the class. Otherwise it is like Read.
func ReadClass(name string, r io.Reader) (*Class, error) { return readClass(name, r, defaultLimits()) }

func readClass(name string, r io.Reader, l *limits) (*Class, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	d, err := open(r, l)
	if err != nil {
		return nil, err
	}
	class := d.class(name, d.fieldsOf(d.root, classFields, modelFields))
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, d.err)
	}
	return class, nil
}

// ReadClasses reads a model from a folder of one file a class, as
// WriteClassesToFile makes it. The classes are in ascending order. The folder
// must hold nothing else.
func ReadClasses(fsys fs.FS) (*Classifier, error) { return readClasses(fsys, defaultLimits()) }

func readClasses(fsys fs.FS, l *limits) (*Classifier, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	if len(entries) > l.classes {
		return nil, fmt.Errorf("%w: %d files: want at most %d classes", ErrFormat, len(entries), l.classes)
	}
	var classes []*Class
	for _, entry := range entries {
		class, err := readClassFile(fsys, entry.Name(), l)
		if err != nil {
			return nil, err
		}
		classes = append(classes, class)
	}
	return New(classes...)
}

// readClassFile refuses all but regular files: a pipe would wait for ever.
func readClassFile(fsys fs.FS, name string, l *limits) (*Class, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %q is not a regular file: want a folder of one file a class", ErrFormat, name)
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	class, err := readClass(name, file, l)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", name, err)
	}
	return class, nil
}

// open reads the whole of r and finds the value.
func open(r io.Reader, l *limits) (*decoder, error) {
	var b strings.Builder
	n, err := io.Copy(&b, io.LimitReader(r, l.fileBytes+1))
	if err != nil {
		return nil, err
	}
	if n > l.fileBytes {
		return nil, fmt.Errorf("%w: more than the %d bytes that may be read", ErrFormat, l.fileBytes)
	}
	l.fileBytes -= n
	file := stream{rest: b.String()}
	defined, root, value := file.firstValue()
	if value.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, value.err)
	}
	return &decoder{value, defined, root, l}, nil
}
