package main

import (
	"encoding"
	"fmt"
	"math"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/guard"
)

// guardFlags say who may call a server, how much at once and for how long.
type guardFlags struct {
	TLSCert          string        `name:"tls-cert" placeholder:"FILE" help:"Certificate of the server with its chain, PEM. This file, and those of the next three flags, are read anew when they change."`
	TLSKey           string        `name:"tls-key" placeholder:"FILE" help:"Its private key, PEM."`
	TLSClientCA      string        `name:"tls-client-ca" placeholder:"FILE" help:"Authorities of client certificates, PEM. Needs --role."`
	KeysFile         string        `placeholder:"FILE" help:"Bearer keys that may call, as \"classifier key\" writes them."`
	Role             []string      `sep:"none" placeholder:"ROLE=NAMES" help:"What client certificates may do, such as scorer=dns:*.example,spiffe://example/jobs/*. Roles: scorer, reader, operator, labeler, relay, auditor, curator, eraser, admin. Repeat for several."`
	ReloadInterval   time.Duration `default:"5s" help:"How often those files are looked at. Default: ${default}."`
	Plaintext        bool          `help:"Allow an address other than loopback without TLS."`
	ClosedReflection bool          `help:"Ask for a key or certificate for server reflection too."`

	MaxQueue       time.Duration `default:"50ms" help:"How long calls may have to wait for a processor before further ones are refused. Default: ${default}."`
	MemoryLimit    byteSize      `placeholder:"SIZE" help:"Memory to use at most, such as 512MiB; calls are refused from 85% on. Default: the variable GOMEMLIMIT, else none."`
	DefaultTimeout time.Duration `default:"30s" help:"Time for a call whose client set none. Default: ${default}."`
	MaxTimeout     time.Duration `default:"2m" help:"Longest time for a call, whatever its client allows. Default: ${default}."`

	MaxConnections     int           `default:"1000" help:"Most connections at a time. Default: ${default}."`
	MaxStreams         int           `default:"256" help:"Most calls at a time on a connection. Default: ${default}."`
	MaxHeaderBytes     int           `default:"16384" help:"Most metadata of a call. Default: ${default}."`
	HandshakeTimeout   time.Duration `default:"10s" help:"Time for a new connection to begin. Default: ${default}."`
	WriteTimeout       time.Duration `default:"30s" help:"Time for a client to take some bytes of an answer. Default: ${default}."`
	MaxConnectionAge   time.Duration `default:"5m" help:"Age at which a client must connect anew, give or take a tenth. Default: ${default}."`
	MaxConnectionGrace time.Duration `default:"30s" help:"Time for the calls that are then in flight. Default: ${default}."`
	PingInterval       time.Duration `default:"1m" help:"How often silent clients are pinged. Default: ${default}."`
	PingTimeout        time.Duration `default:"20s" help:"Time for them to answer. Default: ${default}."`
	MinPingInterval    time.Duration `default:"10s" help:"How often clients may ping at most. Default: ${default}."`
}

// guard returns the flags as the server takes them.
func (f *guardFlags) guard() (guard.Config, error) {
	if err := f.check(); err != nil {
		return guard.Config{}, err
	}
	var roles []guard.CertificateRole
	for _, rule := range f.Role {
		list, err := guard.ParseCertificateRoles(rule)
		if err != nil {
			return guard.Config{}, usagef("--role: %w", err)
		}
		roles = append(roles, list...)
	}
	return guard.Config{
		Security: guard.Security{
			CertFile: f.TLSCert, KeyFile: f.TLSKey, ClientCAFile: f.TLSClientCA, Roles: roles, KeysFile: f.KeysFile,
			Plaintext: f.Plaintext, ClosedReflection: f.ClosedReflection, ReloadInterval: f.ReloadInterval,
		},
		Connections: guard.Connections{
			Max: f.MaxConnections, MaxStreams: f.MaxStreams, MaxHeaderBytes: f.MaxHeaderBytes,
			HandshakeTimeout: f.HandshakeTimeout, WriteTimeout: f.WriteTimeout,
			MaxAge: f.MaxConnectionAge, MaxAgeGrace: f.MaxConnectionGrace,
			PingInterval: f.PingInterval, PingTimeout: f.PingTimeout, MinPingInterval: f.MinPingInterval,
		},
		MaxQueue: f.MaxQueue, MemoryLimitBytes: int64(f.MemoryLimit),
		DefaultTimeout: f.DefaultTimeout, MaxTimeout: f.MaxTimeout,
	}, nil
}

// check refuses what would mean a default to the server, and what does not go
// together.
func (f *guardFlags) check() error {
	for _, flag := range []struct {
		name  string
		value int64
	}{
		{"reload-interval", int64(f.ReloadInterval)}, {"max-queue", int64(f.MaxQueue)}, {"default-timeout", int64(f.DefaultTimeout)}, {"max-timeout", int64(f.MaxTimeout)},
		{"max-connections", int64(f.MaxConnections)}, {"max-streams", int64(f.MaxStreams)}, {"max-header-bytes", int64(f.MaxHeaderBytes)},
		{"handshake-timeout", int64(f.HandshakeTimeout)}, {"write-timeout", int64(f.WriteTimeout)},
		{"max-connection-age", int64(f.MaxConnectionAge)}, {"max-connection-grace", int64(f.MaxConnectionGrace)},
		{"ping-interval", int64(f.PingInterval)}, {"ping-timeout", int64(f.PingTimeout)}, {"min-ping-interval", int64(f.MinPingInterval)},
	} {
		if flag.value <= 0 {
			return usagef("--%s: want more than 0", flag.name)
		}
	}
	switch {
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return usagef("--tls-cert and --tls-key go together")
	case f.TLSClientCA != "" && f.TLSCert == "":
		return usagef("--tls-client-ca needs --tls-cert and --tls-key")
	case (f.TLSClientCA == "") != (len(f.Role) == 0):
		return usagef("--tls-client-ca and --role go together")
	}
	return nil
}

// tuneCollector tells the collector of --memory-limit, and to run less often.
func (f *guardFlags) tuneCollector() {
	if f.MemoryLimit > 0 {
		debug.SetMemoryLimit(int64(f.MemoryLimit))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // a small live heap: fewer collections, 15% less CPU a call
	}
}

// listen listens on addr, unless that would offer the service unencrypted to
// other machines.
func listen(addr string, s guard.Security) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := s.CheckAddr(resolved); err != nil {
		return nil, usagef("--addr %s is not a loopback address: give --tls-cert and --tls-key, or --plaintext to serve without encryption", addr)
	}
	return net.ListenTCP("tcp", resolved)
}

// A byteSize is a number of bytes, written as GOMEMLIMIT is.
type byteSize int64

var _ encoding.TextUnmarshaler = (*byteSize)(nil)

// UnmarshalText reads digits with B, KiB, MiB, GiB or TiB or nothing after them.
func (b *byteSize) UnmarshalText(text []byte) error {
	digits, shift := string(text), 0
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if rest, ok := strings.CutSuffix(digits, unit); ok {
			digits, shift = rest, 10*(i+1)
			break
		}
	}
	if shift == 0 {
		digits = strings.TrimSuffix(digits, "B")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return fmt.Errorf("size %q: want digits, then B, KiB, MiB, GiB, TiB or nothing", text)
	}
	*b = byteSize(n << shift)
	return nil
}
