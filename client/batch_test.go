package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/parley-nlp/parley/internal/model/modeltest"
	"github.com/parley-nlp/parley/internal/serve"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// documents makes documents of "text/target,text,...".
func documents(list string) []*parleyv1.Document {
	var documents []*parleyv1.Document
	for d := range strings.SplitSeq(list, ",") {
		text, target, _ := strings.Cut(d, "/")
		documents = append(documents, &parleyv1.Document{Text: text, Target: target})
	}
	return documents
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		items, bytes int
		texts        string // see documents
		want         string
	}{
		{3, 10, "a", "[{0 1}]"},
		{3, 10, "a,b,c", "[{0 3}]"},
		{3, 10, "a,b,c,d", "[{0 3} {3 4}]"},
		{1, 10, "a,b", "[{0 1} {1 2}]"},
		{9, 4, "aa,bb,c", "[{0 2} {2 3}]"},
		{9, 4, "aaaaa,b", "[{0 1} {1 2}]"},
		{9, 4, "a,bbbbb,c", "[{0 1} {1 2} {2 3}]"},
		{9, 4, "aaaa,,b", "[{0 2} {2 3}]"},
		{2, 4, ",,", "[{0 2} {2 3}]"},
		{9, 4, "aa/b,b,c", "[{0 2} {2 3}]"}, // targets count
		{9, 4, "/aaaaa,/b", "[{0 1} {1 2}]"},
	} {
		c := &Client{cfg: config{batchItems: test.items, batchBytes: test.bytes}}
		if got := fmt.Sprint(c.cut(documents(test.texts))); got != test.want {
			t.Errorf("%d items, %d bytes, %q: %s, want %s", test.items, test.bytes, test.texts, got, test.want)
		}
	}
}

// Answers come in the order of the texts, and are those of single calls.
func TestClassifyAll(t *testing.T) {
	s := start(t, serve.Config{MaxDocumentBytes: 40}, true)
	c := mustDial(t, s.addr, WithBatches(3, 1000, 4))
	var texts []string
	for i := range 50 {
		texts = append(texts, []string{"late goal", "oil shares", "", strings.Repeat("x", 41), "go\xffal"}[i%5])
	}
	options := &parleyv1.ClassifyOptions{TopK: -1, MaxEvidenceTerms: 2}
	results, err := c.ClassifyAll(t.Context(), texts, options)
	if err != nil || len(results) != len(texts) {
		t.Fatalf("%d results and %v, want %d", len(results), err, len(texts))
	}
	for i, got := range results {
		want, err := c.Classify(t.Context(), texts[i], options)
		if got.Classification != nil {
			want.GetClassification().ComputeTime = got.Classification.GetComputeTime()
		}
		if !proto.Equal(got.Classification, want.GetClassification()) || !sameError(got.Err, err) {
			t.Errorf("%q: got %v and %v, want %v and %v", texts[i], got.Classification, got.Err, want.GetClassification(), err)
		}
		if err == nil && got.Revision != want.GetModelRevision() {
			t.Errorf("%q: answered by %q, want %q", texts[i], got.Revision, want.GetModelRevision())
		}
	}
}

// Targets travel with their texts, in a call of their own and in batches.
func TestTargets(t *testing.T) {
	s := start(t, serve.Config{}, false)
	s.Use(modeltest.Stance(t))
	c := mustDial(t, s.addr, WithBatches(2, 1000, 2))
	long := strings.Repeat("t", 257)
	sent := documents("great/oil price,great,great/OIL price ,great/rain,/oil price,great/\xff,great/" + long)
	results, err := c.ClassifyDocuments(t.Context(), sent, nil)
	if err != nil || len(results) != len(sent) {
		t.Fatalf("%d results and %v, want %d", len(results), err, len(sent))
	}
	for i, want := range []string{
		"PER_TARGET con", "POOLED pro", "PER_TARGET con", "POOLED pro",
		"document.text: the text is empty", "the target is not valid UTF-8", "document.target: ",
	} {
		one, err := c.ClassifyDocument(t.Context(), sent[i], nil)
		if got := outcome(one.GetClassification(), err); !strings.HasPrefix(got, want) {
			t.Errorf("%d: alone %s, want %s", i, got, want)
		}
		if got := outcome(results[i].Classification, results[i].Err); !strings.HasPrefix(got, want) {
			t.Errorf("%d: in a batch %s, want %s", i, got, want)
		}
	}
}

// outcome is the target weights and label of the first prediction, or the
// message of err.
func outcome(c *parleyv1.Classification, err error) string {
	if err != nil {
		return status.Convert(err).Message()
	}
	p := c.GetPredictions()[0]
	return strings.TrimPrefix(p.GetTargetWeights().String(), "TARGET_WEIGHTS_") + " " + p.GetLabel()
}

// A target that no message can hold fails its own item only.
func TestHugeTarget(t *testing.T) {
	c := mustDial(t, start(t, serve.Config{}, true).addr)
	sent := documents("goal,goal")
	sent[0].Target = strings.Repeat("t", maxTextBytes)
	results, err := c.ClassifyDocuments(t.Context(), sent, nil)
	if err != nil || results[1].Err != nil {
		t.Fatalf("got %v and %v, want an answer for the other text", err, results[1].Err)
	}
	want := fmt.Sprintf("text and target have %d bytes, a message holds at most %d", maxTextBytes+4, maxTextBytes)
	if got := status.Convert(results[0].Err); got.Code() != codes.InvalidArgument || got.Message() != want {
		t.Errorf("got %v, want %s", results[0].Err, want)
	}
}

// sameError compares statuses with their details.
func sameError(a, b error) bool {
	equal := func(a, b any) bool { return proto.Equal(a.(proto.Message), b.(proto.Message)) }
	s, t := status.Convert(a), status.Convert(b)
	return s.Code() == t.Code() && s.Message() == t.Message() && slices.EqualFunc(s.Details(), t.Details(), equal)
}

// Batches have so many items and bytes; what cannot travel is not in them, and
// a batch without anything else is not sent.
func TestBatchesOnTheWire(t *testing.T) {
	s := start(t, serve.Config{}, true)
	c := mustDial(t, s.addr, WithBatches(3, 12, 1))
	texts := []string{"a", "b", "c", "d", "eight ch", "nine char", "longer than the limit", "\xff", "f", "\xff", "\xff", "\xff"}
	if _, err := c.ClassifyAll(t.Context(), texts, nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range s.calls() {
		got = append(got, fmt.Sprintf("%d/%d", e.Items, e.Bytes))
	}
	if want := []string{"3/3", "2/9", "1/9", "1/21", "1/1"}; !slices.Equal(got, want) {
		t.Errorf("batches of items/bytes %q, want %q", got, want)
	}
}

func TestClassifyAllOfNothing(t *testing.T) {
	s := start(t, serve.Config{}, true)
	for _, texts := range [][]string{nil, {}} {
		results, err := mustDial(t, s.addr).ClassifyAll(t.Context(), texts, nil)
		if err != nil || len(results) != 0 {
			t.Errorf("got %v and %v, want nothing", results, err)
		}
	}
	if got := s.calls(); len(got) != 0 {
		t.Errorf("the server saw %v, want no call", got)
	}
}

// A call that fails as a whole ends the others, begins no more, and its error
// is the one that comes back.
func TestFailedCallEndsTheOthers(t *testing.T) {
	s := start(t, serve.Config{MaxMessageBytes: 100}, true)
	var begun atomic.Int32
	others := grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		begun.Add(1)
		if len(req.(*parleyv1.BatchClassifyRequest).GetItems()[0].GetDocument().GetText()) > 100 {
			return invoke(ctx, method, req, reply, cc, opts...)
		}
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	})
	c := mustDial(t, s.addr, WithBatches(1, 1000, 2), WithDialOptions(others))
	texts := slices.Repeat([]string{"goal"}, 50)
	texts[1] = strings.Repeat("goal ", 30)
	results, err := c.ClassifyAll(t.Context(), texts, nil)
	if status.Code(err) != codes.ResourceExhausted || results != nil {
		t.Errorf("got %v and %v, want the error of the second call, ResourceExhausted", results, err)
	}
	if n := begun.Load(); n != 2 {
		t.Errorf("%d calls were begun, want 2", n)
	}
}

// WithBatches bounds the calls in flight.
func TestCallsInFlight(t *testing.T) {
	s := start(t, serve.Config{}, true)
	var now, most atomic.Int32
	count := grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	})
	c := mustDial(t, s.addr, WithBatches(1, 1000, 3), WithDialOptions(count))
	if _, err := c.ClassifyAll(t.Context(), slices.Repeat([]string{"goal"}, 100), nil); err != nil {
		t.Fatal(err)
	}
	if n := most.Load(); n < 1 || n > 3 {
		t.Errorf("%d calls in flight, want 1 to 3", n)
	}
}

func TestClassifyAllIsCancelled(t *testing.T) {
	s := start(t, serve.Config{}, true)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var begun atomic.Int32
	third := grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if begun.Add(1) == 3 {
			cancel(reason)
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	})
	c := mustDial(t, s.addr, WithBatches(1, 1000, 1), WithDialOptions(third))
	results, err := c.ClassifyAll(ctx, slices.Repeat([]string{"goal"}, 50), nil)
	if err != reason || results != nil {
		t.Errorf("got %v and %v, want %v", results, err, reason)
	}
	if n := begun.Load(); n != 3 {
		t.Errorf("%d calls were begun, want 3", n)
	}
	if _, err := c.ClassifyAll(ctx, nil, nil); err != reason {
		t.Errorf("after that: %v, want %v", err, reason)
	}
}
