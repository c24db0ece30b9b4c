package serve

import (
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/connectivity"

	"github.com/parley-nlp/parley/internal/guard"
)

// A connection that comes of age ends without a failed call.
func TestConnectionsAge(t *testing.T) {
	s := startSlow(t, Config{Guard: guard.Config{Connections: guard.Connections{MaxAge: 20 * time.Millisecond, MaxAgeGrace: time.Minute}}}, &slowService{})
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
