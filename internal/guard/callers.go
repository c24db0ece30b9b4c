package guard

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/parley-nlp/parley/internal/reload"
)

// A caller is who calls.
type caller struct {
	name string // "" for anybody
	role Role
}

// anybody is the caller of a server that asks for no credential.
var anybody = &caller{role: Admin}

// callers tells who calls.
type callers struct {
	cfg      Security
	counters *Counters
	cert     *reload.Value[tls.Certificate] // nil without TLS
	clientCA *reload.Value[*x509.CertPool]  // nil without client certificates
	keys     *reload.Value[[]bearerKey]     // nil without keys
}

func newCallers(cfg Security, counters *Counters) (*callers, error) {
	c := &callers{cfg: cfg, counters: counters}
	var err error
	if cfg.CertFile != "" {
		if c.cert, err = reload.KeyPair(cfg.CertFile, cfg.KeyFile); err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
	}
	if cfg.ClientCAFile != "" {
		if c.clientCA, err = reload.Pool(cfg.ClientCAFile); err != nil {
			return nil, fmt.Errorf("client certificate authorities: %w", err)
		}
	}
	if cfg.KeysFile != "" {
		parse := func(contents [][]byte) ([]bearerKey, error) { return parseKeys(cfg.KeysFile, contents[0]) }
		if c.keys, err = reload.New(parse, cfg.KeysFile); err != nil {
			return nil, fmt.Errorf("keys: %w", err)
		}
	}
	return c, nil
}

// reload reads the files that changed.
func (c *callers) reload() {
	if c.cert != nil {
		c.counters.reloaded("certificate", c.cert)
	}
	if c.clientCA != nil {
		c.counters.reloaded("client certificate authorities", c.clientCA)
	}
	if c.keys != nil {
		c.counters.reloaded("keys", c.keys)
	}
}

// credentials are those of the gRPC server.
func (c *callers) credentials() credentials.TransportCredentials {
	if c.cert == nil {
		return nil
	}
	return handshaker{credentials.NewTLS(&tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.tlsConfig(), nil },
	}), c}
}

// tlsConfig is that of a new connection.
func (c *callers) tlsConfig() *tls.Config {
	cfg := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{c.cert.Get()},
		// A resumed session would outlive an authority that was taken out.
		SessionTicketsDisabled: true,
	}
	if c.clientCA != nil {
		// Not required here: health checks need none, and a key may do.
		cfg.ClientAuth, cfg.ClientCAs = tls.VerifyClientCertIfGiven, c.clientCA.Get()
	}
	return cfg
}

// A handshaker finds out who is at the other end of a connection.
type handshaker struct {
	credentials.TransportCredentials
	callers *callers
}

// An identity is what is known of the other end of a connection.
type identity struct {
	credentials.TLSInfo
	caller *caller // nil without a client certificate
}

func (h handshaker) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ServerHandshake(raw)
	if errors.Is(err, io.EOF) {
		return nil, nil, err // somebody looked whether the port is open
	}
	if err != nil {
		h.callers.counters.refuseConnection(handshakeRefusal(err), raw.RemoteAddr(), err)
		return nil, nil, err
	}
	tlsInfo := info.(credentials.TLSInfo)
	return conn, identity{tlsInfo, h.callers.certified(tlsInfo.State.PeerCertificates)}, nil
}

// Clone is needed as the embedded one would lose what is added here.
func (h handshaker) Clone() credentials.TransportCredentials {
	return handshaker{h.TransportCredentials.Clone(), h.callers}
}

// certified returns the caller that a client's verified chain names.
func (c *callers) certified(chain []*x509.Certificate) *caller {
	if len(chain) == 0 {
		return nil
	}
	name := chain[0].Subject.CommonName
	if names := namesOf(chain[0]); len(names) > 0 {
		name = names[0]
	}
	return &caller{cmp.Or(name, "certificate "+chain[0].SerialNumber.String()), roleOf(chain[0], c.cfg.Roles)}
}

func handshakeRefusal(err error) refusalReason {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case ok && invalid.Reason == x509.Expired:
		return expiredCertificate
	case isCertificateError(err):
		return badCertificate
	}
	return failedHandshake
}

func isCertificateError(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	return verification
}

// caller returns who makes a call: the key's owner if there is a key, else the
// certificate's.
func (c *callers) caller(ctx context.Context, header metadata.MD) (*caller, refusalReason) {
	if c.keys != nil {
		if values := header["authorization"]; len(values) > 0 {
			secret, ok := bearer(values)
			if who := find(c.keys.Get(), secret); ok && who != nil {
				return who, 0
			}
			return nil, unknownKey
		}
	}
	if c.clientCA != nil {
		if p, ok := peer.FromContext(ctx); ok {
			if id, ok := p.AuthInfo.(identity); ok && id.caller != nil {
				return id.caller, 0
			}
		}
	}
	if c.keys == nil && c.clientCA == nil {
		return anybody, 0
	}
	return nil, noCredential
}

// bearer returns the key of a call's authorization.
func bearer(values []string) (secret string, ok bool) {
	scheme, secret, found := strings.Cut(values[0], " ")
	return secret, found && len(values) == 1 && strings.EqualFold(scheme, "bearer")
}

// schemes lists what a caller may show, for an error's message.
func (c *callers) schemes() string {
	var list []string
	if c.keys != nil {
		list = append(list, `a key as "authorization: Bearer KEY"`)
	}
	if c.clientCA != nil {
		list = append(list, "a client certificate")
	}
	return strings.Join(slices.Clip(list), " or ")
}
