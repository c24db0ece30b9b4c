//go:build servers

package store

import (
	"bytes"
	"context"
	"os"
	"testing"
)

// TestVanishedServer: a server that is away, and one without the bucket.
func TestVanishedServer(t *testing.T) {
	url := server.newStore(t)
	s, ctx := open(t, url), t.Context()
	r := publish(t, s, 1)
	must[State](t)(s.SetAlias(ctx, "news", "live", r, "", ""))

	port, err := server.listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bucket := bucketOf(url)
	s = open(t, server.url(bucket, port))
	must[Card](t)(s.Verify(ctx, "news", r))
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	server.drop(port.Addr())
	_, err = s.Alias(ctx, "news", "live")
	wantError(t, err, ErrUnavailable)
	_, err = s.Load(ctx, "news", r)
	wantError(t, err, ErrUnavailable)
	if port, err = server.listen(port.Addr().String()); err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	must[Alias](t)(s.Alias(ctx, "news", "live"))
	must[Card](t)(s.Verify(ctx, "news", r))

	if err := os.Rename(server.bucket(bucket), server.bucket(bucket)+".away"); err != nil {
		t.Fatal(err)
	}
	wantUnavailable(t, s, r)
	_, err = Open(ctx, url)
	wantError(t, err, ErrUnavailable)
}

func TestWrongKeyOfServer(t *testing.T) {
	url := server.newStore(t)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	_, err := Open(t.Context(), url)
	wantError(t, err, ErrUnavailable)
}

// TestLostAnswer: an alias that moved is not taken for another's move because the
// answer did not arrive, and the write was tried again.
func TestLostAnswer(t *testing.T) {
	s, ctx := open(t, server.newStore(t)), t.Context()
	r := publish(t, s, 1)
	server.lose.Store(true)
	state := must[State](t)(s.SetAlias(ctx, "news", "live", r, NoEtag, ""))
	if server.lose.Load() {
		t.Fatal("no answer was lost")
	}
	if now := must[State](t)(s.State(ctx, "news")); now.Etag != state.Etag || now.entry.Number != 1 || now.Aliases["live"].Revision != r {
		t.Errorf("state %+v, want %+v", now, state)
	}
}

// TestLargeObject is one that is sent in several parts.
func TestLargeObject(t *testing.T) {
	s, ctx := open(t, server.newStore(t)), t.Context()
	data := bytes.Repeat([]byte("parley "), 3<<20)
	for name, write := range map[string]func(context.Context, string, []byte) error{"put": s.bucket.put, "create": s.bucket.create} {
		if err := write(ctx, name, data); err != nil {
			t.Fatal(err)
		}
		if got := must[[]byte](t)(s.bucket.get(ctx, name, MaxModelBytes)); !bytes.Equal(got, data) {
			t.Errorf("%s: read back %d other bytes", name, len(got))
		}
		wantError(t, s.bucket.create(ctx, name, data), errExists)
		_, err := s.bucket.get(ctx, name, int64(len(data))-1)
		wantError(t, err, ErrCorrupt)
	}
}
