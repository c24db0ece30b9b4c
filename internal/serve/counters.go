package serve

import (
	"sync/atomic"
	"time"
)

// Counters count what happens to revisions. Each only rises, but for the last
// two. Read them at any time.
type Counters struct {
	// Swaps is how often another revision went live after the first.
	Swaps atomic.Int64
	// Checks is how often the store was asked for its aliases, CheckFailures how
	// often that failed.
	Checks, CheckFailures atomic.Int64
	// Loads count attempts to load a revision, by how they ended.
	Loads [loadResults]atomic.Int64
	// LoadTime is the time that loading took in all, in nanoseconds.
	LoadTime atomic.Int64

	// LastLoadTime is how long the last revision took to load, in nanoseconds.
	LastLoadTime atomic.Int64
	// LastCheck is when the store last answered, in nanoseconds since 1970; 0:
	// never.
	LastCheck atomic.Int64
}

// A LoadResult is how an attempt to load a revision ended.
type LoadResult uint8

// The results.
const (
	// LoadOK: verified, self-test passed.
	LoadOK LoadResult = iota
	// LoadMissing: the store has no such revision.
	LoadMissing
	// LoadCorrupt: the file is damaged, incomplete or not what its name says.
	LoadCorrupt
	// LoadIncompatible: the file is of another version, or the self-test failed.
	LoadIncompatible
	// LoadUnavailable: the store did not answer.
	LoadUnavailable
	loadResults
)

// LoadResults are all results, in their order.
func LoadResults() []LoadResult {
	return []LoadResult{LoadOK, LoadMissing, LoadCorrupt, LoadIncompatible, LoadUnavailable}
}

func (r LoadResult) String() string {
	return [...]string{"ok", "missing", "corrupt", "incompatible", "unavailable"}[r]
}

// Counters returns the server's counters.
func (s *Server) Counters() *Counters { return &s.counters }

// loaded counts an attempt.
func (c *Counters) loaded(result LoadResult, took time.Duration) {
	c.Loads[result].Add(1)
	c.LoadTime.Add(int64(took))
	if result == LoadOK {
		c.LastLoadTime.Store(int64(took))
	}
}
