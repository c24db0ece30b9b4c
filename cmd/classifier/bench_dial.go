package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/load"
)

// benchDial says how "classifier bench" connects.
type benchDial struct {
	Addr        string `required:"" placeholder:"HOST:PORT" help:"Server to call; several addresses are separated by commas."`
	TLS         bool   `name:"tls" xor:"crypt" help:"Encrypt the connections; so does each of the next three flags."`
	TLSCA       string `name:"tls-ca" placeholder:"FILE" help:"Authorities of the server's certificate, PEM. Default: the system's."`
	TLSCert     string `name:"tls-cert" placeholder:"FILE" help:"Certificate to show to the server, PEM."`
	TLSKey      string `name:"tls-key" placeholder:"FILE" help:"Its private key, PEM."`
	Plaintext   bool   `xor:"crypt" help:"Allow unencrypted connections to another machine."`
	KeyFile     string `placeholder:"FILE" help:"Send the bearer key in this file."`
	Connections int    `default:"1" help:"Connections to each server. Default: ${default}."`
}

// maxKeyBytes is the longest bearer key that is read.
const maxKeyBytes = 4096

func (f *benchDial) dial() (*load.Target, error) {
	opts, err := f.clientOptions()
	if err != nil {
		return nil, err
	}
	t, err := load.Dial(f.Addr, f.Connections, opts...)
	switch {
	case errors.Is(err, client.ErrNotLocal):
		return nil, usagef("--addr %s is not on this machine: say --tls or --plaintext", f.Addr)
	case err != nil:
		return nil, usagef("%w", err)
	}
	return t, nil
}

func (f *benchDial) clientOptions() ([]client.Option, error) {
	var opts []client.Option
	encrypted := f.TLS || f.TLSCA != "" || f.TLSCert != "" || f.TLSKey != ""
	switch {
	case encrypted && f.Plaintext:
		return nil, usagef("--plaintext does not go with --tls-ca, --tls-cert and --tls-key")
	case f.KeyFile != "" && f.Plaintext:
		return nil, usagef("--plaintext does not go with --key-file: others could read the key")
	case encrypted:
		c, err := f.config()
		if err != nil {
			return nil, err
		}
		opts = append(opts, client.WithTLS(c))
	case f.Plaintext:
		opts = append(opts, client.WithPlaintext())
	}
	if f.KeyFile == "" {
		return opts, nil
	}
	key, err := f.key()
	if err != nil {
		return nil, err
	}
	return append(opts, client.WithDialOptions(grpc.WithPerRPCCredentials(key))), nil
}

func (f *benchDial) config() (*tls.Config, error) {
	c := &tls.Config{}
	if f.TLSCA != "" {
		b, err := os.ReadFile(f.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("--tls-ca: %s has no certificate", f.TLSCA)
		}
	}
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return nil, usagef("--tls-cert and --tls-key go together")
	}
	if f.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(f.TLSCert, f.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// A bearer is a key that goes with every call.
type bearer string

func (f *benchDial) key() (bearer, error) {
	b, err := os.ReadFile(f.KeyFile)
	if err != nil {
		return "", fmt.Errorf("--key-file: %w", err)
	}
	key := strings.TrimSpace(string(b))
	if key == "" || len(key) > maxKeyBytes || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("--key-file: %s: want one key of at most %d characters", f.KeyFile, maxKeyBytes)
	}
	return bearer(key), nil
}

// GetRequestMetadata is what a call carries.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity is false for servers on this machine: to others
// nothing goes unencrypted unless --plaintext says so.
func (bearer) RequireTransportSecurity() bool { return false }
