package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func testForget(t *testing.T, b backend) {
	l := b.open(t)
	must(t, l, NewLabel{Text: "secret one", ID: "1", Group: "g", Target: "t", Head: "topic", Label: "x", Annotator: "ann"},
		NewLabel{Text: "secret two", ID: "2", Group: "g", Head: "topic", Label: "x", Annotator: "ann"},
		label("kept", "topic", "x", "ann"))
	if n, err := l.Enqueue(t.Context(), []QueueItem{{Text: "secret three", ID: "3", Heads: []string{"topic"}}}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	found, err := l.Find(t.Context(), TextRef{Group: "g"})
	if err != nil || len(found) != 2 || found[0].Text != "secret one" || !reflect.DeepEqual(found[0].Targets, []string{"t"}) {
		t.Errorf("found %v, %v", found, err)
	}
	refs := []TextRef{{Group: "g"}, {Text: "secret three"}, {Text: "of a base file"}, {ID: "9"}, {Text: "kept", ID: "1"}, {Text: "of a base file"}}
	f, err := l.Forget(t.Context(), "f1", refs, "asked to")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "counts", []int64{int64(f.Texts), int64(f.Unknown), int64(f.Labels), int64(f.Queued), f.Position}, []int64{3, 1, 2, 1, 8})
	for i, want := range []error{nil, nil, nil, ErrNotFound, ErrInvalid, nil} {
		if got := f.Outcomes[i].Err; !errors.Is(got, want) {
			t.Errorf("reference %d: got %v, want %v", i, got, want)
		}
	}
	equal(t, "forgotten before", f.Outcomes[5], Outcome{Seq: 8, Existing: true})
	again, err := l.Forget(t.Context(), "f1", refs, "asked to")
	if err != nil || again.Texts != f.Texts || again.Position != f.Position {
		t.Errorf("repeated: %v, %v", again, err)
	}
	equal(t, "says", says(resolved(t, l, 0)), []string{"kept topic=x"})
	equal(t, "said before", says(resolved(t, l, 3)), []string{"kept topic=x"})
	stones, err := l.Tombstones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"secret one": true, "secret two": true, "secret three": true, "of a base file": true, "kept": false, "other": false} {
		equal(t, text, stones.Has(text), want)
	}
	equal(t, "tombstones", len(stones.List()), 4)
	out, err := l.Add(t.Context(), "", []NewLabel{label("secret one", "topic", "x", "ann"), label("of a base file", "topic", "x", "ann")})
	if err != nil || !errors.Is(out[0].Err, ErrForgotten) || !errors.Is(out[1].Err, ErrForgotten) {
		t.Errorf("forgotten texts came back: %v, %v", out, err)
	}
	if n, err := l.Enqueue(t.Context(), []QueueItem{{Text: "secret three", Heads: []string{"topic"}}}); err != nil || n != 0 {
		t.Errorf("a forgotten text was queued: %d, %v", n, err)
	}
	events, err := l.Events(t.Context(), Query{})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := json.Marshal(events); err != nil || bytes.Contains(data, []byte("secret")) {
		t.Errorf("events have the text: %s, %v", data, err)
	}
	equal(t, "event without content", []any{events[0].Forgotten, events[0].Label, events[0].Group}, []any{true, "x", ""})
}

func testQuarantine(t *testing.T, b backend) {
	l := b.open(t)
	must(t, l, label("a", "topic", "x", "ann"), label("b", "topic", "x", "ann"), label("c", "topic", "x", "ann"))
	for range 2 {
		if err := l.Quarantine(t.Context(), []Quarantined{{1, 9.5, "surprising"}, {2, 8, "surprising"}, {3, 8, "surprising"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Quarantine(t.Context(), []Quarantined{{4, 1, ""}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("quarantine of no label: %v", err)
	}
	r := resolved(t, l, 0)
	equal(t, "position", r.Position, 6)
	equal(t, "says", says(r), []string{})
	if len(r.Quarantined) != 3 || r.Quarantined[0].Surprise != 9.5 || r.Quarantined[0].Text != "a" || r.Quarantined[0].Reason != "surprising" {
		t.Errorf("held: %v", r.Quarantined)
	}
	out, err := l.Confirm(t.Context(), "c", []int64{1, 4, 9}, "bob")
	if err != nil || out[0].Err != nil || !errors.Is(out[1].Err, ErrNotFound) || !errors.Is(out[2].Err, ErrNotFound) {
		t.Errorf("confirmed: %v, %v", out, err)
	}
	if out, err := l.Confirm(t.Context(), "", []int64{2}, "ann"); err != nil || !errors.Is(out[0].Err, ErrConflict) {
		t.Errorf("confirmed by the same: %v, %v", out, err)
	}
	must(t, l, label("c", "topic", "y", "ann"))
	r = resolved(t, l, 0)
	equal(t, "says", says(r), []string{"a topic=x", "c topic=y"})
	equal(t, "confirmed", r.Rows[0].Labels["topic"].Confirmed, true)
	waiting, err := l.Events(t.Context(), Query{Quarantined: true})
	if err != nil || len(waiting) != 1 || waiting[0].Text != "b" {
		t.Errorf("waiting: %v, %v", waiting, err)
	}
	equal(t, "before", says(resolved(t, l, 3)), []string{"a topic=x", "b topic=x", "c topic=x"})
}

func testQueue(t *testing.T, b backend) {
	l := b.open(t)
	must(t, l, label("labelled", "topic", "x", "ann"))
	both := []string{"topic", "stance"}
	items := []QueueItem{
		{Text: "q1", ID: "1", Heads: both, Selection: Uncertain, SelectionProbability: 0.5, Revision: "r", Predictions: json.RawMessage(`{"topic":"x"}`), Batch: "b1"},
		{Text: "q2", Heads: both, Selection: Random}, {Text: "labelled", Heads: []string{"topic"}}, {Text: "q1", Heads: both},
	}
	for i, want := range []int{2, 0} {
		if n, err := l.Enqueue(t.Context(), items); err != nil || n != want {
			t.Fatalf("time %d: added %d, %v", i, n, err)
		}
	}
	pending := func(annotator string) string {
		t.Helper()
		list, err := l.Pending(t.Context(), annotator, 10)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, q := range list {
			texts = append(texts, q.Text)
		}
		return strings.Join(texts, " ")
	}
	list, err := l.Pending(t.Context(), "ann", 1)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	want := items[0]
	want.Seq, want.Time = list[0].Seq, list[0].Time
	equal(t, "item", list[0], want)
	must(t, l, label("q1", "topic", "x", "ann"))
	equal(t, "half labelled", pending("ann"), "q1 q2")
	must(t, l, label("q1", "stance", "x", "bob"))
	equal(t, "labelled", pending("ann"), "q2")
	must(t, l, label("q1", "stance", "", "bob"))
	equal(t, "taken back", pending("ann"), "q1 q2")
	if err := l.Skip(t.Context(), list[0].Seq, "ann"); err != nil {
		t.Fatal(err)
	}
	equal(t, "skipped", pending("ann"), "q2")
	equal(t, "skipped by another", pending("bob"), "q1 q2")
	if _, err := l.Remap(t.Context(), "", Remap{Head: "topic", From: "x", To: []string{"a", "b"}, Annotator: "ann"}); err != nil {
		t.Fatal(err)
	}
	again := []QueueItem{{Text: "labelled", Heads: both, Batch: "b2"}, {Text: "q2", Heads: both}, {Text: "q2", Heads: []string{"topic", "length"}}}
	if n, err := l.Enqueue(t.Context(), again); err != nil || n != 2 {
		t.Errorf("a label that was split, another head: %d, %v", n, err)
	}
	equal(t, "split", pending("bob"), "q1 q2 labelled q2")
	list, err = l.Pending(t.Context(), "bob", 10)
	if err != nil || !reflect.DeepEqual(list[3].Heads, []string{"length"}) {
		t.Errorf("heads that are not queued yet: %v, %v", list, err)
	}
	if err := l.Skip(t.Context(), 1, "ann"); !errors.Is(err, ErrNotFound) {
		t.Errorf("skipped what is not queued: %v", err)
	}
}
