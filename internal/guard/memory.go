package guard

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// A memoryGuard tells whether there is memory for more calls: not from 85% of
// the limit on, until use is under 80% again. What counts is what the last
// collection found alive and what is not of the heap. Garbage does not: with a
// limit the collector lets it grow up to that, and then runs.
type memoryGuard struct {
	limit   int64 // 0: none
	log     zerolog.Logger
	full    atomic.Bool
	used    atomic.Int64
	samples []metrics.Sample
	cleared time.Time // when the guard last asked for a collection
}

// The metrics: the first two add up to the memory in use together with the
// live heap; the others are subtracted from them.
var memoryMetrics = []string{
	"/gc/heap/live:bytes",
	"/memory/classes/total:bytes",
	"/memory/classes/heap/objects:bytes",
	"/memory/classes/heap/free:bytes",
	"/memory/classes/heap/unused:bytes",
	"/memory/classes/heap/released:bytes",
}

// newMemoryGuard returns a guard of the limit, GOMEMLIMIT if it is 0.
func newMemoryGuard(limit int64, log zerolog.Logger) *memoryGuard {
	if limit == 0 {
		if limit = debug.SetMemoryLimit(-1); limit == math.MaxInt64 {
			limit = 0
		}
	}
	g := &memoryGuard{limit: limit, log: log}
	for _, name := range memoryMetrics {
		g.samples = append(g.samples, metrics.Sample{Name: name})
	}
	return g
}

// measure looks how much memory is used. It takes some microseconds.
func (g *memoryGuard) measure() {
	if g.limit == 0 {
		return
	}
	used := g.read()
	g.used.Store(used)
	switch full := g.full.Load(); {
	case !full && used >= g.limit/100*85:
		g.full.Store(true)
		g.log.Warn().Int64("used_bytes", used).Int64("limit_bytes", g.limit).Msg("memory is short: calls are refused")
	case full && used < g.limit/100*80:
		g.full.Store(false)
		g.log.Info().Int64("used_bytes", used).Int64("limit_bytes", g.limit).Msg("there is memory again: calls are taken")
	case full && time.Since(g.cleared) >= time.Second:
		// Without calls nothing else would start a collection, and what is
		// alive is known only after one.
		runtime.GC()
		g.cleared = time.Now()
	}
}

func (g *memoryGuard) read() int64 {
	metrics.Read(g.samples)
	used := g.samples[0].Value.Uint64() + g.samples[1].Value.Uint64()
	for _, s := range g.samples[2:] {
		used -= s.Value.Uint64()
	}
	return int64(used)
}
