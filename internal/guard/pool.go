package guard

import "sync/atomic"

// A pool limits how many calls of a kind are in flight, those that wait for something
// else than a processor. Admission would take the time that a slow database costs
// them for work, and refuse classification calls while the processors are idle. A
// call is in the pool from when its request is there: clients that send slowly keep
// nobody out.
type pool struct {
	limit int64
	calls atomic.Int64
}

// maxLabelCalls is how many calls about labels may be in flight. A ledger serves eight
// at a time and writes for one; the others wait.
const maxLabelCalls = 64

// enter reports whether there is room for another call.
func (p *pool) enter() bool {
	if p.calls.Add(1) <= p.limit {
		return true
	}
	p.calls.Add(-1)
	return false
}

func (p *pool) leave() { p.calls.Add(-1) }
