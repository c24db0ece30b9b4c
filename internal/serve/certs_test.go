package serve

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/renameio/v2"

	"github.com/parley-nlp/parley/internal/authority"
)

func newAuthority(t testing.TB) *authority.Authority {
	t.Helper()
	a, err := authority.New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate of loopback with a name, good for the time given.
func sign(t testing.TB, a *authority.Authority, name string, life time.Duration) authority.Pair {
	t.Helper()
	p, err := a.Sign(name, life)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shown returns a pair as a client shows it.
func shown(t testing.TB, p authority.Pair) tls.Certificate {
	t.Helper()
	c, err := p.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A folder of files that a server reads.
type folder string

func (f folder) file(name string) string { return filepath.Join(string(f), name) }

// put replaces a file as a whole.
func (f folder) put(t testing.TB, name string, contents []byte) string {
	t.Helper()
	if err := renameio.WriteFile(f.file(name), contents, 0o600); err != nil {
		t.Fatal(err)
	}
	return f.file(name)
}

func (f folder) putPair(t testing.TB, p authority.Pair) (certFile, keyFile string) {
	t.Helper()
	return f.put(t, "tls.crt", p.Cert), f.put(t, "tls.key", p.Key)
}

// readFile returns a file of testdata or of a folder.
func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
