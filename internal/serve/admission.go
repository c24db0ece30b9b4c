package serve

import (
	"runtime"
	"sync"
	"time"
)

// Admission keeps the queue short. What is in flight counts by its size, in
// bytes of text, and beyond a limit calls are refused when their headers
// arrive, before their requests are read: at several times the load that a
// server can bear, refusing must cost next to nothing. The queue is that of the
// Go scheduler; a fixed limit on it bounds how long a call waits.
//
// A call is counted twice over: from its headers on as what calls of its method
// usually are, since a hundred may arrive before the first one gets a processor;
// and once its request is there as what it is. Headers whose request does not
// come stop counting after two ticks: opening calls and leaving it at that must
// not keep others out.

// An admission counts the work in flight.
type admission struct {
	limit int64
	cores float64

	mu       sync.Mutex
	running  int64    // of calls whose request has come
	waiting  [2]int64 // of calls whose headers alone have come, in this tick and the last
	ticks    int64
	pace     float64 // ns a byte at best, lately
	measured bool    // since the last tick
}

func newAdmission(limit int64) *admission {
	return &admission{limit: limit, cores: float64(runtime.GOMAXPROCS(0))}
}

// An expectation is how many bytes the calls of a method have on average.
type expectation struct{ bytes float64 }

func newExpectation() *expectation { return &expectation{callBytes} }

func (e *expectation) learn(bytes int64) { e.bytes += (float64(bytes) - e.bytes) / 16 }

// A ticket is a call that was let in.
type ticket struct {
	admission *admission
	guard     *guard
	name      string // of the method
	caller    *caller
	deadline  time.Time
	expects   *expectation

	tick     int64
	waiting  int64         // its part of admission.waiting
	refused  refusalReason // when its request had come
	running  int64         // its part of admission.running
	begun    time.Time
	expected time.Duration // that it takes at the least
}

// enter lets a call in whose headers have come.
func (a *admission) enter(t *ticket) refusalReason {
	a.mu.Lock()
	defer a.mu.Unlock()
	work := a.inFlight()
	if work >= a.limit {
		return overloaded
	}
	if t.expected = a.time(callBytes + float64(work)/a.cores); time.Until(t.deadline) < t.expected {
		return shortDeadline
	}
	t.tick, t.waiting = a.ticks, int64(t.expects.bytes)
	a.waiting[0] += t.waiting
	return noRefusal
}

// inFlight is the work in flight.
func (a *admission) inFlight() int64 { return a.running + a.waiting[0] + a.waiting[1] }

// time is how long so many bytes take at the least.
func (a *admission) time(bytes float64) time.Duration { return time.Duration(bytes * a.pace) }

// begin lets a call go on whose request has come, with so many bytes.
func (a *admission) begin(t *ticket, bytes int) refusalReason {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leaveQueue(t)
	work := int64(callBytes + bytes)
	if a.running >= a.limit {
		return overloaded
	}
	t.begun = time.Now()
	if t.expected = a.time(float64(work)); t.deadline.Sub(t.begun) < t.expected {
		return shortDeadline
	}
	a.run(t, work)
	return noRefusal
}

// leaveQueue takes back what a call counted for before its request came, unless
// that was long ago.
func (a *admission) leaveQueue(t *ticket) {
	if age := a.ticks - t.tick; age < int64(len(a.waiting)) {
		a.waiting[age] -= t.waiting
	}
	t.waiting = 0
}

func (a *admission) run(t *ticket, bytes int64) {
	t.running += bytes
	a.running += bytes
}

// add counts bytes more for a call that has begun.
func (a *admission) add(t *ticket, bytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.run(t, int64(bytes))
}

// end is called when the answer to a call is made, whether it had begun or not.
func (a *admission) end(t *ticket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leaveQueue(t)
	if t.running == 0 {
		return
	}
	a.learn(float64(time.Since(t.begun)) / float64(t.running))
	t.expects.learn(t.running)
	a.running -= t.running
	t.running = 0
}

// learn takes the pace of a call into account. The estimate falls faster than
// it rises, since what it refuses must be hopeless: a call is slow for many
// reasons and fast for one.
func (a *admission) learn(pace float64) {
	a.measured = true
	if pace < a.pace {
		a.pace += (pace - a.pace) / 4
	} else {
		a.pace += (pace - a.pace) / 64
	}
}

// tick is called at every tickInterval.
func (a *admission) tick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ticks++
	a.waiting[0], a.waiting[1] = 0, a.waiting[0]
	if !a.measured {
		a.pace /= 2 // else an estimate that refuses everything would stay for ever
	}
	a.measured = false
}
