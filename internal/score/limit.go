package score

import (
	"context"
	"sync"
	"time"
)

// A limit bounds the calls in flight, and learns how many the server takes. It
// estimates from the latencies how many calls wait in a queue rather than being
// answered, as TCP Vegas does: with few waiting one more may fly, with many one
// less (additive). A server that refuses calls halves the limit
// (multiplicative), once for the calls that were in flight together.
type limit struct {
	most int

	mu     sync.Mutex
	freed  chan struct{} // closed and replaced when a call may fly
	now    float64       // calls that may fly
	flying int
	base   float64   // least seconds a unit of work, of late
	until  time.Time // when base is forgotten
	halved time.Time // calls begun before that do not halve again
}

const (
	leastCalls  = 2  // enough for one to travel while another is answered
	firstCalls  = 4  // before anything is known
	fewWaiting  = 2  // below that, more calls
	manyWaiting = 5  // above that, fewer
	callCost    = 20 // units that a call costs beside its rows
	rowBytes    = 400
	baseAge     = 10 * time.Second
)

func newLimit(most int) *limit {
	return &limit{most: most, now: float64(min(firstCalls, most)), freed: make(chan struct{})}
}

// acquire waits until a call may begin.
func (l *limit) acquire(ctx context.Context) error {
	for {
		l.mu.Lock()
		if l.flying < max(1, int(l.now)) {
			l.flying++
			l.mu.Unlock()
			return nil
		}
		freed := l.freed
		l.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// release ends a call that was begun at start and had so much work, and learns
// from it: from one that failed, only that it was too much when refused is set.
func (l *limit) release(start time.Time, work int, err error, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case refused && start.After(l.halved):
		l.now, l.halved = max(1, l.now/2), time.Now()
	case err == nil:
		l.learn(time.Since(start).Seconds() / float64(work))
	}
	l.flying--
	close(l.freed)
	l.freed = make(chan struct{})
}

// learn moves the limit by what a call took a unit of work. Calls that fly
// together move it by one, all of them.
func (l *limit) learn(took float64) {
	if now := time.Now(); l.base == 0 || took < l.base || now.After(l.until) {
		l.base, l.until = took, now.Add(baseAge)
	}
	waiting := l.now * (1 - l.base/took)
	switch {
	case waiting < fewWaiting && l.flying >= int(l.now):
		l.now = min(l.now+1/l.now, float64(l.most))
	case waiting > manyWaiting:
		l.now = max(l.now-1/l.now, float64(min(leastCalls, l.most)))
	}
}

// work is how much a call has to do, in units of a short row.
func work(documents []Document) int {
	bytes := 0
	for _, d := range documents {
		bytes += len(d.Text) + len(d.Target)
	}
	return callCost + len(documents) + bytes/rowBytes
}
