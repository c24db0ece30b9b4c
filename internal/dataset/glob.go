package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// isGlob reports whether a path is a pattern of names: it has a character that
// means something there, and no file or folder is called so.
func isGlob(name string) bool {
	if !strings.ContainsAny(name, `*?[{`) {
		return false
	}
	_, err := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// glob returns the files that a pattern matches, sorted by name, whatever their
// endings: "*" is any part of a name, "**" any folders. As in folders, hidden
// files need a pattern that spells the dot, and links to folders are not
// followed.
func glob(pattern string) ([]Source, error) {
	names, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly(), doublestar.WithNoFollow(), doublestar.WithNoHidden(), doublestar.WithFailOnIOErrors())
	if err != nil {
		return nil, fileError(pattern, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no file has such a name", pattern)
	}
	slices.Sort(names)
	var srcs []Source
	for _, name := range slices.Compact(names) {
		srcs = append(srcs, file(filepath.Clean(name)))
	}
	return srcs, nil
}
