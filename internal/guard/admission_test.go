package guard

import (
	"context"
	"slices"
	"testing"
	"time"
)

// newTicket returns the ticket of a call that usually takes a millisecond.
func newTicket(a *admission) *Ticket {
	return &Ticket{admission: a, deadline: time.Now().Add(time.Hour), expects: &expectation{call: 1e6, byte: 100}}
}

// usually is what the admission expects of such a call, before its request has
// come.
const usually = callTime + time.Millisecond

func TestAdmissionCounts(t *testing.T) {
	a := &admission{limit: 10 * usually, cores: 2}
	check := func(step string, waiting, receiving, running load) {
		t.Helper()
		if got := a.waiting[0]; got != waiting {
			t.Errorf("%s: waiting %v, want %v", step, got, waiting)
		}
		if a.receiving != receiving || a.running != running {
			t.Errorf("%s: receiving %v, running %v, want %v and %v", step, a.receiving, a.running, receiving, running)
		}
	}
	one, none := load{1, usually}, load{}
	c := newTicket(a)
	if why := a.enter(c); why != noRefusal {
		t.Fatalf("an empty queue refuses: %s", refusalNames[why])
	}
	check("entered", one, none, none)
	a.start(c)
	check("started", none, one, none)
	if why := a.begin(c, 10_000-callBytes); why != noRefusal {
		t.Fatalf("an empty queue refuses: %s", refusalNames[why])
	}
	check("begun", none, none, load{1, callTime + time.Millisecond})
	if err := c.wait(t.Context()); err != nil || a.turns != 1 {
		t.Errorf("alone it has to wait: %v, %d turns", err, a.turns)
	}
	a.end(c)
	check("ended", none, none, none)

	c = newTicket(a)
	a.enter(c)
	a.start(c)
	a.end(c) // its request never came
	check("broken off", none, none, none)
}

func TestAdmissionIsFull(t *testing.T) {
	a := &admission{limit: 10 * usually, cores: 2}
	in := []*Ticket{}
	for {
		c := newTicket(a)
		if why := a.enter(c); why != noRefusal {
			if why != overloaded {
				t.Errorf("refused as %s", refusalNames[why])
			}
			break
		}
		in = append(in, c)
	}
	if len(in) != 10 {
		t.Fatalf("%d calls were let in, want 10", len(in))
	}
	a.start(in[0])
	late := newTicket(a)
	if why := a.enter(late); why != noRefusal {
		t.Errorf("when one of them receives its request: %s", refusalNames[why])
	}
	// Calls that wait are gone after two ticks: gRPC may have ended them.
	a.tick(false)
	if why := a.enter(newTicket(a)); why != overloaded {
		t.Error("the calls were forgotten at once")
	}
	a.tick(false)
	if got := a.queue(); got != (load{}) {
		t.Errorf("after two ticks %v waits", got)
	}
	a.start(late) // it was not ended after all
	if got := a.queue(); got != (load{}) || a.receiving.calls != 2 {
		t.Errorf("a late start: %v waits, %v receives", got, a.receiving)
	}
}

// Even a limit of nothing lets as many calls in as there are processors.
func TestAdmissionNeverIdles(t *testing.T) {
	a := &admission{limit: 1, cores: 3}
	for i := range 5 {
		if why := a.enter(newTicket(a)); (why == noRefusal) != (i < 3) {
			t.Errorf("call %d: %q", i, refusalNames[why])
		}
	}
}

// Requests that are slow to come keep nobody out, unless the processors are
// busy.
func TestAdmissionOfSlowRequests(t *testing.T) {
	a := &admission{limit: usually, cores: 1, idleTicks: 100}
	for range 1000 {
		c := newTicket(a)
		if why := a.enter(c); why != noRefusal {
			t.Fatalf("refused: %s", refusalNames[why])
		}
		a.start(c)
	}
	a.tick(true)
	if why := a.enter(newTicket(a)); why != overloaded {
		t.Errorf("busy processors, much to receive: %q", refusalNames[why])
	}
	a.tick(false)
	if why := a.enter(newTicket(a)); why != overloaded {
		t.Errorf("a moment later: %q", refusalNames[why])
	}
	for range 5 {
		a.tick(false)
	}
	if why := a.enter(newTicket(a)); why != noRefusal {
		t.Errorf("idle processors: %s", refusalNames[why])
	}
}

// A few calls a processor have their turn; the others stand in line, first come
// first served, but for those whose clients have gone.
func TestLine(t *testing.T) {
	a := &admission{limit: time.Hour, cores: 1}
	var calls []*Ticket
	for range callsPerCore + 4 {
		c := newTicket(a)
		a.enter(c)
		a.start(c)
		if why := a.begin(c, 0); why != noRefusal {
			t.Fatalf("refused: %s", refusalNames[why])
		}
		calls = append(calls, c)
	}
	has := func() (list []bool) {
		for _, c := range calls {
			list = append(list, c.hasTurn)
		}
		return list
	}
	check := func(step string, want ...bool) {
		t.Helper()
		if got := has()[callsPerCore:]; !slices.Equal(got, want) {
			t.Errorf("%s: turns of those in line %v, want %v", step, got, want)
		}
	}
	check("at first", false, false, false, false)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := calls[callsPerCore].wait(gone); err != context.Canceled {
		t.Errorf("a call whose client went waits on: %v", err)
	}
	a.end(calls[callsPerCore])
	a.end(calls[0])
	check("one went, one ended", false, true, false, false)
	if err := calls[callsPerCore+1].wait(t.Context()); err != nil {
		t.Error(err)
	}
	a.tick(true)
	check("busy", false, true, false, false)
	a.tick(false)
	check("those whose turn it is wait for something else", false, true, true, true)
	for _, c := range calls {
		if !c.ended {
			a.end(c)
		}
	}
	if a.turns != 0 || a.running != (load{}) || len(a.line) != 0 {
		t.Errorf("at the end %d turns, %v running, %d in line", a.turns, a.running, len(a.line))
	}
}

func TestAdmissionRefusesTheHopeless(t *testing.T) {
	a := &admission{limit: time.Hour, cores: 1}
	a.pace = float64(time.Second) / callBytes // a second a call at the best
	in := func(left time.Duration, bytes int) (refusalReason, refusalReason) {
		c := newTicket(a)
		c.deadline = time.Now().Add(left)
		if why := a.enter(c); why != noRefusal {
			return why, noRefusal
		}
		a.start(c)
		why := a.begin(c, bytes)
		if why == noRefusal {
			c.wait(t.Context())
		}
		pace := a.pace
		a.end(c)
		a.pace = pace
		return noRefusal, why
	}
	if why, _ := in(500*time.Millisecond, 0); why != shortDeadline {
		t.Errorf("half of the time that a call takes: %q", refusalNames[why])
	}
	if why, then := in(time.Minute, 0); why != noRefusal || then != noRefusal {
		t.Errorf("a minute: %q, %q", refusalNames[why], refusalNames[then])
	}
	if why, then := in(time.Minute, 60*callBytes); why != noRefusal || then != shortDeadline {
		t.Errorf("a minute for a call that takes longer: %q, %q", refusalNames[why], refusalNames[then])
	}
	a.running = load{1, 2 * time.Minute}
	if why, _ := in(59*time.Second, 0); why != shortDeadline {
		t.Errorf("behind two minutes of others: %q", refusalNames[why])
	}
	a.running = load{}
	for range 50 { // refused calls teach nothing, so the estimate falls by itself
		a.tick(false)
	}
	if why, _ := in(500*time.Millisecond, 0); why != noRefusal {
		t.Errorf("later: %s", refusalNames[why])
	}
}

func TestLearning(t *testing.T) {
	a, e := &admission{}, &expectation{}
	for range 1000 {
		a.learn(100)
		e.learn(time.Millisecond, 10_000)
	}
	if a.pace < 99.9 || a.pace > 100 || e.call < 0.999e6 || e.call > 1e6 || e.byte < 99.9 || e.byte > 100 {
		t.Errorf("after the same 1,000 times: pace %g, expectation %+v, want 100, 1e6 and 100", a.pace, e)
	}
	e.learn(time.Hour, 10_000) // it waited for something
	if e.call > 1.2e6 || e.byte > 120 {
		t.Errorf("after a call that was held up: %+v", e)
	}
	for range 200 {
		e.learn(100*time.Millisecond, 10_000)
	}
	if e.call < 0.9e8 || e.byte < 9000 {
		t.Errorf("after 200 calls of 100 ms: %+v", e)
	}
	for range 8 {
		a.learn(1000) // a stall
	}
	if a.pace > 300 {
		t.Errorf("after a stall the best pace is %g", a.pace)
	}
	for range 8 {
		a.learn(50)
	}
	if a.pace > 100 {
		t.Errorf("after faster calls the best pace is %g", a.pace)
	}
}
