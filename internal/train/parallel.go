package train

import (
	"runtime"
	"sync"
)

// inParallel cuts 0 to n-1 into one range a core and calls work for all ranges
// at once. What it makes must not depend on where the ranges end.
func inParallel(n int, work func(lo, hi int)) {
	cores := min(runtime.GOMAXPROCS(0), n)
	var running sync.WaitGroup
	for w := range cores {
		running.Go(func() { work(w*n/cores, (w+1)*n/cores) })
	}
	running.Wait()
}
