package place

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/parley-nlp/parley/internal/dataset"
)

// A File is one that can be read, more than once and from any byte on.
type File struct {
	Name  string // as rows and errors call it
	URL   string // what opens it: Name, and the parameters of its bucket
	Bytes int64  // as it is stored
}

// Files finds files. A path on disk means what it means to dataset.Files: a
// file, a folder or a pattern. In a bucket, a key that ends in / or is empty
// stands for the data files below it, and one with *, ?, [ or { is a pattern.
func Files(ctx context.Context, names []string) ([]File, error) {
	var list []File
	for _, name := range names {
		a, remote, err := parse(name)
		if err != nil {
			return nil, err
		}
		find := func() ([]File, error) { return onDisk(name) }
		if remote {
			find = func() ([]File, error) { return a.files(ctx) }
		}
		found, err := find()
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

func onDisk(name string) ([]File, error) {
	if name == "-" {
		return nil, errors.New("-: standard input cannot be read by workers: want files")
	}
	sources, err := dataset.Files([]string{name}, nil)
	if err != nil {
		return nil, err
	}
	var list []File
	for _, s := range sources {
		info, err := os.Stat(s.Name())
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: want a file: it is read more than once", s.Name())
		}
		list = append(list, File{s.Name(), s.Name(), info.Size()})
	}
	return list, nil
}

// files lists what an address stands for.
func (a address) files(ctx context.Context) ([]File, error) {
	bucket, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	if pattern := strings.ContainsAny(a.key, `*?[{`); !pattern && a.key != "" && !strings.HasSuffix(a.key, "/") {
		info, err := bucket.Attributes(ctx, a.key)
		if err != nil {
			return nil, a.error(err)
		}
		return []File{a.file(a.key, info.Size)}, nil
	}
	return a.list(ctx, bucket)
}

// list lists the files of a folder or pattern, by name.
func (a address) list(ctx context.Context, bucket *blob.Bucket) ([]File, error) {
	folder, wanted := a.key, isData
	if at := strings.IndexAny(a.key, `*?[{`); at >= 0 {
		if !doublestar.ValidatePattern(a.key) {
			return nil, fmt.Errorf("%s/%s: broken pattern", a.name, a.key)
		}
		folder = a.key[:at]
		wanted = func(key string) bool { return doublestar.MatchUnvalidated(a.key, key) }
	}
	var list []File
	objects := bucket.List(&blob.ListOptions{Prefix: folder})
	for {
		o, err := objects.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, a.error(err)
		}
		if !o.IsDir && wanted(o.Key) {
			list = append(list, a.file(o.Key, o.Size))
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s/%s: there is no such file", a.name, a.key)
	}
	slices.SortFunc(list, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	return list, nil
}

// isData reports whether a key of a folder is that of a data file, none hidden.
func isData(key string) bool {
	base := strings.ToLower(path.Base(key))
	for _, packed := range []string{".gz", ".zst"} {
		base = strings.TrimSuffix(base, packed)
	}
	known := []string{".jsonl", ".ndjson", ".csv", ".tsv", ".tab", ".parquet"}
	hidden := strings.HasPrefix(key, ".") || strings.Contains(key, "/.")
	return !hidden && slices.Contains(known, path.Ext(base))
}

func (a address) file(key string, size int64) File {
	_, parameters, has := strings.Cut(a.bucket, "?")
	f := File{a.name + "/" + key, a.name + "/" + key, size}
	if has {
		f.URL += "?" + parameters
	}
	return f
}

// error names the address, and says of the commonest errors what they are.
func (a address) error(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		err = fs.ErrNotExist
	case gcerrors.PermissionDenied:
		err = fs.ErrPermission
	}
	return fmt.Errorf("%s/%s: %w", a.name, a.key, err)
}

// Open opens a file for reading from byte from on.
func Open(ctx context.Context, url string, from int64) (io.ReadCloser, error) {
	a, remote, err := parse(url)
	if err != nil {
		return nil, err
	}
	if !remote {
		return openFile(url, from)
	}
	bucket, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	r, err := bucket.NewRangeReader(ctx, a.key, from, -1, nil)
	if err != nil {
		return nil, a.error(err)
	}
	return r, nil
}

func openFile(name string, from int64) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil || from == 0 {
		return f, err
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
