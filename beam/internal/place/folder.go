package place

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// A Folder holds output. Names in it may have slashes.
type Folder interface {
	// Create begins a file, which is there once Commit has returned.
	Create(ctx context.Context, name string) (Writer, error)
	// Open reads a file; it is fs.ErrNotExist when there is none.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Size is that of a file in bytes; it is fs.ErrNotExist when there is none.
	Size(ctx context.Context, name string) (int64, error)
	// Names are those of the files that begin with prefix, ascending, but for those
	// in folders beyond it.
	Names(ctx context.Context, prefix string) ([]string, error)
	// Rename moves a file, in place of one that is there.
	Rename(ctx context.Context, from, to string) error
	// Remove removes a file, if it is there.
	Remove(ctx context.Context, name string) error
	// Sync makes what was renamed and removed outlast a crash of the machine.
	Sync() error
	String() string
}

// A Writer writes a file.
type Writer interface {
	io.Writer
	Commit() error // makes it durable, and so that others see it
	Abort() error  // drops what was written
}

// OpenFolder opens a folder, which need not be there.
func OpenFolder(ctx context.Context, url string) (Folder, error) {
	a, remote, err := parse(url)
	if err != nil {
		return nil, err
	}
	if !remote {
		return disk(url), nil
	}
	bucket, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	if a.key != "" && !strings.HasSuffix(a.key, "/") {
		a.key += "/"
	}
	return objects{a, bucket}, nil
}

// Absolute is the folder's URL from any working directory.
func Absolute(url string) (string, error) {
	if _, remote, err := parse(url); remote || err != nil {
		return url, err
	}
	return filepath.Abs(url)
}

// A disk is a folder on disk.
type disk string

func (d disk) String() string          { return string(d) }
func (d disk) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

func (d disk) Create(_ context.Context, name string) (Writer, error) {
	if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o777); err != nil {
		return nil, err
	}
	f, err := os.Create(d.path(name))
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

type diskFile struct{ *os.File }

func (f diskFile) Commit() error { return errors.Join(f.Sync(), f.Close()) }
func (f diskFile) Abort() error  { return errors.Join(f.Close(), os.Remove(f.Name())) }

func (d disk) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(d.path(name))
}

func (d disk) Size(_ context.Context, name string) (int64, error) {
	info, err := os.Stat(d.path(name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d disk) Names(_ context.Context, prefix string) ([]string, error) {
	folder, start := path.Split(prefix)
	entries, err := os.ReadDir(d.path(folder)) // ascending
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasPrefix(e.Name(), start) {
			names = append(names, folder+e.Name())
		}
	}
	return names, nil
}

func (d disk) Rename(_ context.Context, from, to string) error {
	return os.Rename(d.path(from), d.path(to))
}

// Remove removes a file, and the folders that are empty then.
func (d disk) Remove(_ context.Context, name string) error {
	if err := os.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for folder := filepath.Dir(filepath.FromSlash(name)); folder != "."; folder = filepath.Dir(folder) {
		if os.Remove(filepath.Join(string(d), folder)) != nil {
			break
		}
	}
	return nil
}

func (d disk) Sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) { // some file systems do not sync folders
		err = nil
	}
	return errors.Join(err, f.Close())
}

// An objects is a folder in a bucket, whose key ends in a slash.
type objects struct {
	address
	bucket *blob.Bucket
}

func (o objects) String() string { return o.name + "/" + o.key }

func (o objects) Create(ctx context.Context, name string) (Writer, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := o.bucket.NewWriter(ctx, o.key+name, nil)
	if err != nil {
		cancel()
		return nil, o.failed(name, err)
	}
	return &object{Writer: w, cancel: cancel}, nil
}

// An object becomes visible, whole, when its writer is closed.
type object struct {
	*blob.Writer
	cancel context.CancelFunc
}

func (o *object) Commit() error {
	defer o.cancel()
	return o.Close()
}

func (o *object) Abort() error {
	o.cancel()
	o.Close() // reports the cancellation
	return nil
}

func (o objects) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := o.bucket.NewReader(ctx, o.key+name, nil)
	if err != nil {
		return nil, o.failed(name, err)
	}
	return r, nil
}

func (o objects) Size(ctx context.Context, name string) (int64, error) {
	info, err := o.bucket.Attributes(ctx, o.key+name)
	if err != nil {
		return 0, o.failed(name, err)
	}
	return info.Size, nil
}

func (o objects) Names(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	list := o.bucket.List(&blob.ListOptions{Prefix: o.key + prefix, Delimiter: "/"})
	for {
		found, err := list.Next(ctx)
		if err == io.EOF {
			slices.Sort(names)
			return names, nil
		}
		if err != nil {
			return nil, o.failed(prefix, err)
		}
		if !found.IsDir {
			names = append(names, strings.TrimPrefix(found.Key, o.key))
		}
	}
}

// Rename copies within the bucket, which its servers do.
func (o objects) Rename(ctx context.Context, from, to string) error {
	if err := o.bucket.Copy(ctx, o.key+to, o.key+from, nil); err != nil {
		return o.failed(from, err)
	}
	return o.Remove(ctx, from)
}

func (o objects) Remove(ctx context.Context, name string) error {
	if err := o.bucket.Delete(ctx, o.key+name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return o.failed(name, err)
	}
	return nil
}

func (o objects) Sync() error { return nil }

func (o objects) failed(name string, err error) error {
	a := o.address
	a.key += name
	if gcerrors.Code(err) == gcerrors.Unknown {
		return fmt.Errorf("%s/%s: %w", a.name, a.key, err)
	}
	return a.error(err)
}

// Parent is the folder of a file.
func Parent(url string) (string, error) {
	folder, _, err := split(url)
	return folder, err
}

// Replace writes a file that appears whole, in place of one that is there.
func Replace(ctx context.Context, url string, b []byte) error {
	folder, name, err := split(url)
	if err != nil {
		return err
	}
	return ReplaceIn(ctx, folder, name, b)
}

// ReplaceIn does so for a file of a folder.
func ReplaceIn(ctx context.Context, url, name string, b []byte) error {
	folder, err := OpenFolder(ctx, url)
	if err != nil {
		return err
	}
	temp := "." + name + "." + rand.Text()
	w, err := folder.Create(ctx, temp)
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return errors.Join(err, w.Abort())
	}
	if err := w.Commit(); err != nil {
		return err
	}
	if err := folder.Rename(ctx, temp, name); err != nil {
		return errors.Join(err, folder.Remove(ctx, temp))
	}
	return folder.Sync()
}

// split takes the name of a file off its URL.
func split(url string) (folder, name string, err error) {
	a, remote, err := parse(url)
	if err != nil {
		return "", "", err
	}
	if !remote {
		return filepath.Dir(url), filepath.Base(url), nil
	}
	base, parameters, has := strings.Cut(url, "?")
	folder, name = base[:strings.LastIndexByte(base, '/')], path.Base(a.key)
	if has {
		folder += "?" + parameters
	}
	return folder, name, nil
}
