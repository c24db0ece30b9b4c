package guard

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func TestAllows(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		from string
		want bool
	}{
		{"127.0.0.1:1", true},
		{"127.3.2.1:1", true},
		{"[::1]:1", true},
		{"[::ffff:127.0.0.1]:1", true},
		{"[::ffff:10.1.2.3]:1", true},
		{"10.1.2.3:1", true},
		{"10.2.2.3:1", false},
		{"192.0.2.1:1", false},
		{"[fd12::1]:1", true},
		{"[2001:db8::1]:1", false},
	}
	for _, test := range tests {
		from := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(test.from))
		if got := (&plain{networks: networks}).allows(from); got != test.want {
			t.Errorf("%s: %t, want %t", test.from, got, test.want)
		}
	}
	if (&plain{}).allows(&net.UnixAddr{}) {
		t.Error("an address that is none of TCP is allowed")
	}
}

// fromElsewhere is a listener whose connections say that they come from afar.
type fromElsewhere struct{ net.Listener }

type elsewhere struct{ net.Conn }

func (l fromElsewhere) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return elsewhere{conn}, err
}

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

// TestServers starts servers that are given no options, as Beam's are.
func TestServers(t *testing.T) {
	Servers()
	check := func(wrap func(net.Listener) net.Listener) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := grpc.NewServer()
		defer s.Stop()
		healthpb.RegisterHealthServer(s, health.NewServer())
		go s.Serve(wrap(l))
		conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = healthpb.NewHealthClient(conn).Check(context.Background(), &healthpb.HealthCheckRequest{})
		return err
	}
	if err := check(func(l net.Listener) net.Listener { return l }); err != nil {
		t.Errorf("from this machine: %v", err)
	}
	if err := check(func(l net.Listener) net.Listener { return fromElsewhere{l} }); status.Code(err) != codes.Unavailable {
		t.Errorf("from elsewhere: %v, want the connection to be closed", err)
	}
}
