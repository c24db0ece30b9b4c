package main

import (
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/parley-nlp/parley/client"
)

// connectFlags say how to connect to a server.
type connectFlags struct {
	TLS       bool   `name:"tls" xor:"crypt" help:"Encrypt the connection to the server. The next three flags do so too."`
	TLSCA     string `name:"tls-ca" placeholder:"FILE" help:"Authorities that the server's certificate may come from, PEM. Default: the system's."`
	TLSCert   string `name:"tls-cert" placeholder:"FILE" help:"Own certificate with its chain, PEM."`
	TLSKey    string `name:"tls-key" placeholder:"FILE" help:"Its private key, PEM."`
	KeyFile   string `placeholder:"FILE" help:"Show the server the key on the first line of this file."`
	Plaintext bool   `xor:"crypt" help:"Allow an unencrypted connection to another machine."`
}

// options are those of a client.
func (f connectFlags) options() ([]client.Option, error) {
	files := client.TLSFiles{CA: f.TLSCA, Cert: f.TLSCert, Key: f.TLSKey}
	hasFiles := files != client.TLSFiles{}
	var opts []client.Option
	switch {
	case hasFiles && f.Plaintext:
		return nil, usagef("--plaintext does not go with --tls-ca, --tls-cert and --tls-key")
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return nil, usagef("--tls-cert and --tls-key go together")
	case f.TLS || hasFiles:
		opts = append(opts, client.WithTLSFiles(files))
	case f.Plaintext:
		opts = append(opts, client.WithPlaintext())
	}
	if f.KeyFile != "" {
		opts = append(opts, client.WithKeyFile(f.KeyFile))
	}
	return opts, nil
}

// dial returns a client of addr, with more options.
func (f connectFlags) dial(addr string, more ...client.Option) (*client.Client, error) {
	opts, err := f.options()
	if err != nil {
		return nil, err
	}
	c, err := client.Dial(addr, append(opts, more...)...)
	if err != nil {
		return nil, dialError(addr, err)
	}
	return c, nil
}

// untilBack finds a server that comes back within seconds, not the two minutes that
// gRPC would wait in the end.
func untilBack() client.Option {
	params := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 20 * time.Second}
	params.Backoff.MaxDelay = 3 * time.Second
	return client.WithDialOptions(grpc.WithConnectParams(params))
}

// dialError says what flags would have helped.
func dialError(addr string, err error) error {
	switch {
	case errors.Is(err, client.ErrNotLocal):
		return usagef("--addr %s is not on this machine: say --tls or --plaintext", addr)
	case errors.Is(err, client.ErrKeyInPlaintext):
		return usagef("--key-file: the key must not travel to %s unencrypted: say --tls", addr)
	}
	return usagef("%w", err)
}
