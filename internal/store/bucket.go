package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/memblob" // mem://
	_ "gocloud.dev/blob/s3blob"  // s3://
	"gocloud.dev/gcerrors"
)

// A bucket holds the store's objects. It reads through gocloud.dev/blob, and
// writes through it except in a directory, where that library would leave what it
// wrote to the operating system's buffers.
type bucket struct {
	blobs *blob.Bucket
	dir   *directory // nil unless the store is one
	name  string     // for messages
	seen  atomic.Bool
}

func openBucket(ctx context.Context, url string) (*bucket, error) {
	scheme, rest, isURL := strings.Cut(url, "://")
	switch {
	case url == "":
		return nil, fmt.Errorf("%w: no store is named", ErrInvalid)
	case !isURL:
		return openDirectory(url)
	case scheme == "file":
		return openFileURL(url)
	case scheme == "gs" && !withGCS:
		return nil, fmt.Errorf("%w: %s: this program was built without Google Cloud Storage: build it with -tags gcs", ErrInvalid, scheme)
	case scheme != "s3" && scheme != "gs" && scheme != "mem":
		return nil, fmt.Errorf("%w: store %s://: want a directory, s3:// or gs://", ErrInvalid, scheme)
	}
	rest, _, _ = strings.Cut(rest, "?")
	name := scheme + "://" + rest
	blobs, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrInvalid, err)
	}
	return &bucket{blobs: blobs, name: name}, nil
}

func openDirectory(path string) (*bucket, error) {
	dir, err := newDirectory(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrUnavailable, err)
	}
	blobs, err := fileblob.OpenBucket(dir.root, &fileblob.Options{Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrUnavailable, err)
	}
	return &bucket{blobs: blobs, dir: dir, name: path}, nil
}

// get reads an object of at most limit bytes at once.
func (b *bucket) get(ctx context.Context, key string, limit int64) ([]byte, error) {
	r, err := b.blobs.NewReader(ctx, key, nil)
	if err != nil {
		return nil, b.failed(ctx, key, err)
	}
	defer r.Close()
	if r.Size() > limit {
		return nil, fmt.Errorf("%s: %s: %w: %d bytes, the limit is %d", b.name, key, ErrCorrupt, r.Size(), limit)
	}
	data := make([]byte, r.Size())
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, b.failed(ctx, key, err)
	}
	if key == markerKey {
		b.seen.Store(true)
	}
	return data, nil
}

// put writes an object, in place of one that is there.
func (b *bucket) put(ctx context.Context, key string, data []byte) error {
	if b.dir == nil {
		return b.failed(ctx, key, b.blobs.WriteAll(ctx, key, data, nil))
	}
	return b.failed(ctx, key, b.dir.put(ctx, key, data))
}

// create writes an object only if there is none, else it is errExists. When it
// fails otherwise, the object may have been written.
func (b *bucket) create(ctx context.Context, key string, data []byte) error {
	var err error
	if b.dir != nil {
		err = b.dir.create(ctx, key, data)
	} else {
		err = b.blobs.WriteAll(ctx, key, data, &blob.WriterOptions{IfNotExist: true})
		if gcerrors.Code(err) == gcerrors.FailedPrecondition {
			err = errExists
		}
	}
	if errors.Is(err, errExists) {
		return errExists
	}
	return b.failed(ctx, key, err)
}

// remove removes an object, if it is there.
func (b *bucket) remove(ctx context.Context, key string) error {
	var err error
	if b.dir != nil {
		err = b.dir.remove(key)
	} else if err = b.blobs.Delete(ctx, key); gcerrors.Code(err) == gcerrors.NotFound {
		err = nil
	}
	return b.failed(ctx, key, err)
}

// An object is one that was listed.
type object struct {
	name     string // what follows the prefix
	bytes    int64
	modified time.Time
}

// list lists the objects below prefix, ascending, or with a delimiter the names
// up to it; at most limit of them, unless that is 0.
func (b *bucket) list(ctx context.Context, prefix, delimiter string, limit int) ([]object, error) {
	size := 1000
	if limit > 0 {
		size = min(size, limit)
	}
	var list []object
	for token := blob.FirstPageToken; len(token) > 0; {
		page, next, err := b.blobs.ListPage(ctx, token, size, &blob.ListOptions{Prefix: prefix, Delimiter: delimiter})
		if err != nil {
			return nil, b.failed(ctx, prefix, err)
		}
		for _, o := range page {
			list = append(list, object{strings.TrimPrefix(o.Key, prefix), o.Size, o.ModTime})
		}
		if limit > 0 && len(list) >= limit {
			return list[:limit], nil
		}
		token = next
	}
	if len(list) == 0 {
		return nil, b.vanished(ctx)
	}
	return list, nil
}

// failed says what err of the object at key means.
func (b *bucket) failed(ctx context.Context, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", b.name, ctx.Err())
	case gcerrors.Code(err) != gcerrors.NotFound || key == markerKey && b.seen.Load():
		return fmt.Errorf("%s: %w: %w", b.name, ErrUnavailable, err)
	}
	if err := b.vanished(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%s: %s: %w", b.name, key, ErrNotFound)
}

// vanished returns an error when the store was there and is no longer: a
// directory that is not mounted looks like an empty one.
func (b *bucket) vanished(ctx context.Context) error {
	if !b.seen.Load() {
		return nil
	}
	_, err := b.get(ctx, markerKey, maxJSON)
	return err
}
