package serve

import (
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/connectivity"
)

// A connection that comes of age ends without a failed call.
func TestConnectionsAge(t *testing.T) {
	s := startSlow(t, Config{Guard: Guard{Connections: Connections{MaxAge: 20 * time.Millisecond, MaxAgeGrace: time.Minute}}}, &slowService{})
	var ended atomic.Int64
	go func() {
		for state := connectivity.Idle; s.conn.WaitForStateChange(t.Context(), state); {
			if state = s.conn.GetState(); state == connectivity.Idle {
				ended.Add(1)
			}
		}
	}()
	waitFor(t, "five connections to end", func() bool {
		if _, err := s.client.Classify(t.Context(), request("shares", nil)); err != nil {
			t.Fatalf("after %d connections a call failed: %v", ended.Load(), err)
		}
		return ended.Load() >= 5
	})
}

func TestGuardConfig(t *testing.T) {
	roles, err := ParseCertificateRoles("admin=*")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		guard Guard
		want  string
	}{
		{Guard{MaxQueue: -1}, "a queue of -1ns and a memory limit of 0 bytes: want more than 0"},
		{Guard{MemoryLimitBytes: -1}, "a queue of 100ms and a memory limit of -1 bytes: want more than 0"},
		{Guard{DefaultTimeout: -1}, "default timeout -1ns, longest timeout 2m0s, reload interval 5s: want more than 0"},
		{Guard{Connections: Connections{Max: -1}}, "limits of -1 connections, 256 streams and 16384 header bytes: want more than 0"},
		{Guard{Connections: Connections{PingTimeout: -1}}, "time -1ns for connections: want more than 0"},
		{Guard{Security: Security{CertFile: "x"}}, "TLS needs both a certificate and its key"},
		{Guard{Security: Security{ClientCAFile: "x"}}, "client certificates need TLS: a certificate of the server and its key"},
		{Guard{Security: Security{CertFile: "x", KeyFile: "x", ClientCAFile: "x"}}, "client certificates need both their authorities and roles: without a role nobody may call"},
		{Guard{Security: Security{CertFile: "x", KeyFile: "x", Roles: roles}}, "client certificates need both their authorities and roles: without a role nobody may call"},
		{Guard{Security: Security{CertFile: "none.crt", KeyFile: "none.key"}}, "certificate: open none.crt: no such file or directory\nopen none.key: no such file or directory"},
		{Guard{Security: Security{KeysFile: "none"}}, "keys: open none: no such file or directory"},
	} {
		if s, err := New(Config{Guard: c.guard}); err == nil || err.Error() != c.want || s != nil {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
