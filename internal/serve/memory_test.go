package serve

import (
	"runtime"
	"testing"

	"github.com/rs/zerolog"
)

func TestMemoryGuard(t *testing.T) {
	g := newMemoryGuard(1, zerolog.Nop())
	runtime.GC()
	base := g.read()
	if base < 1<<20 || base > 1<<30 {
		t.Fatalf("the process uses %d bytes, it says", base)
	}
	const more = 256 << 20
	g.limit = (base + more/2) * 100 / 85
	if g.measure(); g.full.Load() {
		t.Errorf("%d bytes of a limit of %d are too much already", base, g.limit)
	}
	ballast := make([]byte, more)
	runtime.GC()
	if g.measure(); !g.full.Load() {
		t.Errorf("with %d bytes more the use of %d is under the limit of %d", more, g.used.Load(), g.limit)
	}
	runtime.KeepAlive(ballast)
	ballast = nil
	waitFor(t, "the guard to see that the memory is free", func() bool { g.measure(); return !g.full.Load() })

	// Garbage alone is no reason: the collector runs when there is need.
	for range 100 {
		garbage = make([]byte, more/100)
	}
	garbage = nil
	if g.measure(); g.full.Load() {
		t.Error("garbage counts as use")
	}
}

var garbage []byte

// Without memory all calls but health checks are refused.
func TestFullMemoryRefusesCalls(t *testing.T) {
	s := startSlow(t, Config{Guard: Guard{MemoryLimitBytes: 1}}, &slowService{})
	waitFor(t, "the guard to look", func() bool { return s.guard.memory.full.Load() })
	_, err := s.client.Classify(t.Context(), request("shares", nil))
	want := "ResourceExhausted: the server's memory is nearly full; its limit is 1 bytes\nparley/OVERLOADED map[limit:memory value:1]\nretry after 1s"
	if got := refusal(err); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.checkHealth(t, serving)
	if got := s.guard.counters.refused[memoryFull].Load(); got != 1 {
		t.Errorf("%d refusals were counted, want 1", got)
	}
}
