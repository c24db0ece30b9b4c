// Package servetest runs servers in tests.
package servetest

import (
	"context"
	"net"
	"testing"
)

// A Server is a serve.Server. That package uses this one in its own tests.
type Server interface {
	Serve(ctx context.Context, lis net.Listener) error
	Stop()
}

// Start runs s on a free port of this machine until the test ends, and returns
// its address.
func Start(t testing.TB, s Server) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), lis) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
	return lis.Addr().String()
}
