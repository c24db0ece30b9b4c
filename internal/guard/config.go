package guard

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"time"
)

// A Config says who may call, how much at once, and for how long. The zero value
// of a field means its default.
type Config struct {
	Security    Security
	Connections Connections

	// MaxQueue is how long calls may have to wait for a processor, as expected
	// from the calls before: 100 ms. When they would wait longer, calls are
	// refused.
	MaxQueue time.Duration
	// MemoryLimitBytes is how much memory the process should use at most; what
	// GOMEMLIMIT says. Near it all calls are refused. Setting the Go runtime's
	// own limit is the caller's business.
	MemoryLimitBytes int64
	// DefaultTimeout is the time for a call whose client set none; 30 s.
	DefaultTimeout time.Duration
	// MaxTimeout is the longest a call may take, whatever its client allows;
	// 2 min.
	MaxTimeout time.Duration
}

// Connections says how many connections there may be and how they end. The
// zero value of a field means its default.
type Connections struct {
	Max              int           // connections at a time; 1,000
	MaxStreams       int           // calls at a time on a connection; 256
	MaxHeaderBytes   int           // metadata of a call; 16 KiB
	HandshakeTimeout time.Duration // for TLS and the first frames; 10 s
	WriteTimeout     time.Duration // for a client to take some bytes; 30 s
	MaxAge           time.Duration // after which a client has to connect anew, give or take a tenth; 5 min
	MaxAgeGrace      time.Duration // for the calls that are then in flight; 30 s
	PingInterval     time.Duration // of the server, to clients that are silent; 1 min
	PingTimeout      time.Duration // for the answer; 20 s
	MinPingInterval  time.Duration // that clients have to keep; 10 s
}

// Security says who may call. Without client certificates and keys everybody
// may call everything, and without TLS the server listens on loopback only.
type Security struct {
	// CertFile and KeyFile are the server's certificate with its chain and its
	// private key, as PEM. They are read anew when they change, as are the other
	// files; a file that is broken leaves what was read before.
	CertFile, KeyFile string
	// ClientCAFile has the authorities of client certificates, as PEM. A client
	// need not show one, but one that it shows must be good.
	ClientCAFile string
	// Roles are those of client certificates.
	Roles []CertificateRole
	// KeysFile is a file of keys; NewKey makes its lines. Clients send
	// "authorization: Bearer KEY".
	KeysFile string
	// Plaintext allows to listen elsewhere than on loopback without TLS.
	Plaintext bool
	// ClosedReflection asks for a credential for server reflection too.
	ClosedReflection bool
	// ReloadInterval is how often the files are looked at; 5 s.
	ReloadInterval time.Duration
}

func (c Config) withDefaults() (Config, error) {
	c.MaxQueue = cmp.Or(c.MaxQueue, 100*time.Millisecond)
	c.DefaultTimeout = cmp.Or(c.DefaultTimeout, 30*time.Second)
	c.MaxTimeout = cmp.Or(c.MaxTimeout, 2*time.Minute)
	c.Connections = c.Connections.withDefaults()
	c.Security.ReloadInterval = cmp.Or(c.Security.ReloadInterval, 5*time.Second)
	switch {
	case c.MaxQueue < 0 || c.MemoryLimitBytes < 0:
		return c, fmt.Errorf("a queue of %s and a memory limit of %d bytes: want more than 0", c.MaxQueue, c.MemoryLimitBytes)
	case c.DefaultTimeout < 0 || c.MaxTimeout < 0 || c.Security.ReloadInterval < 0:
		return c, fmt.Errorf("default timeout %s, longest timeout %s, reload interval %s: want more than 0", c.DefaultTimeout, c.MaxTimeout, c.Security.ReloadInterval)
	}
	if err := c.Connections.check(); err != nil {
		return c, err
	}
	return c, c.Security.check()
}

func (c Connections) withDefaults() Connections {
	return Connections{
		Max:              cmp.Or(c.Max, 1000),
		MaxStreams:       cmp.Or(c.MaxStreams, 256),
		MaxHeaderBytes:   cmp.Or(c.MaxHeaderBytes, 16<<10),
		HandshakeTimeout: cmp.Or(c.HandshakeTimeout, 10*time.Second),
		WriteTimeout:     cmp.Or(c.WriteTimeout, 30*time.Second),
		MaxAge:           cmp.Or(c.MaxAge, 5*time.Minute),
		MaxAgeGrace:      cmp.Or(c.MaxAgeGrace, 30*time.Second),
		PingInterval:     cmp.Or(c.PingInterval, time.Minute),
		PingTimeout:      cmp.Or(c.PingTimeout, 20*time.Second),
		MinPingInterval:  cmp.Or(c.MinPingInterval, 10*time.Second),
	}
}

func (c Connections) check() error {
	if c.Max < 0 || c.MaxStreams < 0 || c.MaxHeaderBytes < 0 {
		return fmt.Errorf("limits of %d connections, %d streams and %d header bytes: want more than 0", c.Max, c.MaxStreams, c.MaxHeaderBytes)
	}
	for _, d := range []time.Duration{c.HandshakeTimeout, c.WriteTimeout, c.MaxAge, c.MaxAgeGrace, c.PingInterval, c.PingTimeout, c.MinPingInterval} {
		if d < 0 {
			return fmt.Errorf("time %s for connections: want more than 0", d)
		}
	}
	return nil
}

// ErrPlaintext is the error of a server without TLS on an address other than
// loopback, unless Security.Plaintext is set.
var ErrPlaintext = errors.New("not a loopback address: it needs TLS")

// CheckAddr returns ErrPlaintext when the server must not listen on addr.
func (s Security) CheckAddr(addr net.Addr) error {
	tcp, ok := addr.(*net.TCPAddr)
	if s.CertFile != "" || s.Plaintext || !ok || tcp.IP.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s is %w", addr, ErrPlaintext)
}

func (s Security) check() error {
	switch {
	case (s.CertFile == "") != (s.KeyFile == ""):
		return errors.New("TLS needs both a certificate and its key")
	case s.ClientCAFile != "" && s.CertFile == "":
		return errors.New("client certificates need TLS: a certificate of the server and its key")
	case (s.ClientCAFile == "") != (len(s.Roles) == 0):
		return errors.New("client certificates need both their authorities and roles: without a role nobody may call")
	}
	return nil
}
