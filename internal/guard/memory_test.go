package guard

import (
	"runtime"
	"testing"
	"time"

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
	for end := time.Now().Add(time.Minute); g.full.Load(); g.measure() {
		if time.Now().After(end) {
			t.Fatal("the guard never sees that the memory is free")
		}
	}

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
