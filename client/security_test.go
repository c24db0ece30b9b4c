package client

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/authority"
	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/serve"
)

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	a, err := authority.New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate of loopback and of a name, as PEM with its key.
func sign(t *testing.T, a *authority.Authority, name string) (cert, key []byte) {
	t.Helper()
	p, err := a.Sign(name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return p.Cert, p.Key
}

// put writes a file and returns its name.
func put(t *testing.T, dir, name string, contents []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, contents, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// secure returns a server's configuration with TLS, client certificates of the
// authority, and a key.
func secure(t *testing.T, dir string, a *authority.Authority) (cfg serve.Config, key string) {
	t.Helper()
	roles, err := guard.ParseCertificateRoles("admin=dns:client.example")
	if err != nil {
		t.Fatal(err)
	}
	key, line, err := guard.NewKey("test", guard.Scorer)
	if err != nil {
		t.Fatal(err)
	}
	cert, secret := sign(t, a, "server.example")
	cfg.Guard.Security = guard.Security{
		CertFile: put(t, dir, "server.crt", cert), KeyFile: put(t, dir, "server.key", secret),
		ClientCAFile: put(t, dir, "ca.crt", a.PEM()), Roles: roles, KeysFile: put(t, dir, "keys", []byte(line)),
		ReloadInterval: time.Millisecond,
	}
	return cfg, key
}

// wants checks the code of a call.
func (c *Client) wants(t *testing.T, what string, want codes.Code) {
	t.Helper()
	if _, err := c.Classify(t.Context(), "a late goal", nil); status.Code(err) != want {
		t.Errorf("%s: got %v, want %s", what, err, want)
	}
}

func TestTLSFilesAndKeys(t *testing.T) {
	dir, own := t.TempDir(), newAuthority(t)
	cfg, key := secure(t, dir, own)
	s := start(t, cfg, true)
	cert, secret := sign(t, own, "client.example")
	files := TLSFiles{CA: cfg.Guard.Security.ClientCAFile, Cert: put(t, dir, "client.crt", cert), Key: put(t, dir, "client.key", secret)}
	caOnly := WithTLSFiles(TLSFiles{CA: files.CA})

	mustDial(t, s.addr, WithTLSFiles(files)).ask(t, 3)
	mustDial(t, s.addr, caOnly, WithKey(key)).ask(t, 3)
	mustDial(t, s.addr, caOnly, WithKeyFile(put(t, dir, "key", []byte(key+"\n")))).ask(t, 3)
	mustDial(t, s.addr+","+s.addr, WithTLSFiles(files)).ask(t, 3)
	mustDial(t, s.addr, caOnly).wants(t, "no credential", codes.Unauthenticated)
	mustDial(t, s.addr, caOnly, WithKey("parley-x")).wants(t, "wrong key", codes.Unauthenticated)
	other := put(t, dir, "other.crt", newAuthority(t).PEM())
	c := mustDial(t, s.addr, WithTLSFiles(TLSFiles{CA: other}))
	if _, err := c.Classify(t.Context(), "a late goal", nil); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Errorf("a server of another authority: got %v", err)
	}
}

// New certificates, authorities and keys are used once their files change.
func TestClientFilesAreReadAnew(t *testing.T) {
	dir, old := t.TempDir(), newAuthority(t)
	cfg, key := secure(t, dir, old)
	cfg.Guard.Connections.MaxAge = 10 * time.Millisecond // so that there are new connections
	s := start(t, cfg, true)
	clientCA := put(t, dir, "client-ca.crt", old.PEM())
	cert, secret := sign(t, old, "client.example")
	certified := mustDial(t, s.addr, WithTLSFiles(TLSFiles{CA: clientCA, Cert: put(t, dir, "client.crt", cert), Key: put(t, dir, "client.key", secret)}))
	keyFile := put(t, dir, "key", []byte(key))
	keyed := mustDial(t, s.addr, WithTLSFiles(TLSFiles{CA: clientCA}), WithKeyFile(keyFile))
	certified.ask(t, 1)
	keyed.ask(t, 1)

	// Everything is replaced; the clients trust both authorities meanwhile.
	next := newAuthority(t)
	put(t, dir, "client-ca.crt", append(append([]byte{}, old.PEM()...), next.PEM()...))
	put(t, dir, "ca.crt", append(append([]byte{}, old.PEM()...), next.PEM()...))
	cert, secret = sign(t, next, "server.example")
	put(t, dir, "server.crt", cert)
	put(t, dir, "server.key", secret)
	cert, secret = sign(t, next, "client.example")
	put(t, dir, "client.crt", cert)
	put(t, dir, "client.key", secret)
	newKey, line, err := guard.NewKey("new", guard.Scorer)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "key", []byte(newKey))
	put(t, dir, "keys", []byte(line))
	put(t, dir, "client-ca.crt", next.PEM())
	put(t, dir, "ca.crt", next.PEM())
	eventually := func(c *Client, what string) {
		t.Helper()
		var err error
		for range maxTries {
			if _, err = c.Classify(t.Context(), "a late goal", nil); err == nil && s.showsNew(t, dir) {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Errorf("%s: still %v", what, err)
	}
	eventually(certified, "the client with a certificate")
	eventually(keyed, "the client with a key")
	mustDial(t, s.addr, WithTLSFiles(TLSFiles{CA: clientCA}), WithKey(key)).wants(t, "the old key", codes.Unauthenticated)
}

// showsNew reports whether the server shows a certificate of the new authority.
func (s *server) showsNew(t *testing.T, dir string) bool {
	c := mustDial(t, s.addr, WithTLSFiles(TLSFiles{CA: filepath.Join(dir, "ca.crt")}))
	_, err := c.Classify(t.Context(), "a late goal", nil)
	return status.Code(err) == codes.Unauthenticated
}

func TestKeyOnLoopbackInPlaintext(t *testing.T) {
	key, line, err := guard.NewKey("test", guard.Scorer)
	if err != nil {
		t.Fatal(err)
	}
	cfg := serve.Config{}
	cfg.Guard.Security.KeysFile = put(t, t.TempDir(), "keys", []byte(line))
	s := start(t, cfg, true)
	mustDial(t, s.addr, WithKey(key)).ask(t, 1)
	mustDial(t, s.addr).wants(t, "no key", codes.Unauthenticated)
}

func TestSecurityOptionErrors(t *testing.T) {
	dir := t.TempDir()
	none := filepath.Join(dir, "none")
	for _, c := range []struct {
		target string
		opts   []Option
		want   string
	}{
		{"parley.example:1", []Option{WithPlaintext(), WithKey("x")}, "client: parley.example:1: a key must not travel unencrypted: choose WithTLS"},
		{"127.0.0.1:1", []Option{WithKey("two words")}, "client: a key has at least one character, and only printable ones of ASCII"},
		{"127.0.0.1:1", []Option{WithKeyFile(none)}, "client: open " + none + ": no such file or directory"},
		{"127.0.0.1:1", []Option{WithKeyFile(put(t, dir, "empty", nil))}, "client: " + filepath.Join(dir, "empty") + ": a key has at least one character, and only printable ones of ASCII"},
		{"127.0.0.1:1", []Option{WithTLSFiles(TLSFiles{Cert: none})}, "client: a client certificate needs both a certificate and its key"},
		{"127.0.0.1:1", []Option{WithTLSFiles(TLSFiles{CA: none})}, "client: open " + none + ": no such file or directory"},
		{"127.0.0.1:1", []Option{WithTLSFiles(TLSFiles{CA: filepath.Join(dir, "empty")})}, "client: " + filepath.Join(dir, "empty") + ": the file has no certificate in PEM form"},
	} {
		if got, err := Dial(c.target, c.opts...); err == nil || err.Error() != c.want || got != nil {
			t.Errorf("%s: got %v, want %s", c.target, err, c.want)
		}
	}
	if _, err := Dial("parley.example:1", WithPlaintext(), WithKey("x")); !errors.Is(err, ErrKeyInPlaintext) {
		t.Errorf("got %v, want %v", err, ErrKeyInPlaintext)
	}
}
