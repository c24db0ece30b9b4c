//go:build !windows

package store

import (
	"errors"
	"os"
)

// syncDir waits until the names in a folder are on the disk.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
