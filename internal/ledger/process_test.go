package ledger

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// Whoever opens a ledger that nobody has made yet: it is made once.
func testOpeners(t *testing.T, b backend) {
	url := b.url(t)
	type opened struct {
		l   *Ledger
		err error
	}
	done := make(chan opened)
	const n = 8
	for range n {
		go func() {
			l, err := Open(context.Background(), url)
			done <- opened{l, err}
		}()
	}
	ids := map[string]bool{}
	for range n {
		o := <-done
		if o.err != nil {
			t.Error(o.err)
			continue
		}
		ids[o.l.ID()] = true
		if err := o.l.Close(); err != nil {
			t.Error(err)
		}
	}
	equal(t, "ids", len(ids), 1)
}

// testProcesses: while two processes write, whatever a third has seen stays, and at
// every moment it sees whole requests without gaps.
func testProcesses(t *testing.T, b backend) {
	url := b.url(t)
	l := openAt(t, url)
	a, other := startWriter(t, url, 0), startWriter(t, url, 1_000_000)
	var seen []Event
	for range 20 {
		a.next(t)
		other.next(t)
		seen = readOn(t, l, seen)
		wholeRequests(t, seen)
	}
	a.kill(t)
	other.kill(t)
	all := readOn(t, l, nil)
	equal(t, "what was seen", all[:len(seen)], seen)
	wholeRequests(t, all)
	equal(t, "rows", len(resolved(t, l, 0).Rows), len(all))
	first := resolved(t, l, int64(len(seen)))
	equal(t, "rows then", len(first.Rows), len(seen))
}

// readOn appends the events that came since, up to a page that is not full.
func readOn(t *testing.T, l *Ledger, seen []Event) []Event {
	t.Helper()
	for {
		page, err := l.Events(t.Context(), Query{After: int64(len(seen))})
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, page...); len(page) < MaxEvents {
			return seen
		}
	}
}

// wholeRequests checks that events are numbered without gaps, and that the labels
// of a request follow each other and are all there.
func wholeRequests(t *testing.T, events []Event) {
	t.Helper()
	for i, e := range events {
		_, request, _ := strings.Cut(events[i-i%perRequest].Text, " of ")
		if want := fmt.Sprintf("text %d of %s", i%perRequest, request); e.Seq != int64(i+1) || e.Text != want {
			t.Fatalf("event %d has number %d and is of %q, want %q", i+1, e.Seq, e.Text, want)
		}
	}
	if len(events)%perRequest != 0 {
		t.Fatalf("%d events: a request is not whole", len(events))
	}
}
