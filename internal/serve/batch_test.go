package serve

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Every item gets what a call of its own would get, errors included.
func TestBatchEqualsSingleCalls(t *testing.T) {
	s := start(t, Config{MaxDocumentBytes: 50}, newModel(t, 1))
	options := &parleyv1.ClassifyOptions{TopK: -1, MaxEvidenceTerms: 3}
	texts := []string{"", strings.Repeat("x", 51)}
	for i := range 98 {
		texts = append(texts, fmt.Sprintf("great goal no. %d", i), "shares", "首脳会談")
	}
	req := batch(texts...)
	req.Options = options
	resp, err := s.client.BatchClassify(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.GetResults()) != len(texts) || resp.GetErrorCount() != 2 {
		t.Fatalf("%d results with %d errors, want %d with 2", len(resp.GetResults()), resp.GetErrorCount(), len(texts))
	}
	for i, got := range resp.GetResults() {
		single, err := s.client.Classify(t.Context(), request(texts[i], options))
		want := single.GetClassification()
		if want != nil {
			want.ComputeTime = got.GetClassification().GetComputeTime()
		}
		if !proto.Equal(got.GetClassification(), want) || refusal(status.FromProto(got.GetError()).Err()) != refusal(err) {
			t.Errorf("%q:\n got %v\nwant %v and %v", texts[i], got, want, err)
		}
		if got.GetId() != req.GetItems()[i].GetId() {
			t.Errorf("result %d has the id %q, want %q", i, got.GetId(), req.GetItems()[i].GetId())
		}
	}
}

func TestOneBadItemIn100(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	texts := strings.Split(strings.Repeat("great goal,", 99)+"great goal", ",")
	texts[41] = "\t"
	resp, err := s.client.BatchClassify(t.Context(), batch(texts...))
	if err != nil || resp.GetErrorCount() != 1 || len(resp.GetResults()) != 100 {
		t.Fatalf("%d results with %d errors and %v, want 100 with 1", len(resp.GetResults()), resp.GetErrorCount(), err)
	}
	for i, r := range resp.GetResults() {
		if want := fmt.Sprint("n", i); r.GetId() != want {
			t.Errorf("result %d has the id %q, want %q", i, r.GetId(), want)
		}
		if bad := r.GetError() != nil; bad != (i == 41) || bad == (r.GetClassification() != nil) {
			t.Errorf("result %d: error %v, classification %v", i, r.GetError(), r.GetClassification())
		}
	}
}

func TestItemsWithoutIDs(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	req := batch("goal", "goal", "goal")
	req.Items[0].Id, req.Items[2].Id = "", ""
	req.Items[1].Document = nil
	resp, err := s.client.BatchClassify(t.Context(), req)
	if err != nil || resp.GetErrorCount() != 1 || !strings.Contains(resp.GetResults()[1].GetError().GetMessage(), "empty") {
		t.Errorf("got %v and %v, want an error of the second item alone", resp, err)
	}
}

// A leaving is a context that ends after some looks at it.
type leaving struct {
	context.Context
	looks int
	err   error
}

func (l *leaving) Err() error {
	if l.looks--; l.looks < 0 {
		return l.err
	}
	return nil
}

// Nobody waits for the rest of a batch: it is not classified.
func TestContextEndsInTheMiddleOfABatch(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	for want, ended := range map[string]error{
		"Canceled: context canceled": context.Canceled,
		"DeadlineExceeded: the deadline passed before all items were classified": context.DeadlineExceeded,
	} {
		c := &call{}
		ctx := &leaving{context.WithValue(t.Context(), callKey{}, c), 2, ended}
		resp, err := s.Server.BatchClassify(ctx, batch("goal", "goal", "goal", "goal"))
		if got := refusal(err); got != want || resp != nil {
			t.Errorf("got %v and %s, want %s", resp, got, want)
		}
		if c.bytes != len("goal")*2 {
			t.Errorf("%v: read %d bytes of text, want those of 2 items", ended, c.bytes)
		}
	}
}

// checkDocument leaves out documents without a target, since no other field of a
// document has a rule.
func TestDocumentsHaveRulesForTargetsOnly(t *testing.T) {
	d := (&parleyv1.Document{}).ProtoReflect().Descriptor()
	rules, err := protovalidate.ResolveMessageRules(d)
	if err != nil || rules != nil {
		t.Errorf("a document has rules %v of its own (%v)", rules, err)
	}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		rules, err := protovalidate.ResolveFieldRules(f)
		if err != nil || (rules != nil) != (f.Name() == "target") {
			t.Errorf("field %s has rules %v (%v)", f.Name(), rules, err)
		}
	}
	if err := protovalidate.Validate(&parleyv1.Document{}); err != nil {
		t.Errorf("a document without a target: %v", err)
	}
}
