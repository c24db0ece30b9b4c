package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestDamagedFiles: a model file that is not what its name says is ErrCorrupt,
// says why, and can be repaired.
func TestDamagedFiles(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s, m := t.Context(), t.open(), newModel(t, 1)
		r, good := publish(t, s, 1), m.Bytes()
		flipped := slices.Clone(good)
		flipped[len(flipped)/2] ^= 1
		for name, data := range map[string][]byte{
			"flipped": flipped, "truncated": good[:len(good)-7], "empty": {}, "longer": append(slices.Clone(good), 0),
			"another": newModel(t, 2).Bytes(), "missing": nil,
		} {
			key := fileKey("news", r)
			var err error
			if name == "missing" {
				err = s.bucket.remove(ctx, key)
			} else {
				err = s.bucket.put(ctx, key, data)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = t.open().Load(ctx, "news", r)
			if wantError(t, err, ErrCorrupt); !bytes.Contains([]byte(err.Error()), []byte(key)) {
				t.Errorf("%s: %v: does not name the file", name, err)
			}
			_, err = t.open().Verify(ctx, "news", r)
			wantError(t, err, ErrCorrupt)
			publish(t, s, 1)
			if _, err := t.open().Verify(ctx, "news", r); err != nil {
				t.Errorf("%s: published again: %v", name, err)
			}
		}
	})
}

func TestDamagedCards(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		r, other := publish(t, s, 1), publish(t, s, 2)
		moved := must[Card](t)(s.Card(ctx, "news", other))
		lies := must[Card](t)(s.Card(ctx, "news", r))
		lies.Heads[0].Labels[0].Documents++
		for _, data := range [][]byte{{}, []byte("{"), encode(moved), encode(lies)} {
			if err := s.bucket.put(ctx, cardKey("news", r), data); err != nil {
				t.Fatal(err)
			}
			_, err := t.open().Verify(ctx, "news", r)
			wantError(t, err, ErrCorrupt)
		}
		if err := s.bucket.put(ctx, cardKey("news", r), []byte("{")); err != nil {
			t.Fatal(err)
		}
		cards, err := s.Revisions(ctx, "news")
		if wantError(t, err, ErrCorrupt); len(cards) != 1 || cards[0].Revision != other {
			t.Errorf("cards %+v", cards)
		}
		publish(t, s, 1)
		must[Card](t)(s.Verify(ctx, "news", r))
	})
}

// TestIncompatibleModel: a file that is whole but cannot be parsed is no damage.
func TestIncompatibleModel(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		publish(t, s, 1)
		file := append([]byte("parley model 9\n"), make([]byte, 100)...)
		card := Card{Model: "news", Revision: sha(file), Bytes: int64(len(file))}
		if err := s.bucket.put(ctx, fileKey("news", card.Revision), file); err != nil {
			t.Fatal(err)
		}
		if err := s.bucket.put(ctx, cardKey("news", card.Revision), encode(card)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Load(ctx, "news", card.Revision)
		wantError(t, err, ErrIncompatible)
	})
}

func TestDamagedLog(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		r := publish(t, s, 1)
		state := must[State](t)(s.SetAlias(ctx, "news", "live", r, "", ""))
		for _, data := range []string{"", "{", "{}", `{"number":1,"id":"x","etag":"y","aliases":{"live":{"alias":"live","revision":"no"}}}`} {
			if err := s.bucket.put(ctx, state.entry.key("news"), []byte(data)); err != nil {
				t.Fatal(err)
			}
			if t.url == "mem://" { // the only handle remembers what the entry was
				s.logs = map[string]entry{}
			}
			_, err := t.open().State(ctx, "news")
			wantError(t, err, ErrCorrupt)
			_, err = t.first.SetAlias(ctx, "news", "live", r, "", "")
			wantError(t, err, ErrCorrupt)
		}
		if err := s.bucket.put(ctx, logPrefix("news")+"0.json", []byte("{}")); err != nil {
			t.Fatal(err)
		}
		_, err := s.State(ctx, "news")
		wantError(t, err, ErrCorrupt)
	})
}

func TestLaterFormat(t *testing.T) {
	dir := t.TempDir()
	for data, want := range map[string]error{`{"format": 3}`: ErrIncompatible, `{}`: ErrCorrupt, `x`: ErrCorrupt} {
		if err := os.WriteFile(filepath.Join(dir, markerKey), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), dir)
		wantError(t, err, want)
	}
}

// TestVanishedDirectory: nothing there is not the same as nothing there yet.
func TestVanishedDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	s, ctx := open(t, dir), t.Context()
	_, err := s.Load(ctx, "news", newModel(t, 1).Revision())
	wantError(t, err, ErrNotFound)
	early := open(t, dir) // that saw it empty
	r := publish(t, s, 1)
	must[State](t)(s.SetAlias(ctx, "news", "live", r, "", ""))
	watcher := open(t, dir)
	must[Alias](t)(early.Alias(ctx, "news", "live"))
	for range 2 { // once without the folder, once with an empty one, as when nothing is mounted
		if err := os.Rename(dir, dir+".away"); err != nil {
			t.Fatal(err)
		}
		wantUnavailable(t, s, r)
		wantUnavailable(t, watcher, r)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		wantUnavailable(t, watcher, r)
		wantUnavailable(t, early, r)
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
		must[Alias](t)(watcher.Alias(ctx, "news", "live"))
		must[Card](t)(s.Verify(ctx, "news", r))
	}
}

// wantUnavailable fails the test unless all of a store is.
func wantUnavailable(t *testing.T, s *Store, revision string) {
	t.Helper()
	ctx := t.Context()
	_, err := s.Alias(ctx, "news", "live")
	wantError(t, err, ErrUnavailable)
	_, err = s.Load(ctx, "news", revision)
	wantError(t, err, ErrUnavailable)
	_, err = s.Models(ctx)
	wantError(t, err, ErrUnavailable)
	_, err = s.Revisions(ctx, "news")
	wantError(t, err, ErrUnavailable)
	_, err = s.Publish(ctx, "news", newModel(t, 5), Provenance{})
	wantError(t, err, ErrUnavailable)
	_, err = s.SetAlias(ctx, "news", "live", revision, "", "")
	wantError(t, err, ErrUnavailable)
	_, err = s.GC(ctx, "news", keepOne, false)
	wantError(t, err, ErrUnavailable)
}

func TestCancelledContext(t *testing.T) {
	each(t, func(t *storeTest) {
		s := t.open()
		r := publish(t, s, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Load(ctx, "news", r)
		wantError(t, err, context.Canceled)
		_, err = s.Publish(ctx, "news", newModel(t, 2), Provenance{})
		wantError(t, err, context.Canceled)
		_, err = s.SetAlias(ctx, "news", "live", r, "", "")
		wantError(t, err, context.Canceled)
		if left := must[[]Card](t)(s.Revisions(t.Context(), "news")); len(left) != 1 {
			t.Errorf("%d revisions", len(left))
		}
	})
}

func TestBadURLs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]error{
		"": ErrInvalid, "ftp://host/x": ErrInvalid, "file://host/x": ErrInvalid, "file://": ErrInvalid,
		"s3://bucket?nosuch=1": ErrInvalid, file: ErrUnavailable, filepath.Join(file, "below"): ErrUnavailable,
	} {
		_, err := Open(t.Context(), url)
		wantError(t, err, want)
	}
	if !withGCS {
		_, err := Open(t.Context(), "gs://bucket")
		wantError(t, err, ErrInvalid)
	}
}

func TestFileURL(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b")
	r := publish(t, open(t, "file://"+filepath.ToSlash(dir)), 1)
	must[Card](t)(open(t, dir).Verify(t.Context(), "news", r))
}

func sha(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }
