package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Source is something with a name that rows can be read from. It can be read
// more than once unless it was made by Reader.
type Source struct {
	name string
	open func() (io.ReadCloser, error)

	stream *stream // nil when it can be opened again
	line   int     // number of the first line of a Part; 0 for a whole file
}

// Name returns the name that errors and examples carry.
func (s Source) Name() string { return s.name }

// Reader returns a source that reads r, once, under the given name.
func Reader(name string, r io.Reader) Source {
	s := &stream{r: r}
	return Source{name: name, open: s.open, stream: s}
}

// Files turns paths into sources. "-" is stdin. A directory stands for its data
// files (names ending in .jsonl, .ndjson, .csv, .tsv or .tab, and perhaps .gz
// or .zst, or in .parquet) and those of its sub-folders, sorted by name; hidden files and
// folders are left out, and a directory without data files is an error. A path
// that names a file is taken whatever its ending, and so are those that match a
// pattern such as "data/**/*.txt": see glob.
func Files(paths []string, stdin io.Reader) ([]Source, error) {
	var srcs []Source
	for i, p := range paths {
		if p == "-" {
			switch {
			case stdin == nil:
				return nil, errors.New("-: there is no standard input")
			case slices.Contains(paths[:i], p):
				return nil, errors.New("-: standard input is given twice")
			}
			srcs = append(srcs, Reader(p, stdin))
			continue
		}
		expand := expand
		if isGlob(p) {
			expand = glob
		}
		found, err := expand(p)
		if err != nil {
			return nil, err
		}
		srcs = append(srcs, found...)
	}
	return srcs, nil
}

// FS returns the data files of fsys, chosen and sorted as Files does for a
// directory.
func FS(fsys fs.FS) ([]Source, error) {
	names, err := dataFiles(fsys, ".")
	if err != nil {
		return nil, err
	}
	var srcs []Source
	for _, name := range names {
		srcs = append(srcs, Source{name: name, open: func() (io.ReadCloser, error) { return fsys.Open(name) }})
	}
	return srcs, nil
}

// expand returns the sources that one path stands for.
func expand(name string) ([]Source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	if !info.IsDir() {
		return []Source{file(name)}, nil
	}
	names, err := dataFiles(os.DirFS(name), name)
	if err != nil {
		return nil, err
	}
	var srcs []Source
	for _, n := range names {
		srcs = append(srcs, file(filepath.Join(name, filepath.FromSlash(n))))
	}
	return srcs, nil
}

func file(name string) Source {
	return Source{name: name, open: func() (io.ReadCloser, error) { return os.Open(name) }}
}

// dataFiles returns the data files below the root of fsys, which errors call
// root. A link to a file counts as a file (mounted configuration is made of
// such links), a link to a folder is not followed: it could lead back up.
func dataFiles(fsys fs.FS, root string) ([]string, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fileError(path.Join(root, name), err)
		}
		hidden := name != "." && strings.HasPrefix(d.Name(), ".")
		switch {
		case d.IsDir() && hidden:
			return fs.SkipDir
		case d.IsDir() || hidden || formatOf(name) == FormatAuto:
			return nil
		}
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return fileError(path.Join(root, name), err)
		}
		if info.Mode().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("%s: no data files (.jsonl, .ndjson, .csv, .tsv or .tab, also with .gz or .zst, or .parquet)", root)
	}
	return names, err
}

// isText reports whether a file's name promises plain text.
func isText(name string) bool {
	ext := path.Ext(bareName(name))
	return ext == ".txt" || ext == ".text"
}

// bareName returns a name in lower case, without the ending of a compression.
func bareName(name string) string {
	name = strings.ToLower(name)
	for _, ext := range []string{".gz", ".zst"} {
		if base, ok := strings.CutSuffix(name, ext); ok {
			return base
		}
	}
	return name
}

// formatOf returns the format that a file's name promises, FormatAuto if none.
func formatOf(name string) Format {
	switch path.Ext(bareName(name)) {
	case ".jsonl", ".ndjson":
		return FormatJSONL
	case ".csv":
		return FormatCSV
	case ".tsv", ".tab":
		return FormatTSV
	case ".parquet":
		return FormatParquet
	}
	return FormatAuto
}
