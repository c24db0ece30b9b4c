package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// A directory holds objects as files, which are on the disk before they appear,
// whole. gocloud.dev's own takes less care: it does not sync what it writes,
// and leaves out of a listing what it could not read.
type directory struct {
	root   string
	synced sync.Map // of the folders that are known to be on the disk
}

// temporary is where files are written until they are whole.
const temporary = ".tmp"

func openDirectory(path string) (*bucket, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrInvalid, err)
	}
	d := &directory{root: root}
	if err := d.makeDirs(root); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrUnavailable, err)
	}
	return &bucket{objects: d, name: path}, nil
}

// openFileURL opens the directory of a URL such as file:///var/lib/models.
func openFileURL(raw string) (*bucket, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host != "" && u.Host != "localhost" || u.Path == "" || u.RawQuery != "" {
		return nil, fmt.Errorf("%w: %s: want file:///PATH", ErrInvalid, raw)
	}
	return openDirectory(filepath.FromSlash(u.Path))
}

func (d *directory) path(key string) string { return filepath.Join(d.root, filepath.FromSlash(key)) }

func (d *directory) reach(context.Context) error {
	_, err := os.ReadDir(d.root)
	return err
}

func (d *directory) close() error { return nil }

func (d *directory) get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f, err := os.Open(d.path(key))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, tooLarge(info.Size(), limit)
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

func (d *directory) list(ctx context.Context, prefix string, limit int) ([]object, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	folder, start := path.Split(prefix)
	entries, err := os.ReadDir(d.path(folder)) // ascending
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var list []object
	for _, e := range entries {
		name, found := strings.CutPrefix(e.Name(), start)
		if !found || limit > 0 && len(list) == limit {
			continue
		}
		info, err := e.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile
			continue
		case err != nil:
			return nil, err
		case e.IsDir():
			name += "/"
		}
		list = append(list, object{name, info.Size(), info.ModTime()})
	}
	return list, nil
}

// put writes a file in place of one that may be there.
func (d *directory) put(ctx context.Context, key string, data []byte) error {
	return d.write(ctx, key, data, os.Rename)
}

// create writes a file, unless one is there: errExists.
func (d *directory) create(ctx context.Context, key string, data []byte) error {
	err := d.write(ctx, key, data, os.Link)
	if errors.Is(err, fs.ErrExist) {
		return errExists
	}
	return err
}

// write writes and syncs a temporary file, gives it its name with place, and
// syncs the folder.
func (d *directory) write(ctx context.Context, key string, data []byte, place func(from, to string) error) error {
	if _, err := os.Stat(d.root); err != nil {
		return err // rather than make a folder where a disk should be
	}
	target, temp := d.path(key), d.path(temporary+"/"+rand.Text())
	if err := errors.Join(d.makeDirs(filepath.Dir(target)), d.makeDirs(filepath.Dir(temp))); err != nil {
		return err
	}
	err := writeSynced(temp, data)
	if err == nil {
		err = ctx.Err() // the last moment at which nothing has happened
	}
	if err == nil {
		err = place(temp, target)
	}
	if e := os.Remove(temp); err == nil && !errors.Is(e, fs.ErrNotExist) {
		err = e
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(target))
}

// remove removes a file, if it is there.
func (d *directory) remove(ctx context.Context, key string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := os.Remove(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(d.path(key)))
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// makeDirs makes a folder and those above it, and has them on the disk: also one
// that another process may have made just now.
func (d *directory) makeDirs(path string) error {
	if _, done := d.synced.Load(path); done && isDir(path) {
		return nil
	}
	parent := filepath.Dir(path)
	above := !strings.HasPrefix(path, d.root+string(filepath.Separator))
	if above && isDir(path) {
		return nil // was there before the store
	}
	if parent != path {
		if err := d.makeDirs(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o777); err != nil && !isDir(path) {
		return err
	}
	if err := syncDir(parent); err != nil {
		return err
	}
	d.synced.Store(path, true)
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
