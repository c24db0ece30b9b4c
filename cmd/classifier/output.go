package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// writeOutput calls write with a file that appears at path only when write
// succeeds, in place of one that was there, whose permissions it takes over. What is there and no plain file (a
// device, a pipe) is written to; a link stays, and what it points to is
// replaced.
func writeOutput(path string, write func(io.Writer) error) error {
	return writeWith(path, write, renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
}

// writePrivate is writeOutput for what nobody else may read.
func writePrivate(path string, write func(io.Writer) error) error {
	return writeWith(path, write, renameio.WithPermissions(0o600))
}

func writeWith(path string, write func(io.Writer) error, permissions ...renameio.Option) error {
	target, special, err := resolveOutput(path)
	if err != nil {
		return err
	}
	if special {
		return writeSpecial(target, write)
	}
	f, err := renameio.NewPendingFile(target, permissions...)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Cleanup())
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), f.Cleanup())
	}
	return nil
}

// samePath reports whether two names are those of one file, which need not be there.
func samePath(a, b string) bool {
	if a == "" || b == "" || a == "-" || b == "-" {
		return false
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB) && infoA.Mode().IsRegular()
	}
	absoluteA, errA := filepath.Abs(a)
	absoluteB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absoluteA == absoluteB
}

// resolveOutput follows links, and tells whether something other than a plain
// file is there.
func resolveOutput(path string) (target string, special bool, err error) {
	target, err = filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, false, nil
	}
	if err != nil {
		return "", false, err
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", false, err
	}
	if info.IsDir() {
		return "", false, fmt.Errorf("%s is a folder: name a file", path)
	}
	return target, !info.Mode().IsRegular(), nil
}

func writeSpecial(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// checkOutput refuses a path that could not be written, before the work is
// done.
func checkOutput(path string) error {
	target, special, err := resolveOutput(path)
	if err != nil || special {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".classifier-*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, errors.Unwrap(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
