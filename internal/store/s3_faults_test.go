//go:build servers

package store

import (
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
