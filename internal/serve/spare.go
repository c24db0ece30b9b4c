package serve

import (
	"os"
	"runtime"
	"sync"
)

// A spareProcessor is one more of Go's processors (runtime.GOMAXPROCS), for work
// that runs beside the calls. Go lets a goroutine run for 10 ms before another has
// its turn, so that on a single processor a call that comes while a revision is
// loaded waits that long several times: 42 ms in the median where it is 0.03 ms
// otherwise, and 0.03 ms again with a spare one, since the operating system
// shares its time more finely.
type spareProcessor struct {
	mu     sync.Mutex
	users  int
	before int
}

var spare spareProcessor // the processors are those of the whole program

// take adds the processor, unless somebody has it, until as many have given it
// back as have taken it.
func (p *spareProcessor) take() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users++; p.users == 1 {
		p.before = runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(p.before + 1)
	}
}

// give takes the processor away again. Unless a variable says how many there are,
// Go then goes on to follow the limits of the machine.
func (p *spareProcessor) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.users--; {
	case p.users > 0:
	case os.Getenv("GOMAXPROCS") != "":
		runtime.GOMAXPROCS(p.before)
	default:
		runtime.SetDefaultGOMAXPROCS()
	}
}
