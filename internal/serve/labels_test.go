package serve

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
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

func newBook(t testing.TB) book {
	b := book{filepath.Join(t.TempDir(), "labels.db")}
	l, err := ledger.Open(t.Context(), b.path) // two that make it at once would wait for each other
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return b
}

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
	if n, err := d.open(t).Position(t.Context()); n != 3 || err != nil {
		t.Errorf("the ledger is at %d (%v), want 3", n, err)
	}
}

// Labels that are taken are in the ledger with all that was said.
func TestListLabels(t *testing.T) {
	d := startDesk(t, Config{})
	said := time.Date(2025, 8, 15, 12, 0, 0, 0, time.UTC)
	full := &parleyv1.NewLabel{
		Text: "The goal came late.", TextId: "doc-7", Group: "forum/7", Target: "oil price", Head: "stance", Label: "pro",
		Annotator: "ada", Source: "tool", Selection: parleyv1.Selection_SELECTION_RANDOM, SelectionProbability: 0.25,
		Adjudicated: true, Time: timestamppb.New(said),
	}
	d.create(t, "1", full, by("bob", label("Shares fell.", "topic", "money")), label("Shares fell.", "topic", "sport"))
	d.create(t, "2", label("Shares fell.", "topic", "money"))
	other := d.open(t)
	if err := other.Quarantine(t.Context(), []ledger.Quarantined{{Seq: 2, Surprise: 9.5, Reason: "unlike the others"}}); err != nil {
		t.Fatal(err)
	}
	resp, err := d.labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{})
	if err != nil || len(resp.Events) != 4 || resp.Position != 5 || resp.NextPageToken != "" {
		t.Fatalf("got %v, error %v", resp, err)
	}
	if e := resp.Events[0]; time.Since(e.RecordTime.AsTime()) > time.Hour {
		t.Errorf("written at %v", e.RecordTime.AsTime())
	} else if e.RecordTime = nil; !proto.Equal(e, &parleyv1.LedgerEvent{
		Number: 1, Kind: "label", Text: full.Text, TextId: "doc-7", Group: "forum/7", Target: "oil price", Head: "stance", Label: "pro", Annotator: "ada",
		Source: "tool", Selection: full.Selection, SelectionProbability: 0.25, Adjudicated: true, Time: full.Time,
	}) {
		t.Errorf("got %v", e)
	}
	for _, c := range []struct {
		req  *parleyv1.ListLabelsRequest
		want []int64
	}{
		{&parleyv1.ListLabelsRequest{Head: "topic"}, []int64{2, 3, 4}},
		{&parleyv1.ListLabelsRequest{Annotator: "bob"}, []int64{2}},
		{&parleyv1.ListLabelsRequest{Source: "tool"}, []int64{1}},
		{&parleyv1.ListLabelsRequest{TextId: "doc-7"}, []int64{1}},
		{&parleyv1.ListLabelsRequest{TextId: "doc-8"}, nil},
		{&parleyv1.ListLabelsRequest{After: 3}, []int64{4}},
		{&parleyv1.ListLabelsRequest{After: 5}, nil},
		{&parleyv1.ListLabelsRequest{Quarantined: true}, []int64{2}},
		{&parleyv1.ListLabelsRequest{Kind: "quarantine"}, []int64{5}},
		{&parleyv1.ListLabelsRequest{Kind: "*"}, []int64{1, 2, 3, 4, 5}},
	} {
		resp, err := d.labels.ListLabels(t.Context(), c.req)
		var got []int64
		for _, e := range resp.GetEvents() {
			got = append(got, e.Number)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v: got %d, error %v, want %d", c.req, got, err, c.want)
		}
	}
	for _, token := range []string{"x", "MSAy=", "MiAx", "LTEgMg", "MSAgMg", strings.Repeat("M", 129)} {
		if _, err := d.labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{PageToken: token}); failureOf(err) != "InvalidArgument INVALID_FIELD page_token" {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

// Whoever pages through gets every label once that was there at the first page, while
// others write, and no page is larger than a client takes.
func TestPagesWhileOthersWrite(t *testing.T) {
	d := startDesk(t, Config{})
	l := d.open(t)
	const texts, batch = 10_000, 1000
	write := func(from, n int, words string) {
		var labels []ledger.NewLabel
		for i := range n {
			labels = append(labels, ledger.NewLabel{Text: fmt.Sprintf("text %d %s", from+i, words), Head: "topic", Label: "sport", Annotator: "ada"})
		}
		if _, err := l.Add(context.Background(), "", labels); err != nil {
			t.Error(err)
		}
	}
	for i := range texts / batch {
		write(i*batch, batch, "")
	}
	write(texts, 12, strings.Repeat("long ", 100_000)) // half a megabyte each
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := texts + 1000; ; i += 10 {
			select {
			case <-stop:
				return
			default:
				write(i, 10, "")
			}
		}
	}()
	want, pages := int64(1), 0
	req, position := &parleyv1.ListLabelsRequest{PageSize: 1000}, int64(0)
	for {
		resp, err := d.labels.ListLabels(t.Context(), req) // the client takes 4 MiB
		if err != nil {
			t.Fatal(err)
		}
		if pages++; position == 0 {
			position = resp.Position
		}
		if resp.Position != position {
			t.Fatalf("page %d is of position %d, the first of %d", pages, resp.Position, position)
		}
		for _, e := range resp.Events {
			if e.Number != want {
				t.Fatalf("page %d: number %d, want %d", pages, e.Number, want)
			}
			want++
		}
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			break
		}
	}
	close(stop)
	<-stopped
	if want-1 != position || position < texts+12 {
		t.Errorf("%d labels in %d pages, want %d", want-1, pages, position)
	}
	resp, err := d.labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{After: position, PageSize: 1})
	if err != nil || len(resp.Events) != 1 || resp.Events[0].Number != position+1 {
		t.Errorf("what came since: %v, error %v", resp, err)
	}
}

func TestListConflicts(t *testing.T) {
	d := startDesk(t, Config{})
	var labels []*parleyv1.NewLabel
	for i := range 7 {
		text := fmt.Sprintf("disputed %d", i)
		labels = append(labels, label(text, "topic", "sport"), by("bob", label(text, "topic", "money")))
	}
	d.create(t, "1", append(labels, label("agreed", "topic", "sport"), label("disputed 0", "stance", "pro"), by("bob", label("disputed 0", "stance", "con")))...)
	list := func(req *parleyv1.ListConflictsRequest) *parleyv1.ListConflictsResponse {
		t.Helper()
		resp, err := d.labels.ListConflicts(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	if resp := list(&parleyv1.ListConflictsRequest{Head: "stance"}); len(resp.Conflicts) != 1 || resp.Conflicts[0].Text != "disputed 0" ||
		len(resp.Conflicts[0].Votes) != 2 || resp.Conflicts[0].Votes[1].Annotator != "bob" || resp.Conflicts[0].Votes[1].Label != "con" {
		t.Errorf("got %v", resp)
	}
	page := list(&parleyv1.ListConflictsRequest{Head: "topic", PageSize: 3})
	// One is settled, another forgotten, before the next page is asked for.
	d.create(t, "2", &parleyv1.NewLabel{Text: "disputed 3", Head: "topic", Label: "sport", Annotator: "ada", Adjudicated: true})
	if _, err := d.open(t).Forget(t.Context(), "", []ledger.TextRef{{Text: "disputed 4"}}, ""); err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		for _, c := range page.Conflicts {
			got = append(got, strings.TrimPrefix(c.Text, "disputed "))
		}
		if page.NextPageToken == "" {
			break
		}
		page = list(&parleyv1.ListConflictsRequest{Head: "topic", PageSize: 3, PageToken: page.NextPageToken})
	}
	if s := strings.Join(got, " "); s != "0 1 2 3 5 6" {
		t.Errorf("got %s", s)
	}
	if resp := list(&parleyv1.ListConflictsRequest{}); len(resp.Conflicts) != 6 {
		t.Errorf("afterwards %d conflicts, want 6: %v", len(resp.Conflicts), resp)
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

// The queue is served to each annotator without what was labelled, by anybody, and
// what that one skipped.
func TestSuggestDocuments(t *testing.T) {
	d := startDesk(t, Config{})
	var items []ledger.QueueItem
	for i := range 12 {
		items = append(items, ledger.QueueItem{
			Text: fmt.Sprintf("queued %d", i), ID: fmt.Sprintf("doc-%d", i), Heads: []string{"topic"}, Selection: ledger.Uncertain, SelectionProbability: 0.5,
			Revision: "r1", Predictions: []byte(`{"topic":"sport"}`), Batch: "b1",
		})
	}
	if _, err := d.open(t).Enqueue(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	suggest := func(annotator string, n int32) []*parleyv1.SuggestedDocument {
		t.Helper()
		resp, err := d.labels.SuggestDocuments(t.Context(), &parleyv1.SuggestDocumentsRequest{Annotator: annotator, MaxDocuments: n, WithPredictions: n == 1})
		if err != nil {
			t.Fatal(err)
		}
		return resp.Documents
	}
	if n := len(suggest("ada", 0)); n != defaultSuggestions {
		t.Errorf("%d suggestions for a caller that does not say, want %d", n, defaultSuggestions)
	}
	one := suggest("ada", 1)[0]
	if one.QueueTime = nil; !proto.Equal(one, &parleyv1.SuggestedDocument{
		Number: 1, Text: "queued 0", TextId: "doc-0", Heads: []string{"topic"}, Selection: parleyv1.Selection_SELECTION_UNCERTAIN, SelectionProbability: 0.5,
		Revision: "r1", Predictions: `{"topic":"sport"}`, Batch: "b1",
	}) {
		t.Errorf("got %v", one)
	}
	d.create(t, "1", label("queued 0", "topic", "sport"))
	for range 2 { // skipping twice is skipping
		if _, err := d.labels.SkipDocument(t.Context(), &parleyv1.SkipDocumentRequest{Number: 2, Annotator: "ada"}); err != nil {
			t.Fatal(err)
		}
	}
	for annotator, want := range map[string]string{"ada": "queued 2", "bob": "queued 1"} {
		if got := suggest(annotator, 5)[0]; got.Text != want || got.Predictions != "" {
			t.Errorf("%s gets %v, want %s", annotator, got, want)
		}
	}
	_, err := d.labels.SkipDocument(t.Context(), &parleyv1.SkipDocumentRequest{Number: 99, Annotator: "ada"})
	if got := failureOf(err); got != "NotFound LEDGER_ENTRY_NOT_FOUND" {
		t.Errorf("to skip what is not queued: %s", got)
	}
	_, err = d.labels.SuggestDocuments(t.Context(), &parleyv1.SuggestDocumentsRequest{})
	if got := failureOf(err); got != "InvalidArgument INVALID_FIELD annotator" {
		t.Errorf("for nobody: %s", got)
	}
}

// Long texts of the queue come a few at a time.
func TestSuggestionsAreBounded(t *testing.T) {
	d := startDesk(t, Config{})
	var items []ledger.QueueItem
	for i := range 8 {
		items = append(items, ledger.QueueItem{Text: fmt.Sprint(i, strings.Repeat(" word", 200_000)), Heads: []string{"topic"}})
	}
	if _, err := d.open(t).Enqueue(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	resp, err := d.labels.SuggestDocuments(t.Context(), &parleyv1.SuggestDocumentsRequest{Annotator: "ada", MaxDocuments: 100})
	if err != nil || len(resp.Documents) != 3 {
		t.Errorf("%d documents, error %v, want 3", len(resp.GetDocuments()), err)
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
