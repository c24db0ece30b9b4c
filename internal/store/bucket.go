package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"time"
)

// An objects holds objects by key: a directory, or a bucket of
// gocloud.dev/blob. What is not there is fs.ErrNotExist.
type objects interface {
	// get reads an object whole; more than limit bytes are ErrCorrupt.
	get(ctx context.Context, key string, limit int64) ([]byte, error)
	// put writes an object, in place of one that is there.
	put(ctx context.Context, key string, data []byte) error
	// create writes an object only if there is none, else it is errExists. When
	// it fails otherwise, the object may have been written.
	create(ctx context.Context, key string, data []byte) error
	// remove removes an object, if it is there.
	remove(ctx context.Context, key string) error
	// list lists what is directly below prefix, ascending by name; at most limit
	// of it, unless that is 0.
	list(ctx context.Context, prefix string, limit int) ([]object, error)
	// reach returns an error unless the place is there, though it may be empty.
	reach(ctx context.Context) error
	close() error
}

// An object is one that was listed.
type object struct {
	name     string // what follows the prefix; a folder's ends in "/"
	bytes    int64
	modified time.Time
}

// tooLarge is the error of an object beyond the limit.
func tooLarge(size, limit int64) error {
	return fmt.Errorf("%w: %d bytes, the limit is %d", ErrCorrupt, size, limit)
}

// A bucket says what errors of objects mean, and tells an empty store from one
// that has vanished.
type bucket struct {
	objects
	name string // for messages
	// seen is set once the store's marker was read or written.
	seen atomic.Bool
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
		return nil, fmt.Errorf("%w: gs://: this program was built without Google Cloud Storage: build it with -tags gcs", ErrInvalid)
	case scheme != "s3" && scheme != "gs" && scheme != "mem":
		return nil, fmt.Errorf("%w: store %s://: want a directory, s3:// or gs://", ErrInvalid, scheme)
	}
	rest, _, _ = strings.Cut(rest, "?")
	return openBlobs(ctx, scheme+"://"+rest, url)
}

func (b *bucket) get(ctx context.Context, key string, limit int64) ([]byte, error) {
	data, err := b.objects.get(ctx, key, limit)
	if err != nil {
		return nil, b.unread(ctx, key, err)
	}
	if key == markerKey {
		b.seen.Store(true)
	}
	return data, nil
}

func (b *bucket) put(ctx context.Context, key string, data []byte) error {
	return b.failed(ctx, b.objects.put(ctx, key, data))
}

func (b *bucket) create(ctx context.Context, key string, data []byte) error {
	err := b.objects.create(ctx, key, data)
	if errors.Is(err, errExists) {
		return errExists
	}
	return b.failed(ctx, err)
}

func (b *bucket) remove(ctx context.Context, key string) error {
	return b.failed(ctx, b.objects.remove(ctx, key))
}

func (b *bucket) reach(ctx context.Context) error { return b.failed(ctx, b.objects.reach(ctx)) }

func (b *bucket) list(ctx context.Context, prefix string, limit int) ([]object, error) {
	list, err := b.objects.list(ctx, prefix, limit)
	switch {
	case err != nil:
		return nil, b.failed(ctx, err)
	case len(list) == 0:
		return nil, b.vanished(ctx)
	case !b.seen.Load(): // it was empty when it was opened
		if _, err := b.get(ctx, markerKey, maxJSON); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	return list, nil
}

// unread says what an error of reading an object means.
func (b *bucket) unread(ctx context.Context, key string, err error) error {
	switch {
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%s: %s: %w", b.name, key, err)
	case ctx.Err() != nil || !errors.Is(err, fs.ErrNotExist) || key == markerKey && b.seen.Load():
		return b.failed(ctx, err)
	}
	if err := b.vanished(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%s: %s: %w", b.name, key, ErrNotFound)
}

// failed says what an error means where nothing can be missing but the store
// itself.
func (b *bucket) failed(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", b.name, ctx.Err())
	}
	return fmt.Errorf("%s: %w: %w", b.name, ErrUnavailable, err)
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
