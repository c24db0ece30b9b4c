package score

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
)

// numbers yields 1 to n, and err after them.
func numbers(n int, err error) iter.Seq2[*int, error] {
	return func(yield func(*int, error) bool) {
		for i := range n {
			if i++; !yield(&i, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func one(*int) int { return 1 }

func TestInOrder(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		n, workers int
		err        error
		w          window
	}{
		{0, 1, nil, window{1, 1}}, {0, 3, broken, window{1, 1}}, {1, 8, nil, window{1, 1}},
		{500, 1, nil, window{1, 1}}, {500, 8, broken, window{4, 100}}, {500, 8, nil, window{100, 3}}, {500, 64, nil, window{64, 1 << 20}},
	} {
		double := func(_ context.Context, i *int) error {
			for range rand.IntN(3) {
				runtime.Gosched()
			}
			*i *= 2
			return nil
		}
		var got []int
		var last error
		for i, err := range inOrder(context.Background(), numbers(c.n, c.err), one, c.workers, c.w, double) {
			if last = err; err == nil {
				got = append(got, *i)
			}
		}
		if last != c.err || len(got) != c.n || !slices.IsSorted(got) || c.n > 0 && got[c.n-1] != 2*c.n {
			t.Errorf("%+v: got %v, error %v", c, got, last)
		}
	}
}

// No more is read than the window holds while the first item is worked on.
func TestInOrderReadsAheadOfAWindow(t *testing.T) {
	for _, w := range []window{{3, 1 << 20}, {1000, 3}} {
		var read atomic.Int32
		counted := func(yield func(*int, error) bool) {
			for i, err := range numbers(100, nil) {
				read.Add(1)
				if !yield(i, err) {
					return
				}
			}
		}
		first := func(_ context.Context, i *int) error {
			if *i == 1 {
				for range 10_000 {
					runtime.Gosched()
				}
				if n := read.Load(); n > 6 {
					return fmt.Errorf("window %v: %d items are read while the first is worked on", w, n)
				}
			}
			return nil
		}
		for _, err := range inOrder(context.Background(), counted, one, 2, w, first) {
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// An error of the work comes behind the items before it, and none after it.
func TestInOrderStopsAtAnError(t *testing.T) {
	bad := errors.New("bad")
	work := func(_ context.Context, i *int) error {
		if *i >= 50 {
			return bad
		}
		return nil
	}
	n := 0
	for i, err := range inOrder(context.Background(), numbers(1000, nil), one, 7, window{20, 20}, work) {
		if n++; (err != nil) != (n == 50) || *i != n {
			t.Fatalf("item %d at place %d, error %v", *i, n, err)
		}
	}
	if n != 50 {
		t.Errorf("%d items, want 50", n)
	}
}

// A caller that stops, or a context that ends, ends the run even when the reader
// waits for more and work waits for its context.
func TestInOrderIsStopped(t *testing.T) {
	wait := make(chan struct{})
	blocked := func(yield func(*int, error) bool) {
		for i, err := range numbers(10, nil) {
			if !yield(i, err) {
				return
			}
		}
		<-wait
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	work := func(ctx context.Context, i *int) error {
		if *i > 5 {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	for i := range inOrder(ctx, blocked, one, 3, window{20, 20}, work) {
		if *i == 3 {
			break
		}
	}
	n := 0
	for _, err := range inOrder(ctx, blocked, one, 3, window{20, 20}, work) {
		if n++; n == 5 {
			cancel()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if n != 6 {
		t.Errorf("%d items and the error, want 5 and the error", n)
	}
	close(wait)
}
