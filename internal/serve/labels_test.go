package serve

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A book is a ledger in a file.
type book struct{ path string }

func newBook(t testing.TB) book { return book{filepath.Join(t.TempDir(), "labels.db")} }

func (b book) config() Labels {
	return Labels{Open: func(ctx context.Context) (*ledger.Ledger, error) { return ledger.Open(ctx, b.path) }, Poll: 10 * time.Millisecond}
}

// open opens the ledger as another program would.
func (b book) open(t testing.TB) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), b.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A desk is a server that takes labels, with a client.
type desk struct {
	*service
	book
	labels parleyv1.LabelServiceClient
}

func startDesk(t testing.TB, cfg Config) *desk {
	t.Helper()
	b := newBook(t)
	cfg.Labels = b.config()
	s := start(t, cfg, newModel(t, 1))
	return &desk{s, b, parleyv1.NewLabelServiceClient(s.conn)}
}

// label is one of ada.
func label(text, head, label string) *parleyv1.NewLabel {
	return &parleyv1.NewLabel{Text: text, Head: head, Label: label, Annotator: "ada"}
}

// by is a label by somebody else.
func by(annotator string, l *parleyv1.NewLabel) *parleyv1.NewLabel {
	l.Annotator = annotator
	return l
}

func newLabels(requestID string, labels ...*parleyv1.NewLabel) *parleyv1.BatchCreateLabelsRequest {
	return &parleyv1.BatchCreateLabelsRequest{RequestId: requestID, Labels: labels}
}

func byText(text string) *parleyv1.TextReference {
	return &parleyv1.TextReference{Reference: &parleyv1.TextReference_Text{Text: text}}
}

func byID(id string) *parleyv1.TextReference {
	return &parleyv1.TextReference{Reference: &parleyv1.TextReference_TextId{TextId: id}}
}

// create gives labels and fails the test when the call fails.
func (d *desk) create(t testing.TB, requestID string, labels ...*parleyv1.NewLabel) *parleyv1.BatchCreateLabelsResponse {
	t.Helper()
	resp, err := d.labels.BatchCreateLabels(t.Context(), newLabels(requestID, labels...))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// outcome says what became of a label: its number, "=" before it if it was there, or
// the code and reason of its error.
func outcome(r *parleyv1.BatchCreateLabelsResult) string {
	if e := r.GetError(); e != nil {
		return failureOf(status.FromProto(e).Err())
	}
	s := fmt.Sprint(r.GetCreated().GetNumber())
	if r.GetCreated().GetExisting() {
		s = "=" + s
	}
	if w := r.GetCreated().GetWarning(); w != 0 {
		s += " " + strings.TrimPrefix(w.String(), "LABEL_WARNING_")
	}
	return s
}

// failureOf is the code, reason and fields of an error, "" if there is none.
func failureOf(err error) string {
	if err == nil {
		return ""
	}
	return status.Code(err).String() + " " + reason(err)
}

func outcomes(resp *parleyv1.BatchCreateLabelsResponse) (list []string) {
	for _, r := range resp.GetResults() {
		list = append(list, outcome(r))
	}
	return list
}

// Bad labels fail alone, and say why.
func TestCreateLabels(t *testing.T) {
	d := startDesk(t, Config{MaxDocumentBytes: 1000})
	id := func(id string, l *parleyv1.NewLabel) *parleyv1.NewLabel { l.TextId = id; return l }
	with := func(change func(*parleyv1.NewLabel)) *parleyv1.NewLabel {
		l := label("The keeper saved a goal.", "topic", "sport")
		change(l)
		return l
	}
	d.create(t, "first", by("bob", label("always fine", "topic", "sport")))
	for i, c := range []struct {
		label *parleyv1.NewLabel
		want  string
	}{
		{id("doc-1", label("Shares fell sharply.", "topic", "money")), "2"},
		{id("doc-1", label("", "topic", "sport")), "3"},
		{id("doc-1", label("", "topic", "sport")), "=3"},
		{label("Shares fell sharply.", "topic", "mony"), "4 UNKNOWN_LABEL"},
		{label("Shares fell sharply.", "tpic", "money"), "5 UNKNOWN_HEAD"},
		{label("Shares fell sharply.", "tpic", ""), "6 UNKNOWN_HEAD"},
		{id("doc-1", label("Quite another text.", "topic", "money")), "Aborted LEDGER_CONFLICT"},
		{id("doc-2", label("", "topic", "money")), "NotFound LEDGER_ENTRY_NOT_FOUND"},
		{label("Never labelled.", "topic", ""), "NotFound LEDGER_ENTRY_NOT_FOUND"},
		{label("", "topic", "money"), "InvalidArgument EMPTY_DOCUMENT text"},
		{id("doc-1", label(" \n\t", "topic", "money")), "InvalidArgument EMPTY_DOCUMENT text"},
		{label(strings.Repeat("goal ", 201), "topic", "money"), "InvalidArgument DOCUMENT_TOO_LARGE text"},
		{label("goal", "", "money"), "InvalidArgument INVALID_FIELD head"},
		{label("goal", "topic", strings.Repeat("x", 257)), "InvalidArgument INVALID_FIELD label"},
		{by("", label("goal", "topic", "sport")), "InvalidArgument INVALID_FIELD annotator"},
		{label("goal\x00goal", "topic", "sport"), "InvalidArgument INVALID_FIELD"},
		{with(func(l *parleyv1.NewLabel) { l.Selection = 99 }), "InvalidArgument INVALID_FIELD selection"},
		{with(func(l *parleyv1.NewLabel) { l.SelectionProbability = 1.5 }), "InvalidArgument INVALID_FIELD selection_probability"},
		{with(func(l *parleyv1.NewLabel) { l.SelectionProbability = math.NaN() }), "InvalidArgument INVALID_FIELD selection_probability"},
		{with(func(l *parleyv1.NewLabel) { l.Supersedes = -1 }), "InvalidArgument INVALID_FIELD supersedes"},
		{with(func(l *parleyv1.NewLabel) { l.Supersedes = 3 }), "Aborted LEDGER_CONFLICT"},
		{with(func(l *parleyv1.NewLabel) { l.Time = &timestamppb.Timestamp{Seconds: math.MaxInt64} }), "InvalidArgument INVALID_FIELD time"},
		{with(func(l *parleyv1.NewLabel) { l.Time = &timestamppb.Timestamp{Seconds: -1} }), "InvalidArgument INVALID_FIELD time"},
		{&parleyv1.NewLabel{}, "InvalidArgument EMPTY_DOCUMENT text"},
		{with(func(l *parleyv1.NewLabel) { l.Label = "ping-pong"; l.Supersedes = 0 }), "7 UNKNOWN_LABEL"},
	} {
		resp := d.create(t, fmt.Sprint("request-", i), c.label, by("bob", label("always fine", "topic", "sport")))
		if got := strings.Join(outcomes(resp), ", "); got != c.want+", =1" {
			t.Errorf("%d: got %s, want %s, =1", i, got, c.want)
		}
		if bad := resp.Results[0].GetError() != nil; bad != (resp.ErrorCount == 1) {
			t.Errorf("%d: %d errors are counted, failed is %t", i, resp.ErrorCount, bad)
		}
	}
}

// What a warning is about comes with what the model has instead.
func TestKnownHeads(t *testing.T) {
	d := startDesk(t, Config{})
	for i, c := range []struct {
		labels []*parleyv1.NewLabel
		want   string
	}{
		{[]*parleyv1.NewLabel{label("a goal", "topic", "sport")}, ""},
		{[]*parleyv1.NewLabel{label("a goal", "topic", "mony")}, "topic: money sport; "},
		{[]*parleyv1.NewLabel{label("a goal", "stnce", "pro")}, "topic: ; stance: ; "},
		{[]*parleyv1.NewLabel{label("a goal", "stance", "for"), label("a goal", "stance", "fr"), label("b", "?", "x")}, "topic: ; stance: con neutral pro; "},
		{[]*parleyv1.NewLabel{label("", "?", "x")}, ""},
	} {
		got := ""
		for _, h := range d.create(t, fmt.Sprint(i), c.labels...).KnownHeads {
			got += h.Head + ": " + strings.Join(h.Labels, " ") + "; "
		}
		if got != c.want {
			t.Errorf("%d: got %q, want %q", i, got, c.want)
		}
	}
}

// A request that comes again has its first results, whatever was said in between.
func TestCreateLabelsAgain(t *testing.T) {
	d := startDesk(t, Config{})
	request := []*parleyv1.NewLabel{label("a goal", "topic", "sport"), label("", "topic", "sport"), label("b goal", "topic", "sport")}
	first := d.create(t, "one", request...)
	d.create(t, "two", label("a goal", "topic", "money"))
	again := d.create(t, "one", request...)
	if !proto.Equal(first, again) || first.Position != 2 {
		t.Errorf("first %v\nagain %v", first, again)
	}
	var storm sync.WaitGroup
	for range 20 { // a client that does not wait for the answer
		storm.Go(func() {
			resp, err := d.labels.BatchCreateLabels(t.Context(), newLabels("storm", label("c goal", "topic", "sport")))
			if err != nil || resp.Results[0].GetCreated().GetNumber() != 4 || resp.Results[0].GetCreated().GetExisting() {
				t.Errorf("got %v, error %v", resp, err)
			}
		})
	}
	storm.Wait()
	if got := outcomes(d.create(t, "three", label("b goal", "topic", "sport"))); got[0] != "=2" {
		t.Errorf("the same label in another request: %s", got)
	}
	_, err := d.labels.BatchCreateLabels(t.Context(), newLabels("one", label("a goal", "topic", "money")))
	if got := failureOf(err); got != "AlreadyExists REQUEST_REUSED" {
		t.Errorf("the request id with another label: %s", got)
	}
	for _, id := range []string{"", "two words", "ümlaut", strings.Repeat("x", 129)} {
		_, err := d.labels.BatchCreateLabels(t.Context(), newLabels(id, label("a goal", "topic", "money")))
		if got := failureOf(err); got != "InvalidArgument INVALID_FIELD request_id" {
			t.Errorf("request id %q: %s", id, got)
		}
	}
	if n, err := d.open(t).Position(t.Context()); n != 4 || err != nil {
		t.Errorf("the ledger is at %d (%v), want 4", n, err)
	}
}

func TestConfirmLabels(t *testing.T) {
	d := startDesk(t, Config{})
	d.create(t, "1", label("odd", "topic", "sport"), label("even", "topic", "money"))
	if err := d.open(t).Quarantine(t.Context(), []ledger.Quarantined{{Seq: 1, Surprise: 9.5, Reason: "odd"}}); err != nil {
		t.Fatal(err)
	}
	confirm := func(id, annotator string) string {
		resp, err := d.labels.ConfirmLabels(t.Context(), &parleyv1.ConfirmLabelsRequest{RequestId: id, Annotator: annotator, Numbers: []int64{1, 2, 77}})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, r := range resp.Results {
			if r.GetError() != nil {
				list = append(list, failureOf(status.FromProto(r.GetError()).Err()))
			} else {
				list = append(list, fmt.Sprint(r.GetConfirmed()))
			}
		}
		return strings.Join(list, ", ")
	}
	for _, c := range [][3]string{
		{"4", "ada", "Aborted LEDGER_CONFLICT, Aborted LEDGER_CONFLICT, NotFound LEDGER_ENTRY_NOT_FOUND"},
		{"2", "bob", "4, Aborted LEDGER_CONFLICT, NotFound LEDGER_ENTRY_NOT_FOUND"},
		{"2", "bob", "4, Aborted LEDGER_CONFLICT, NotFound LEDGER_ENTRY_NOT_FOUND"},
		{"3", "eve", "4, Aborted LEDGER_CONFLICT, NotFound LEDGER_ENTRY_NOT_FOUND"},
	} {
		if got := confirm(c[0], c[1]); got != c[2] {
			t.Errorf("by %s: got %s, want %s", c[1], got, c[2])
		}
	}
}

// Requests beyond the limits are refused as a whole.
func TestHostileLabels(t *testing.T) {
	d := startDesk(t, Config{MaxBatchItems: 10, MaxMessageBytes: 1 << 20})
	many := slices.Repeat([]*parleyv1.NewLabel{label("goal", "topic", "sport")}, 11)
	numbers := make([]int64, 1001)
	refs := slices.Repeat([]*parleyv1.TextReference{byText("goal")}, 101)
	for i := range numbers {
		numbers[i] = int64(i + 1)
	}
	for _, c := range []struct {
		name, want string
		call       func() error
	}{
		{"no labels", "InvalidArgument INVALID_FIELD labels", func() error {
			_, err := d.labels.BatchCreateLabels(t.Context(), newLabels("1"))
			return err
		}},
		{"too many labels", "InvalidArgument BATCH_TOO_LARGE labels", func() error {
			_, err := d.labels.BatchCreateLabels(t.Context(), newLabels("1", many...))
			return err
		}},
		{"too many bytes", "ResourceExhausted ", func() error {
			_, err := d.labels.BatchCreateLabels(t.Context(), newLabels("1", label(strings.Repeat("x", 2<<20), "topic", "sport")))
			return err
		}},
		{"not UTF-8", "InvalidArgument MALFORMED_REQUEST", func() error {
			raw := []byte("\n\x011\x12\x09\n\x02\xff\xfe*\x01t2\x00")
			_, code := exchange(t, d.Server, parleyv1.LabelService_BatchCreateLabels_FullMethodName, raw)
			return status.Error(code, "MALFORMED_REQUEST")
		}},
		{"a large page", "InvalidArgument INVALID_FIELD page_size", func() error {
			_, err := d.labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{PageSize: 1001})
			return err
		}},
		{"many suggestions", "InvalidArgument INVALID_FIELD max_documents", func() error {
			_, err := d.labels.SuggestDocuments(t.Context(), &parleyv1.SuggestDocumentsRequest{Annotator: "ada", MaxDocuments: 101})
			return err
		}},
		{"many confirmations", "InvalidArgument INVALID_FIELD numbers", func() error {
			_, err := d.labels.ConfirmLabels(t.Context(), &parleyv1.ConfirmLabelsRequest{RequestId: "1", Annotator: "ada", Numbers: numbers})
			return err
		}},
		{"many references", "InvalidArgument INVALID_FIELD references", func() error {
			_, err := d.labels.ForgetTexts(t.Context(), &parleyv1.ForgetTextsRequest{RequestId: "1", References: refs})
			return err
		}},
		{"an empty reference", "InvalidArgument INVALID_FIELD references[0].reference", func() error {
			_, err := d.labels.ForgetTexts(t.Context(), &parleyv1.ForgetTextsRequest{RequestId: "1", References: []*parleyv1.TextReference{{}}})
			return err
		}},
		{"a position that never was", "InvalidArgument INVALID_FIELD", func() error {
			_, err := d.labels.ListConflicts(t.Context(), &parleyv1.ListConflictsRequest{PageToken: mark{0, 1 << 40}.token()})
			return err
		}},
	} {
		if got := failureOf(c.call()); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if n, err := d.open(t).Position(t.Context()); n != 0 || err != nil {
		t.Errorf("the ledger is at %d (%v), want 0", n, err)
	}
	if code := status.Code(func() error { _, err := d.labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{}); return err }()); code != codes.OK {
		t.Errorf("afterwards: %s", code)
	}
}
