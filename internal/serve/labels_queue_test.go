package serve

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

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
