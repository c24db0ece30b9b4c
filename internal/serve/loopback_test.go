package serve

import (
	"context"
	"net"
	"testing"
)

// serveOnLoopback runs s on a free port of this machine until the test ends,
// and returns its address.
func serveOnLoopback(t testing.TB, s *Server) string {
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
