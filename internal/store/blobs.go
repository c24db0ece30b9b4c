package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/memblob" // mem://
	_ "gocloud.dev/blob/s3blob"  // s3://
	"gocloud.dev/gcerrors"
)

// A blobs is a bucket of gocloud.dev/blob.
type blobs struct{ bucket *blob.Bucket }

func openBlobs(ctx context.Context, name, url string) (*bucket, error) {
	b, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrInvalid, err)
	}
	return &bucket{objects: blobs{b}, name: name}, nil
}

func (b blobs) get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err() // a bucket in memory does not look
	}
	r, err := b.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, meaning(err)
	}
	defer r.Close()
	if r.Size() > limit {
		return nil, tooLarge(r.Size(), limit)
	}
	data := make([]byte, r.Size())
	_, err = io.ReadFull(r, data)
	return data, err
}

func (b blobs) put(ctx context.Context, key string, data []byte) error {
	return meaning(b.bucket.WriteAll(ctx, key, data, nil))
}

func (b blobs) create(ctx context.Context, key string, data []byte) error {
	return meaning(b.bucket.WriteAll(ctx, key, data, &blob.WriterOptions{IfNotExist: true}))
}

func (b blobs) remove(ctx context.Context, key string) error {
	err := meaning(b.bucket.Delete(ctx, key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (b blobs) list(ctx context.Context, prefix string, limit int) ([]object, error) {
	size := 1000
	if limit > 0 {
		size = min(size, limit)
	}
	var list []object
	for token := blob.FirstPageToken; len(token) > 0; {
		page, next, err := b.bucket.ListPage(ctx, token, size, &blob.ListOptions{Prefix: prefix, Delimiter: "/"})
		if err != nil {
			return nil, meaning(err)
		}
		for _, o := range page {
			list = append(list, object{strings.TrimPrefix(o.Key, prefix), o.Size, o.ModTime})
		}
		if limit > 0 && len(list) >= limit {
			return list[:limit], nil
		}
		token = next
	}
	return list, nil
}

func (b blobs) reach(ctx context.Context) error {
	there, err := b.bucket.IsAccessible(ctx)
	if err == nil && !there {
		err = errors.New("there is no such bucket")
	}
	return err
}

func (b blobs) close() error { return b.bucket.Close() }

// meaning makes the errors of package objects of those of gocloud.dev.
func meaning(err error) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case gcerrors.FailedPrecondition: // what was to be created is there
		return errExists
	}
	return err
}
