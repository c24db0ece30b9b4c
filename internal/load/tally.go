package load

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest time that is told apart from longer ones.
const longest = 10 * time.Minute

// newHistogram returns one of microseconds, exact to three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), 3)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d, 0), longest).Microseconds()) // within the limits: no error
}

// A failureKey is what failures are counted by.
type failureKey struct {
	item         bool
	code, reason string
}

// A tally counts calls.
type tally struct {
	mu                     sync.Mutex
	answered, failed, lag  *hdrhistogram.Histogram
	documents, itemErrors  int
	inFlight, mostInFlight int
	held, unsent           int // of the arrivals' goroutine, until all calls have ended
	attempts               AttemptCounts
	failures               map[failureKey]*ErrorCount
	revisions              map[string]int
	servers                map[string]*ServerCount
	last                   time.Time
}

func newTally() *tally {
	return &tally{
		answered: newHistogram(), failed: newHistogram(), lag: newHistogram(),
		failures: map[failureKey]*ErrorCount{}, revisions: map[string]int{}, servers: map[string]*ServerCount{},
	}
}

// sent counts a call as in flight.
func (t *tally) sent() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight++
	t.mostInFlight = max(t.mostInFlight, t.inFlight)
}

// add takes a call that has ended. One of the warm-up does not count.
func (t *tally) add(c *Call, counts bool, observe func(Call)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight--
	if !counts {
		return
	}
	if c.Ended.After(t.last) {
		t.last = c.Ended
	}
	record(t.lag, c.Sent.Sub(c.Due))
	if c.Failure == nil {
		t.answer(c)
	} else {
		record(t.failed, c.Latency())
		t.fail(*c.Failure, false)
	}
	t.attempts.add(c)
	for _, a := range c.Attempts {
		t.server(a)
	}
	if observe != nil {
		observe(*c)
	}
}

func (t *tally) answer(c *Call) {
	record(t.answered, c.Latency())
	t.documents += c.Documents - len(c.ItemErrors)
	t.itemErrors += len(c.ItemErrors)
	t.revisions[c.Revision]++
	for _, f := range c.ItemErrors {
		t.fail(f, true)
	}
}

func (t *tally) fail(f Failure, item bool) {
	key := failureKey{item, f.Code.String(), f.Reason}
	e := t.failures[key]
	if e == nil {
		e = &ErrorCount{Item: item, Code: key.code, Reason: f.Reason}
		if f.Reason == "" { // gRPC's own: its message quotes no text
			e.Example = f.Message
		}
		t.failures[key] = e
	}
	e.Count++
	if f.RetryDelay > 0 {
		e.RetryInfo++
	}
}

func (t *tally) server(a Attempt) {
	s := t.servers[a.Address]
	if s == nil {
		s = &ServerCount{Address: a.Address}
		t.servers[a.Address] = s
	}
	s.Attempts++
	if a.Err != nil {
		s.Failed++
	}
}

// result sums up what was counted in a time.
func (t *tally) result(took time.Duration) *Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &Result{
		Seconds: max(took, 0).Seconds(), Answered: t.answered.TotalCount(), Failed: t.failed.TotalCount(),
		Documents: t.documents, ItemErrors: t.itemErrors,
		Latency: latencyOf(t.answered), FailedLatency: latencyOf(t.failed), SendLag: latencyOf(t.lag),
		Histogram:    bucketsOf(t.answered),
		MostInFlight: t.mostInFlight, Held: t.held, Unsent: t.unsent, Attempts: t.attempts,
	}
	if out.Seconds > 0 {
		out.AnsweredPerSecond = float64(out.Answered) / out.Seconds
		out.DocumentsPerSecond = float64(out.Documents) / out.Seconds
		out.CallsPerSecond = float64(out.Answered+out.Failed) / out.Seconds
	}
	for _, e := range t.failures {
		out.Errors = append(out.Errors, *e)
	}
	slices.SortFunc(out.Errors, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Reason, b.Reason))
	})
	for _, name := range slices.Sorted(maps.Keys(t.revisions)) {
		out.Revisions = append(out.Revisions, RevisionCount{name, t.revisions[name]})
	}
	for _, address := range slices.Sorted(maps.Keys(t.servers)) {
		out.Servers = append(out.Servers, *t.servers[address])
	}
	return out
}
