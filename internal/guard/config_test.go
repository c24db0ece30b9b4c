package guard

import (
	"net"
	"testing"

	"github.com/rs/zerolog"
)

func TestConfig(t *testing.T) {
	roles, err := ParseCertificateRoles("admin=*")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{MaxQueue: -1}, "a queue of -1ns and a memory limit of 0 bytes: want more than 0"},
		{Config{MemoryLimitBytes: -1}, "a queue of 100ms and a memory limit of -1 bytes: want more than 0"},
		{Config{DefaultTimeout: -1}, "default timeout -1ns, longest timeout 2m0s, reload interval 5s: want more than 0"},
		{Config{Connections: Connections{Max: -1}}, "limits of -1 connections, 256 streams and 16384 header bytes: want more than 0"},
		{Config{Connections: Connections{PingTimeout: -1}}, "time -1ns for connections: want more than 0"},
		{Config{Security: Security{CertFile: "x"}}, "TLS needs both a certificate and its key"},
		{Config{Security: Security{ClientCAFile: "x"}}, "client certificates need TLS: a certificate of the server and its key"},
		{Config{Security: Security{CertFile: "x", KeyFile: "x", ClientCAFile: "x"}}, "client certificates need both their authorities and roles: without a role nobody may call"},
		{Config{Security: Security{CertFile: "x", KeyFile: "x", Roles: roles}}, "client certificates need both their authorities and roles: without a role nobody may call"},
		{Config{Security: Security{CertFile: "none.crt", KeyFile: "none.key"}}, "certificate: open none.crt: no such file or directory\nopen none.key: no such file or directory"},
		{Config{Security: Security{KeysFile: "none"}}, "keys: open none: no such file or directory"},
	} {
		if g, err := New(c.cfg, zerolog.Nop()); err == nil || err.Error() != c.want || g != nil {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestCheckAddr(t *testing.T) {
	for _, c := range []struct {
		addr net.Addr
		sec  Security
		want bool
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 5)}, Security{}, true},
		{&net.TCPAddr{IP: net.IPv6loopback}, Security{}, true},
		{&net.UnixAddr{Name: "x"}, Security{}, true},
		{&net.TCPAddr{}, Security{}, false},
		{&net.TCPAddr{IP: net.IPv6unspecified}, Security{}, false},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, Security{}, false},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, Security{KeysFile: "x"}, false},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, Security{Plaintext: true}, true},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, Security{CertFile: "x"}, true},
	} {
		if err := c.sec.CheckAddr(c.addr); (err == nil) != c.want {
			t.Errorf("%v, %+v: error %v, want it allowed: %t", c.addr, c.sec, err, c.want)
		}
	}
}
