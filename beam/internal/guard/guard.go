// Package guard keeps the gRPC servers of Beam to who may reach them. Prism and
// Beam's pool of workers listen on all addresses of the machine, ask for no key,
// and run the programs that they are told to: nobody but this machine may speak to
// them, unless the user says who else.
package guard

import (
	"fmt"
	"net"
	"net/netip"
	_ "unsafe" // for go:linkname

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// addGlobalServerOptions is of the type func(...grpc.ServerOption). Beam takes no
// options for its servers, and gRPC offers those for all servers of a process to its
// own packages alone.
//
//go:linkname addGlobalServerOptions google.golang.org/grpc/internal.AddGlobalServerOptions
var addGlobalServerOptions any

// Servers makes all gRPC servers that this process starts from now on close
// connections that come neither from this machine's loopback addresses nor from one
// of the networks.
func Servers(networks ...netip.Prefix) {
	addGlobalServerOptions.(func(...grpc.ServerOption))(grpc.Creds(&plain{insecure.NewCredentials(), networks}))
}

// plain are connections without TLS, from some addresses alone.
type plain struct {
	credentials.TransportCredentials
	networks []netip.Prefix
}

// ServerHandshake refuses a connection before a byte of it is read.
func (p *plain) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if !p.allows(conn.RemoteAddr()) {
		return nil, nil, fmt.Errorf("no connection from %s is wanted", conn.RemoteAddr())
	}
	return p.TransportCredentials.ServerHandshake(conn)
}

func (p *plain) allows(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return false
	}
	from := tcp.AddrPort().Addr().Unmap()
	for _, n := range p.networks {
		if n.Contains(from) {
			return true
		}
	}
	return from.IsLoopback()
}

// Clone is part of credentials.TransportCredentials.
func (p *plain) Clone() credentials.TransportCredentials {
	return &plain{p.TransportCredentials.Clone(), p.networks}
}
