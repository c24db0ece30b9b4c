package client

import (
	"context"
	"fmt"
	"iter"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/serve"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// newLedger makes a ledger and returns how servers open it.
func newLedger(t *testing.T) (*ledger.Ledger, serve.Labels) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "labels.db")
	open := func(ctx context.Context) (*ledger.Ledger, error) { return ledger.Open(ctx, path) }
	l, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, serve.Labels{Open: open, Poll: 10 * time.Millisecond}
}

// numbered yields labels of n texts. Every hundredth is bad.
func numbered(n int) iter.Seq[*parleyv1.NewLabel] {
	return func(yield func(*parleyv1.NewLabel) bool) {
		for i := range n {
			l := &parleyv1.NewLabel{Text: fmt.Sprint("text ", i), Head: "topic", Label: "sport", Annotator: "ada"}
			switch i % 200 {
			case 99:
				l.Text = " "
			case 199:
				l.Text = "not UTF-8: \xff"
			}
			if !yield(l) {
				return
			}
		}
	}
}

// Any number of labels travels in bounded batches, in order, and bad ones fail alone,
// also such as cannot travel.
func TestCreateLabels(t *testing.T) {
	l, labels := newLedger(t)
	s := start(t, serve.Config{Labels: labels}, true)
	c := mustDial(t, s.addr, WithBatches(300, 1<<20, 4))
	i, number := 0, int64(0)
	for o, err := range c.CreateLabels(t.Context(), numbered(2_500)) {
		if err != nil {
			t.Fatal(err)
		}
		if bad := i%100 == 99; bad != (status.Code(o.Err) == codes.InvalidArgument) || bad != (o.Created == nil) {
			t.Errorf("label %d: %v, error %v", i, o.Created, o.Err)
		} else if !bad {
			if number++; o.Created.GetNumber() != number || o.Label.GetText() != fmt.Sprint("text ", i) {
				t.Fatalf("label %d: %v of %q, want number %d", i, o.Created, o.Label.GetText(), number)
			}
		}
		i++
	}
	if n, err := l.Position(t.Context()); i != 2_500 || n != number || err != nil {
		t.Errorf("%d outcomes, the ledger is at %d (%v), want %d", i, n, err, number)
	}
	batches := 0
	for _, e := range s.calls() {
		if strings.HasSuffix(e.Method, "/BatchCreateLabels") {
			if batches++; e.Items > 300 {
				t.Errorf("a batch of %d labels", e.Items)
			}
		}
	}
	if batches != 9 {
		t.Errorf("%d batches, want 9", batches)
	}
	// Long texts make batches smaller, and whoever has enough stops.
	long := func(yield func(*parleyv1.NewLabel) bool) {
		for i := range 10 {
			if !yield(&parleyv1.NewLabel{Text: fmt.Sprint(i, strings.Repeat(" long", 100_000)), Head: "topic", Label: "sport", Annotator: "ada"}) {
				return
			}
		}
	}
	for o, err := range c.CreateLabels(t.Context(), long) {
		if err != nil || o.Err != nil {
			t.Fatal(err, o)
		}
		break
	}
	if n, err := l.Position(t.Context()); n != number+2 || err != nil {
		t.Errorf("the ledger is at %d (%v), want %d: one batch", n, err, number+2)
	}
}

// Connections that break after labels were taken and before the answer was there take
// no label twice, and every outcome is that of the first time.
func TestCreateLabelsOverBrokenConnections(t *testing.T) {
	l, labels := newLedger(t)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cut := &cutter{Listener: lis, connections: 3, writes: 4 << 10}
	s := startOn(t, cut, serve.Config{Labels: labels}, true)
	c := mustDial(t, s.addr, WithBatches(1000, 1<<20, 1))
	number := int64(0)
	for o, err := range c.CreateLabels(t.Context(), numbered(1000)) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Err == nil {
			if number++; o.Created.GetNumber() != number || o.Created.GetExisting() {
				t.Fatalf("%v, want number %d", o.Created, number)
			}
		}
	}
	if got := cut.broken.Load(); got != 3 {
		t.Errorf("%d connections broke, want 3", got)
	}
	if n, err := l.Position(t.Context()); n != 990 || number != 990 || err != nil {
		t.Errorf("the ledger is at %d (%v), %d labels were taken, want 990", n, err, number)
	}
}

// When a whole call fails, its error is the end.
func TestCreateLabelsWithoutLedger(t *testing.T) {
	s := start(t, serve.Config{}, true)
	c := mustDial(t, s.addr)
	yields := 0
	for o, err := range c.CreateLabels(t.Context(), numbered(1000)) {
		if yields++; o != nil || status.Code(err) != codes.FailedPrecondition {
			t.Errorf("got %v, error %v", o, err)
		}
	}
	if yields != 1 {
		t.Errorf("%d outcomes, want the error alone", yields)
	}
	for e, err := range c.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{}) {
		if e != nil || status.Code(err) != codes.FailedPrecondition {
			t.Errorf("got %v, error %v", e, err)
		}
	}
}

// Pages are one list, which can be begun anew and left at any time.
func TestListLabels(t *testing.T) {
	_, labels := newLedger(t)
	s := start(t, serve.Config{Labels: labels}, true)
	c := mustDial(t, s.addr)
	for o, err := range c.CreateLabels(t.Context(), numbered(250)) {
		if err != nil {
			t.Fatal(o, err)
		}
	}
	list := c.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{PageSize: 7})
	for range 2 {
		var got []int64
		for e, err := range list {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.GetNumber())
		}
		if len(got) != 248 || !slices.IsSorted(got) || got[0] != 1 || got[247] != 248 {
			t.Errorf("got %d", got)
		}
	}
	n := 0
	for range list {
		if n++; n == 10 {
			break
		}
	}
}

func TestConfirmAndForget(t *testing.T) {
	l, labels := newLedger(t)
	s := start(t, serve.Config{Labels: labels}, true)
	c := mustDial(t, s.addr)
	for _, annotator := range []string{"ada", "bob"} {
		label := &parleyv1.NewLabel{Text: "a goal", Head: "topic", Label: "said by " + annotator, Annotator: annotator}
		if _, err := c.BatchCreateLabels(t.Context(), "", []*parleyv1.NewLabel{label}); err != nil {
			t.Fatal(err)
		}
	}
	conflicts := 0
	for conflict, err := range c.ListConflicts(t.Context(), &parleyv1.ListConflictsRequest{PageSize: 1}) {
		if conflicts++; err != nil || len(conflict.GetVotes()) != 2 {
			t.Errorf("got %v, error %v", conflict, err)
		}
	}
	if conflicts != 1 {
		t.Errorf("%d conflicts, want 1", conflicts)
	}
	if err := l.Quarantine(t.Context(), []ledger.Quarantined{{Seq: 1, Surprise: 1, Reason: "odd"}}); err != nil {
		t.Fatal(err)
	}
	if resp, err := c.ConfirmLabels(t.Context(), "bob", 1); err != nil || resp.GetErrorCount() != 0 {
		t.Errorf("got %v, error %v", resp, err)
	}
	ref := &parleyv1.TextReference{Reference: &parleyv1.TextReference_Text{Text: "a goal"}}
	resp, err := c.ForgetTexts(t.Context(), "asked to", ref)
	if err != nil || resp.GetTextCount() != 1 || resp.GetLabelCount() != 2 || len(resp.GetRemaining()) == 0 {
		t.Errorf("got %v, error %v", resp, err)
	}
	if _, err := c.Labels().SuggestDocuments(t.Context(), &parleyv1.SuggestDocumentsRequest{Annotator: "ada"}); err != nil {
		t.Error(err)
	}
}

// A server that goes down while labels come takes none with it: another of the same
// ledger goes on, and no label is taken twice.
func TestCreateLabelsWhileAServerStops(t *testing.T) {
	l, labels := newLedger(t)
	one, two := start(t, serve.Config{Labels: labels}, true), start(t, serve.Config{Labels: labels}, true)
	c := mustDial(t, one.addr+","+two.addr, WithBatches(20, 1<<20, 1))
	c.warm(t, one, two)
	n := 0
	for o, err := range c.CreateLabels(t.Context(), numbered(1_000)) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; o.Err == nil && o.Created.GetExisting() {
			t.Errorf("%v was there before", o.Created)
		}
		if n == 400 {
			one.Stop()
		}
	}
	events, err := l.Events(t.Context(), ledger.Query{})
	if err != nil || n != 1_000 || len(events) != 990 {
		t.Errorf("%d outcomes, %d events, error %v, want 1000 and 990", n, len(events), err)
	}
	if len(two.calls()) < 30 {
		t.Error("the other server did not take the rest")
	}
}
