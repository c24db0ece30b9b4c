package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A backend makes empty ledgers: each call another.
type backend struct {
	name string
	url  func(t *testing.T) string
}

// suite is what holds for every backend.
var suite = []struct {
	name string
	test func(t *testing.T, b backend)
}{
	{"labels are numbered and found", testAdd},
	{"bad items do not keep others back", testBadItems},
	{"a request is carried out once", testRequests},
	{"the rule", testRule},
	{"positions", testPositions},
	{"forgetting", testForget},
	{"quarantine", testQuarantine},
	{"the queue", testQueue},
	{"export and import", testExport},
	{"pages", testPages},
	{"waiting", testWait},
	{"two who write", testWriters},
	{"many who open a new one", testOpeners},
	{"processes that write, one that reads", testProcesses},
	{"records", testRecords},
}

func runSuite(t *testing.T, b backend) {
	for _, s := range suite {
		t.Run(s.name, func(t *testing.T) { s.test(t, b) })
	}
}

func (b backend) open(t *testing.T) *Ledger {
	t.Helper()
	return openAt(t, b.url(t))
}

func openAt(t *testing.T, url string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// label is one of annotator a.
func label(text, head, label, annotator string) NewLabel {
	return NewLabel{Text: text, Head: head, Label: label, Annotator: annotator}
}

// must adds labels that have no errors and returns the outcomes.
func must(t *testing.T, l *Ledger, labels ...NewLabel) []Outcome {
	t.Helper()
	out, err := l.Add(t.Context(), "", labels)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.Err != nil {
			t.Fatalf("label %d: %v", i, o.Err)
		}
	}
	return out
}

func resolved(t *testing.T, l *Ledger, at int64) *Resolution {
	t.Helper()
	r, err := l.Resolve(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// says lists what a resolution settles, as "text[@target] head=label".
func says(r *Resolution) []string {
	list := []string{}
	for _, row := range r.Rows {
		name := row.Text
		if row.Target != "" {
			name += "@" + row.Target
		}
		for _, head := range []string{"stance", "topic"} {
			if s, has := row.Labels[head]; has {
				list = append(list, fmt.Sprintf("%s %s=%s", name, head, s.Label))
			}
		}
	}
	return list
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func testAdd(t *testing.T, b backend) {
	l := b.open(t)
	at := time.Date(2025, 8, 15, 19, 30, 0, 123456000, time.UTC)
	out := must(t, l,
		NewLabel{Text: "one", ID: "1", Group: "g", Target: "oil", Head: "stance", Label: "hopeful", Annotator: "ann", Source: "desk",
			Time: at, Selection: Random, SelectionProbability: 0.25},
		label("two", "topic", "economy", "ann"),
		NewLabel{ID: "1", Head: "topic", Label: "energy", Annotator: "bob"})
	equal(t, "outcomes", out, []Outcome{{Seq: 1}, {Seq: 2}, {Seq: 3}})
	again := must(t, l, label("two", "topic", "economy", "ann"), label("two", "topic", "war", "ann"))
	equal(t, "again", again, []Outcome{{Seq: 2, Existing: true}, {Seq: 4}})
	events, err := l.Events(t.Context(), Query{Limit: 1})
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	e := events[0]
	if e.Recorded.IsZero() {
		t.Error("no time of recording")
	}
	e.Recorded = time.Time{}
	equal(t, "event", e, Event{Seq: 1, Kind: KindLabel, TextID: 1, Text: "one", ID: "1", Group: "g", TargetID: 1, Target: "oil", Head: "stance",
		Label: "hopeful", Annotator: "ann", Source: "desk", Selection: Random, SelectionProbability: 0.25, Time: at})
	equal(t, "says", says(resolved(t, l, 0)), []string{"one topic=energy", "one@oil stance=hopeful", "two topic=war"})
	for what, q := range map[string]Query{"by id": {ID: "1"}, "by head": {Head: "topic", Annotator: "bob"}, "by source": {Source: "desk"}, "by text": {TextID: 1, Kind: KindLabel}} {
		if list, err := l.Events(t.Context(), q); err != nil || len(list) == 0 || list[0].Text != "one" {
			t.Errorf("%s: got %v, %v", what, list, err)
		}
	}
	replaced, err := l.Add(t.Context(), "", []NewLabel{{Text: "two", Head: "topic", Label: "oil", Annotator: "ann", Supersedes: 2}})
	if err != nil || !errors.Is(replaced[0].Err, ErrConflict) {
		t.Errorf("an old label was replaced: %v, %v", replaced, err)
	}
	must(t, l, NewLabel{Text: "two", Head: "topic", Label: "oil", Annotator: "ann", Supersedes: 4})
}

func testBadItems(t *testing.T, b backend) {
	l := b.open(t)
	must(t, l, NewLabel{Text: "taken", ID: "7", Head: "topic", Label: "x", Annotator: "ann"})
	bad := map[string]struct {
		label NewLabel
		want  error
	}{
		"no text":        {NewLabel{Head: "topic", Label: "x", Annotator: "ann"}, ErrInvalid},
		"no head":        {NewLabel{Text: "t", Label: "x", Annotator: "ann"}, ErrInvalid},
		"no annotator":   {NewLabel{Text: "t", Head: "topic", Label: "x"}, ErrInvalid},
		"no UTF-8":       {label("\xff", "topic", "x", "ann"), ErrInvalid},
		"NUL":            {label("a\x00b", "topic", "x", "ann"), ErrInvalid},
		"long text":      {label(strings.Repeat("a", MaxText+1), "topic", "x", "ann"), ErrTooLarge},
		"long label":     {label("t", "topic", strings.Repeat("a", MaxName+1), "ann"), ErrTooLarge},
		"unknown id":     {NewLabel{ID: "8", Head: "topic", Label: "x", Annotator: "ann"}, ErrNotFound},
		"id of another":  {NewLabel{Text: "t", ID: "7", Head: "topic", Label: "x", Annotator: "ann"}, ErrConflict},
		"selection":      {NewLabel{Text: "t", Head: "topic", Label: "x", Annotator: "ann", Selection: "best"}, ErrInvalid},
		"probability":    {NewLabel{Text: "t", Head: "topic", Label: "x", Annotator: "ann", SelectionProbability: 1.5}, ErrInvalid},
		"no probability": {NewLabel{Text: "t", Head: "topic", Label: "x", Annotator: "ann", SelectionProbability: math.NaN()}, ErrInvalid},
		"no time":        {NewLabel{Text: "t", Head: "topic", Label: "x", Annotator: "ann", Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}, ErrInvalid},
		"nothing there":  {label("never", "topic", "", "ann"), ErrNotFound},
	}
	for what, c := range bad {
		out, err := l.Add(t.Context(), "", []NewLabel{c.label, label("good "+what, "topic", "x", "ann")})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if !errors.Is(out[0].Err, c.want) || out[0].Seq != 0 {
			t.Errorf("%s: got %v, want %v", what, out[0], c.want)
		}
		if out[1].Err != nil || out[1].Seq == 0 {
			t.Errorf("%s: the good one: %v", what, out[1])
		}
	}
	equal(t, "rows", len(resolved(t, l, 0).Rows), 1+len(bad))
	if _, err := l.Add(t.Context(), "", make([]NewLabel, MaxBatch+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large batch: %v", err)
	}
}

func testRequests(t *testing.T, b backend) {
	l := b.open(t)
	labels := []NewLabel{label("a", "topic", "x", "ann"), {Text: "b", Label: "x", Annotator: "ann"}}
	first, err := l.Add(t.Context(), "r1", labels)
	if err != nil {
		t.Fatal(err)
	}
	must(t, l, label("a", "topic", "y", "ann")) // or the content would say that it is there
	again, err := l.Add(t.Context(), "r1", labels)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "first", again[0], first[0])
	if !errors.Is(again[1].Err, ErrInvalid) || again[1].Err.Error() != first[1].Err.Error() {
		t.Errorf("got error %v, first %v", again[1].Err, first[1].Err)
	}
	if _, err := l.Add(t.Context(), "r1", labels[:1]); !errors.Is(err, ErrRequestReused) {
		t.Errorf("another request of that id: %v", err)
	}
	n, err := l.Position(t.Context())
	if err != nil || n != 2 {
		t.Errorf("position %d, %v", n, err)
	}
}

func testRule(t *testing.T, b backend) {
	l := b.open(t)
	must(t, l,
		label("majority", "topic", "x", "ann"), label("majority", "topic", "y", "bob"), label("majority", "topic", "x", "cec"),
		label("tie", "topic", "x", "ann"), label("tie", "topic", "y", "bob"),
		label("settled", "topic", "x", "ann"), label("settled", "topic", "x", "bob"),
		NewLabel{Text: "settled", Head: "topic", Label: "y", Annotator: "cec", Adjudicated: true},
		label("changed", "topic", "x", "ann"), label("changed", "topic", "y", "ann"),
		label("taken back", "topic", "x", "ann"), label("taken back", "topic", "", "ann"),
		label("renamed", "topic", "old", "ann"), label("merged", "topic", "x2", "ann"), label("split", "topic", "wide", "ann"),
		label("dropped", "topic", "gone", "ann"))
	for _, r := range []Remap{{From: "old", To: []string{"new"}}, {From: "x2", To: []string{"x"}}, {From: "wide", To: []string{"a", "b"}}, {From: "gone"}, {From: "new", To: []string{"newer"}}} {
		r.Head, r.Annotator = "topic", "ann"
		if _, err := l.Remap(t.Context(), "", r); err != nil {
			t.Fatal(err)
		}
	}
	must(t, l, label("given later", "topic", "old", "ann"))
	r := resolved(t, l, 0)
	equal(t, "says", says(r), []string{"majority topic=x", "settled topic=y", "changed topic=y", "renamed topic=newer", "merged topic=x", "given later topic=old"})
	if len(r.Conflicts) != 1 || r.Conflicts[0].Text != "tie" || len(r.Conflicts[0].Votes) != 2 {
		t.Errorf("conflicts: %v", r.Conflicts)
	}
	s := r.Rows[0].Labels["topic"]
	equal(t, "votes", []any{s.Votes, s.Of, s.Seqs, s.Annotators}, []any{2, 3, []int64{1, 3}, []string{"ann", "cec"}})
	equal(t, "remaps", len(r.Remaps), 5)
	again := must(t, l, label("renamed", "topic", "newer", "ann"))
	equal(t, "what a remap made is there", again[0].Existing, true)
	must(t, l, label("split", "topic", "a", "ann"))
	if list := says(resolved(t, l, 0)); !strings.Contains(strings.Join(list, ";"), "split topic=a") {
		t.Errorf("a split label given anew: %v", list)
	}
}

func testPositions(t *testing.T, b backend) {
	l := b.open(t)
	must(t, l, label("a", "topic", "x", "ann"), label("b", "topic", "x", "ann"))
	must(t, l, label("a", "topic", "y", "ann"))
	if _, err := l.Remap(t.Context(), "", Remap{Head: "topic", From: "x", To: []string{"z"}, Annotator: "ann"}); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int64][]string{
		1: {"a topic=x"}, 2: {"a topic=x", "b topic=x"}, 3: {"a topic=y", "b topic=x"}, 4: {"a topic=y", "b topic=z"}, 0: {"a topic=y", "b topic=z"},
	} {
		equal(t, fmt.Sprint("at ", at), says(resolved(t, l, at)), want)
	}
	if _, err := l.Resolve(t.Context(), 5); !errors.Is(err, ErrInvalid) {
		t.Errorf("a position to come: %v", err)
	}
}

func testPages(t *testing.T, b backend) {
	l := b.open(t)
	for i := range 5 {
		must(t, l, label(fmt.Sprint("text ", i), "topic", "x", "ann"), label(fmt.Sprint("text ", i), "stance", "y", "ann"))
	}
	var seen []int64
	for after := int64(0); ; {
		page, err := l.Events(t.Context(), Query{After: after, Limit: 3, Head: "topic"})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			seen = append(seen, e.Seq)
		}
		after = page[len(page)-1].Seq
	}
	equal(t, "pages", seen, []int64{1, 3, 5, 7, 9})
	newest, err := l.Events(t.Context(), Query{Limit: 2, Newest: true})
	if err != nil || len(newest) != 2 || newest[0].Seq != 10 || newest[1].Seq != 9 {
		t.Errorf("newest: %v, %v", newest, err)
	}
	large := strings.Repeat("a", MaxText-2)
	for i := range 18 {
		must(t, l, label(fmt.Sprintf("%s%02d", large, i), "topic", "x", "ann"))
	}
	page, err := l.Events(t.Context(), Query{After: 10})
	if err != nil || len(page) != MaxPageBytes/MaxText {
		t.Errorf("a page of %d large texts, %v", len(page), err)
	}
}

func testWait(t *testing.T, b backend) {
	url := b.url(t)
	l, other := openAt(t, url), openAt(t, url)
	type seen struct {
		at  int64
		err error
	}
	done := make(chan seen)
	go func() {
		at, err := l.Wait(context.Background(), 0)
		done <- seen{at, err}
	}()
	must(t, other, label("a", "topic", "x", "ann"))
	equal(t, "position", <-done, seen{1, nil})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waited in vain: %v", err)
	}
}

func testWriters(t *testing.T, b backend) {
	url := b.url(t)
	const each = 20
	errs := make(chan error, 4)
	for k := range 4 {
		l := openAt(t, url)
		go func() {
			for i := range each {
				if _, err := l.Add(context.Background(), fmt.Sprint(k, "-", i), []NewLabel{label(fmt.Sprint("t", i), "topic", "x", fmt.Sprint("ann", k))}); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	l := openAt(t, url)
	events, err := l.Events(t.Context(), Query{})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d has number %d", i+1, e.Seq)
		}
	}
	equal(t, "events", len(events), 4*each)
	r := resolved(t, l, 0)
	equal(t, "rows", len(r.Rows), each)
	equal(t, "votes", r.Rows[0].Labels["topic"].Votes, 4)
}

func testRecords(t *testing.T, b backend) {
	l := b.open(t)
	seq, err := l.Record(t.Context(), "retrain", json.RawMessage(`{"verdict":"promote"}`))
	if err != nil || seq != 1 {
		t.Fatal(seq, err)
	}
	events, err := l.Events(t.Context(), Query{Kind: "retrain"})
	if err != nil || len(events) != 1 || string(events[0].Details) != `{"verdict":"promote"}` {
		t.Errorf("got %v, %v", events, err)
	}
	for _, kind := range []string{"", "label", "Re", strings.Repeat("a", MaxKind+1)} {
		if _, err := l.Record(t.Context(), kind, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("kind %q: %v", kind, err)
		}
	}
	if _, err := l.Record(t.Context(), "x", json.RawMessage(`{`)); !errors.Is(err, ErrInvalid) {
		t.Errorf("details: %v", err)
	}
}
