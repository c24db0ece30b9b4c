package suggest

import (
	"cmp"
	"container/heap"
	"slices"
)

// A sample keeps the texts that chance puts first: a uniform sample without
// replacement, in which a text counts once however often it comes.
type sample struct {
	size   int
	placed map[uint64]*drawn
	last   drawnHeap
}

// A drawn text is one of the sample.
type drawn struct {
	row    Row
	place  uint64
	copies int
	stands float64 // sum of 1 / Row.Share over its copies
}

func newSample(size int) sample { return sample{size: size, placed: map[uint64]*drawn{}} }

// add adds a row at its place; copied says that its text came before.
func (s *sample) add(r *Row, at uint64, copied bool) {
	if copied {
		if d := s.placed[at]; d != nil { // what is left out once stays out
			d.copies++
			d.stands += 1 / share(r)
		}
		return
	}
	if s.size == 0 || len(s.last) == s.size && at > s.last[0].place {
		return
	}
	d := &drawn{row: *r, place: at, copies: 1, stands: 1 / share(r)}
	s.placed[at] = d
	heap.Push(&s.last, d)
	if len(s.last) > s.size {
		delete(s.placed, heap.Pop(&s.last).(*drawn).place)
	}
}

// first returns the sample in the order of chance.
func (s *sample) first() []*drawn {
	list := slices.Clone(s.last)
	slices.SortFunc(list, func(a, b *drawn) int { return cmp.Compare(a.place, b.place) })
	return list
}

// share is the probability with which a row came into the pool.
func share(r *Row) float64 {
	if r.Share > 0 && r.Share < 1 {
		return r.Share
	}
	return 1
}

// A drawnHeap has the text that chance puts last on top.
type drawnHeap []*drawn

func (h drawnHeap) Len() int           { return len(h) }
func (h drawnHeap) Less(i, j int) bool { return h[i].place > h[j].place }
func (h drawnHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *drawnHeap) Push(x any) { *h = append(*h, x.(*drawn)) }

// Pop implements heap.Interface.
func (h *drawnHeap) Pop() any {
	n := len(*h) - 1
	x := (*h)[n]
	*h = (*h)[:n]
	return x
}
