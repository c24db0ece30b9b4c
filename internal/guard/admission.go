package guard

import (
	"math"
	"runtime"
	"sync"
	"time"
)

// Admission keeps the queue short. What is in flight counts by the time that it
// is expected to take, and beyond a limit calls are refused when their headers
// arrive, before their requests are read: at several times the load that a
// server can bear, refusing must cost next to nothing.
//
// What a call takes is learned from the calls of its method. At first it counts
// as what they usually take, and from when its request is there by its size. It
// passes three states: it waits for a goroutine, a hundred of which may come at
// once; it receives its request; it runs, when it is its turn. Waiting and
// running is the queue. What receives is limited only while the processors are
// busy: large requests may pile up there, unread; but with processors idle it is
// the clients that are slow, and those must not keep others out.
//
// Only a few calls a processor run at a time. The others stand in line, so that
// the goroutines that read requests and write answers need not: Go's scheduler
// would let them wait for every call that can run.

// An admission counts the work in flight.
type admission struct {
	limit time.Duration // of the queue
	cores int64

	mu        sync.Mutex
	waiting   [2]load // of this tick and the last; gRPC ends some calls before they get a goroutine
	receiving load
	running   load
	turns     int64     // calls whose turn it is
	line      []*Ticket // the others that run, first come first served
	ticks     int64
	idleTicks int     // since the processors were last busy
	pace      float64 // ns a byte at best, lately
	measured  bool    // since the last tick
}

// callsPerCore is how many calls have their turn for each processor. More than
// one, as a call may wait for something else.
const callsPerCore = 4

// receivingShare is how much may be received, for each part of the queue.
const receivingShare = 2

// A load is some calls and the time that they are expected to take.
type load struct {
	calls int64
	time  time.Duration
}

func (l *load) add(m load) { l.calls, l.time = l.calls+m.calls, l.time+m.time }
func (l *load) sub(m load) { l.calls, l.time = l.calls-m.calls, l.time-m.time }

// newAdmission returns an admission of a queue that takes so long.
func newAdmission(queue time.Duration) *admission {
	cores := runtime.GOMAXPROCS(0)
	return &admission{limit: queue * time.Duration(cores), cores: int64(cores)}
}

// callTime and callBytes are what a call costs outside of its method: most of
// it in the transport.
const (
	callTime  = 50 * time.Microsecond
	callBytes = 4 << 10 // of text, in the same time
)

// An expectation is what the calls of a method take on average, in
// nanoseconds.
type expectation struct {
	call float64
	byte float64 // of the request, callBytes included
}

// learn takes a call into account. One that was held up, because it waited for
// a disk or the processor was taken away, counts as four times what is expected
// and a millisecond at most: it says little about the next.
func (e *expectation) learn(took time.Duration, bytes int) {
	e.call += (min(float64(took), 4*e.call+1e6) - e.call) / 32
	e.byte += (min(float64(took), 4*e.byte*float64(bytes)+1e6)/float64(bytes) - e.byte) / 32
}

// enter lets a call in whose headers have come.
func (a *admission) enter(t *Ticket) refusalReason {
	a.mu.Lock()
	defer a.mu.Unlock()
	work := a.queue()
	if a.isFull(work) || a.isBusy() && a.receiving.time >= receivingShare*a.limit {
		return overloaded
	}
	if t.least = a.least(callBytes) + a.leastWait(work); time.Until(t.deadline) < t.least {
		return shortDeadline
	}
	t.tick, t.usual = a.ticks, load{1, callTime + time.Duration(t.expects.call)}
	a.waiting[0].add(t.usual)
	return noRefusal
}

// start is called when the goroutine of a call runs.
func (a *admission) start(t *Ticket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := a.ticks - t.tick; age < int64(len(a.waiting)) {
		a.waiting[age].sub(t.usual)
	}
	a.receiving.add(t.usual)
}

// begin lets a call go on whose request has come.
func (a *admission) begin(t *Ticket, bytes int) refusalReason {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.received(t)
	if a.isFull(a.running) {
		return overloaded
	}
	t.bytes = bytes + callBytes
	if t.least = a.least(t.bytes) + a.leastWait(a.running); time.Until(t.deadline) < t.least {
		return shortDeadline
	}
	t.running = load{1, callTime + time.Duration(t.expects.byte*float64(t.bytes))}
	a.running.add(t.running)
	if a.turns < a.cores*callsPerCore {
		a.turns++
		t.hasTurn = true
		return noRefusal
	}
	t.turn = make(chan struct{})
	a.line = append(a.line, t)
	return noRefusal
}

// end is called when the answer to a call is made, whether it had begun or not.
func (a *admission) end(t *Ticket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.received(t)
	a.running.sub(t.running)
	t.running = load{}
	if !t.begun.IsZero() {
		took := time.Since(t.begun)
		t.expects.learn(took, t.bytes)
		a.learn(float64(took) / float64(t.bytes))
	}
	if t.hasTurn {
		a.turns--
		a.call(a.cores * callsPerCore)
	}
	t.ended = true
}

// call gives turns to calls in line until so many have theirs.
func (a *admission) call(turns int64) {
	for a.turns < turns && len(a.line) > 0 {
		next := a.line[0]
		a.line[0] = nil
		a.line = a.line[1:]
		if next.ended { // its client did not wait
			continue
		}
		a.turns++
		next.hasTurn = true
		close(next.turn)
	}
}

// received is called when a call receives no longer.
func (a *admission) received(t *Ticket) {
	a.receiving.sub(t.usual)
	t.usual = load{}
}

// queue is the calls that wait for a processor or have one.
func (a *admission) queue() load {
	work := a.running
	work.add(a.waiting[0])
	work.add(a.waiting[1])
	return work
}

// isBusy reports whether the processors are busy, or were a moment ago: what is
// let in while they seem idle takes a while to come.
func (a *admission) isBusy() bool { return a.idleTicks < 5 }

// isFull reports whether work is as much as may be in flight. A processor must
// not be idle because the calls of others take long.
func (a *admission) isFull(work load) bool { return work.time >= a.limit && work.calls >= a.cores }

// least is the least time for a call with so many bytes.
func (a *admission) least(bytes int) time.Duration { return time.Duration(a.pace * float64(bytes)) }

// leastWait is how long a call waits for its turn behind work at the least.
func (a *admission) leastWait(work load) time.Duration {
	if work.calls < a.cores {
		return 0
	}
	return work.time / time.Duration(2*a.cores) // half of what is expected
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

// tick is called at every tickInterval, with whether the processors were busy.
func (a *admission) tick(busy bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ticks++
	if a.idleTicks++; busy {
		a.idleTicks = 0
	}
	a.waiting[0], a.waiting[1] = load{}, a.waiting[0]
	if !a.measured {
		a.pace /= 2 // else an estimate that refuses everything would stay for ever
	}
	a.measured = false
	if !busy { // those whose turn it is wait for something else
		a.call(math.MaxInt64)
	}
}

// work returns the work in flight.
func (a *admission) work() load {
	a.mu.Lock()
	defer a.mu.Unlock()
	work := a.queue()
	work.add(a.receiving)
	return work
}
