package main

import (
	"net"
	"testing"
)

// freePort is a port that was free just now: Beam's servers take no socket.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// waitFor waits until somebody listens.
func waitFor(t testing.TB, address string) {
	t.Helper()
	eventually(t, "listening on "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}
