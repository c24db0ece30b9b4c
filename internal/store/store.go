package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Store is an open store, safe for any number of goroutines.
type Store struct {
	bucket *bucket
	clock  func() time.Time

	mu     sync.Mutex
	format atomic.Int32     // as last read or written; 0: there was none
	logs   map[string]entry // by model, the newest entry that was read: entries never change
}

// Open opens the store at url: a path or a file:// URL is a directory, which is
// created when missing; s3://BUCKET and gs://BUCKET (with the build tag gcs) take
// prefix=PATH/ and the parameters of gocloud.dev/blob, such as region and
// endpoint; mem:// is one of its own that ends with the process.
func Open(ctx context.Context, url string) (*Store, error) {
	b, err := openBucket(ctx, url)
	if err != nil {
		return nil, err
	}
	s := &Store{bucket: b, clock: time.Now, logs: map[string]entry{}}
	if err := s.checkFormat(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close frees what the store holds.
func (s *Store) Close() error { return s.bucket.close() }

// String names the store, without the parameters of its URL.
func (s *Store) String() string { return s.bucket.name }

// now is the time to the microsecond, in UTC.
func (s *Store) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// format is the newest version of the layout that doc.go describes. A program that
// knows version 1 alone would lose withdrawals from the log, so a store with
// withdrawals has version 2.
const format = 2

// firstFormat is the version of a store without withdrawals.
const firstFormat = 1

type marker struct {
	Format int `json:"format"`
}

// checkFormat reads the store's marker, which shows that the store can be read. A
// store without one is empty.
func (s *Store) checkFormat(ctx context.Context) error {
	data, err := s.bucket.get(ctx, markerKey, maxJSON)
	if errors.Is(err, ErrNotFound) {
		return s.bucket.reach(ctx)
	}
	if err != nil {
		return err
	}
	var m marker
	if err := json.Unmarshal(data, &m); err != nil || m.Format < 1 {
		return fmt.Errorf("%s: %s: %w", s, markerKey, ErrCorrupt)
	}
	if m.Format > format {
		return fmt.Errorf("%s: %w: its layout has version %d, this program knows %d", s, ErrIncompatible, m.Format, format)
	}
	s.format.Store(int32(m.Format))
	return nil
}

// mark writes the marker, unless it is there.
func (s *Store) mark(ctx context.Context) error {
	if s.bucket.seen.Load() {
		return nil
	}
	err := s.bucket.create(ctx, markerKey, encode(marker{firstFormat}))
	if errors.Is(err, errExists) {
		err = nil
	}
	if err == nil {
		s.bucket.seen.Store(true)
	}
	return err
}

// markWithdrawals writes the marker of a store with withdrawals, unless it is there.
func (s *Store) markWithdrawals(ctx context.Context) error {
	if s.format.Load() == format {
		return nil
	}
	err := s.bucket.put(ctx, markerKey, encode(marker{format}))
	if err == nil {
		s.format.Store(format)
		s.bucket.seen.Store(true)
	}
	return err
}

// Limits of what a store holds.
const (
	MaxModelBytes  = 4 << 30 // of a model file
	MaxReasonBytes = 1 << 10 // of a reason or a note
	MaxAliases     = 64      // of a model
	maxJSON        = 64 << 20
)

const markerKey = "parley-store.json"

func modelPrefix(name string) string       { return "models/" + name + "/" }
func fileKey(name, revision string) string { return modelPrefix(name) + "files/" + revision + ".model" }
func cardKey(name, revision string) string { return modelPrefix(name) + "cards/" + revision + ".json" }

var (
	modelName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,61}$`)
	aliasName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	revisionName = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func checkModel(name string) error {
	if !modelName.MatchString(name) {
		return fmt.Errorf("%w: model name %q: want a small letter, then at most 61 small letters, digits or hyphens", ErrInvalid, name)
	}
	return nil
}

func checkAlias(name string) error {
	if !aliasName.MatchString(name) {
		return fmt.Errorf("%w: alias %q: want a small letter, then at most 62 small letters, digits or hyphens", ErrInvalid, name)
	}
	return nil
}

func checkRevision(revision string) error {
	if !revisionName.MatchString(revision) {
		return fmt.Errorf("%w: revision %q: want 64 hexadecimal digits", ErrInvalid, revision)
	}
	return nil
}

// checkText refuses what people could not read again. The field is named.
func checkText(field, text string) error {
	switch {
	case len(text) > MaxReasonBytes:
		return fmt.Errorf("%w: %s of %d bytes: want at most %d", ErrInvalid, field, len(text), MaxReasonBytes)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("%w: %s: want UTF-8 without control characters", ErrInvalid, field)
	}
	return nil
}

// encode is v as JSON that people can read.
func encode(v any) []byte {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // the package's own types have no values that JSON lacks
	}
	return append(data, '\n')
}
