package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc/credentials"

	"github.com/parley-nlp/parley/internal/reload"
)

// ErrKeyInPlaintext is the error of Dial for a key that would travel to another
// machine unencrypted.
var ErrKeyInPlaintext = errors.New("a key must not travel unencrypted: choose WithTLS")

// TLSFiles are PEM files of a client. Each may be "". They are read anew for
// new connections when they have changed; a file that is broken then leaves
// what was read before.
type TLSFiles struct {
	// CA has the authorities that the server's certificate may come from;
	// those of the system if it is "".
	CA string
	// Cert and Key are the client's own certificate with its chain, and its
	// private key.
	Cert, Key string
}

// WithTLSFiles encrypts the connections, with certificates from files.
func WithTLSFiles(f TLSFiles) Option {
	return func(cfg *config) {
		creds, err := f.credentials()
		cfg.creds, cfg.err = creds, errors.Join(cfg.err, err)
	}
}

// WithKey shows a key to the server with every call.
func WithKey(key string) Option {
	return func(cfg *config) {
		cfg.key, cfg.err = func() string { return key }, errors.Join(cfg.err, checkKey(key))
	}
}

// WithKeyFile is WithKey for a key on the first line of a file. The file is
// read anew for every call: keep it small.
func WithKeyFile(name string) Option {
	return func(cfg *config) {
		v, err := reload.New(func(contents [][]byte) (string, error) { return parseKey(name, contents[0]) }, name)
		if err != nil {
			cfg.err = errors.Join(cfg.err, err)
			return
		}
		cfg.key = func() string {
			_, _ = v.Check() // a broken file leaves the old key
			return v.Get()
		}
	}
}

func parseKey(file string, contents []byte) (string, error) {
	line, _, _ := strings.Cut(string(contents), "\n")
	key := strings.TrimSpace(line)
	if err := checkKey(key); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

// checkKey wants what a header may carry. Its error does not quote the key.
func checkKey(key string) error {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("a key has at least one character, and only printable ones of ASCII")
	}
	return nil
}

// credentials reads the files.
func (f TLSFiles) credentials() (credentials.TransportCredentials, error) {
	if (f.Cert == "") != (f.Key == "") {
		return nil, errors.New("a client certificate needs both a certificate and its key")
	}
	var cfg tls.Config
	if f.Cert != "" {
		pair, err := reload.KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, err
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			_, _ = pair.Check() // a broken file leaves the old certificate
			cert := pair.Get()
			return &cert, nil
		}
	}
	if f.CA == "" {
		return credentials.NewTLS(&cfg), nil
	}
	pool, err := reload.Pool(f.CA)
	if err != nil {
		return nil, err
	}
	return caCredentials{credentials.NewTLS(&cfg), &cfg, pool}, nil
}

// caCredentials takes the authorities as they are when a connection is made:
// tls.Config has no hook for them.
type caCredentials struct {
	credentials.TransportCredentials
	cfg  *tls.Config
	pool *reload.Value[*x509.CertPool]
}

func (c caCredentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	_, _ = c.pool.Check() // a broken file leaves the old authorities
	cfg := c.cfg.Clone()
	cfg.RootCAs = c.pool.Get()
	return credentials.NewTLS(cfg).ClientHandshake(ctx, authority, raw)
}

func (c caCredentials) Clone() credentials.TransportCredentials { return c }

// A keyCredential puts the key into a call's metadata.
type keyCredential struct {
	key    func() string
	secure bool // the connection must be encrypted
}

func (k keyCredential) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + k.key()}, nil
}

func (k keyCredential) RequireTransportSecurity() bool { return k.secure }
