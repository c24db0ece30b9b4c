package serve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

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
