package score

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// A window bounds what is between reading and writing: so many items, of so
// many bytes together. An item that is larger than all of them goes alone.
type window struct {
	items int
	bytes int64
}

// A task is an item on its way through inOrder.
type task[T any] struct {
	number int64 // from 1
	item   T
	size   int64
	err    error
	done   chan struct{} // closed when the item is worked on, or err is set
}

// inOrder calls work for every item of seq, several at a time, and yields the
// items in the order of seq. It reads ahead as far as the window allows. The
// first error, of seq, work or ctx, comes last, after the items before it.
//
// When the caller stops, the calls of work are waited for; a read that blocks in
// seq is not, as nobody can end it.
func inOrder[T any](ctx context.Context, seq iter.Seq2[T, error], size func(T) int, workers int, w window, work func(context.Context, T) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var working sync.WaitGroup
		var failed atomic.Int64 // number of a task that failed, from 1
		defer working.Wait()
		defer cancel()
		room := semaphore.NewWeighted(w.bytes)
		queue, todo := make(chan *task[T], w.items), make(chan *task[T], w.items)
		go readAhead(ctx, seq, size, w, room, queue, todo)
		for range workers {
			working.Go(func() { workOff(ctx, &failed, todo, work) })
		}
		for t := range queue {
			select {
			case <-t.done:
			case <-ctx.Done():
				var none T // t is still worked on
				yield(none, ctx.Err())
				return
			}
			if !yield(t.item, t.err) || t.err != nil {
				return
			}
			room.Release(t.size)
		}
		if err := ctx.Err(); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// readAhead puts the items of seq in the queue and gives them to the workers.
func readAhead[T any](ctx context.Context, seq iter.Seq2[T, error], size func(T) int, w window, room *semaphore.Weighted, queue, todo chan<- *task[T]) {
	defer close(queue)
	defer close(todo)
	number := int64(0)
	for item, err := range seq {
		number++
		t := &task[T]{number: number, item: item, err: err, done: make(chan struct{})}
		if err != nil {
			close(t.done)
		} else if t.size = min(int64(size(item)), w.bytes); room.Acquire(ctx, t.size) != nil {
			return
		}
		select {
		case queue <- t:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		select {
		case todo <- t:
		case <-ctx.Done():
			return
		}
	}
}

// workOff works on tasks until there are no more, or none is wanted: once one has
// failed, those behind it are of no use. Those before it have been taken by then,
// and must be worked on.
func workOff[T any](ctx context.Context, failed *atomic.Int64, todo <-chan *task[T], work func(context.Context, T) error) {
	for {
		select {
		case t, more := <-todo:
			if n := failed.Load(); !more || n > 0 && t.number > n {
				return
			}
			if t.err = work(ctx, t.item); t.err != nil {
				failed.Store(t.number)
			}
			close(t.done)
		case <-ctx.Done():
			return
		}
	}
}
