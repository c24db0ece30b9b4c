package serve

import (
	"runtime"
	"testing"
)

func TestSpareProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	var p spareProcessor
	for i, step := range []struct {
		do   func()
		more int
	}{{p.take, 1}, {p.take, 1}, {p.give, 1}, {p.give, 0}, {p.take, 1}, {p.give, 0}} {
		step.do()
		if got := runtime.GOMAXPROCS(0); got != before+step.more {
			t.Errorf("step %d: %d processors, want %d more than %d", i, got, step.more, before)
		}
	}
	t.Setenv("GOMAXPROCS", "3")
	p.take()
	p.give()
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("%d processors, were %d", got, before)
	}
	runtime.GOMAXPROCS(before)
}

// A shadow has a processor of its own as long as there is one.
func TestShadowHasProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	d := newDepot(t)
	s := d.shadowed(t, Shadow{Share: 1}, newModel(t, 1), newModel(t, 2))
	until(t, "there is one more", func() bool { return runtime.GOMAXPROCS(0) == before+1 })
	s.drain()
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("%d processors, were %d", got, before)
	}
}
