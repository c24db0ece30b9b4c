package serve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A securedDesk takes labels from callers that it knows.
type securedDesk struct {
	*secured
	book
	labels parleyv1.LabelServiceClient
}

func startSecuredDesk(t *testing.T) *securedDesk {
	t.Helper()
	b := newBook(t)
	s := startSecured(t, Config{Labels: b.config()})
	return &securedDesk{s, b, parleyv1.NewLabelServiceClient(s.connect(t))}
}

// as returns a context of calls with the key of that name.
func (d *securedDesk) as(t *testing.T, name string) context.Context {
	t.Helper()
	if d.keys[name] == "" {
		t.Fatalf("there is no key %s", name)
	}
	return with(t, "Bearer "+d.keys[name])
}

// Each role may call what it is for, and nothing else.
func TestRolesOfLabels(t *testing.T) {
	d := startSecuredDesk(t)
	methods := []string{"BatchCreateLabels", "ListLabels", "ListConflicts", "ConfirmLabels", "SuggestDocuments", "SkipDocument", "ForgetTexts", "NoSuchMethod"}
	if n := len(parleyv1.LabelService_ServiceDesc.Methods); n != len(methods)-1 {
		t.Errorf("the service has %d methods: add them here and to the guard", n)
	}
	call := func(ctx context.Context, method string) error {
		var err error
		switch method {
		case "BatchCreateLabels":
			_, err = d.labels.BatchCreateLabels(ctx, newLabels("x"))
		case "ListLabels":
			_, err = d.labels.ListLabels(ctx, &parleyv1.ListLabelsRequest{PageSize: -1})
		case "ListConflicts":
			_, err = d.labels.ListConflicts(ctx, &parleyv1.ListConflictsRequest{PageSize: -1})
		case "ConfirmLabels":
			_, err = d.labels.ConfirmLabels(ctx, &parleyv1.ConfirmLabelsRequest{})
		case "SuggestDocuments":
			_, err = d.labels.SuggestDocuments(ctx, &parleyv1.SuggestDocumentsRequest{MaxDocuments: -1})
		case "SkipDocument":
			_, err = d.labels.SkipDocument(ctx, &parleyv1.SkipDocumentRequest{})
		case "ForgetTexts":
			_, err = d.labels.ForgetTexts(ctx, &parleyv1.ForgetTextsRequest{})
		default:
			err = d.connect(t).Invoke(ctx, "/parley.v1.LabelService/"+method, &parleyv1.SkipDocumentRequest{}, &parleyv1.SkipDocumentResponse{})
		}
		return err
	}
	for _, c := range []struct{ key, may string }{
		{"scorer-key", ""},
		{"reader-key", ""},
		{"operator-key", ""},
		{"labeler-key", "BatchCreateLabels ListLabels SuggestDocuments SkipDocument"},
		{"relay-key", "BatchCreateLabels ListLabels SuggestDocuments SkipDocument"},
		{"auditor-key", "ListLabels ListConflicts"},
		{"curator-key", "BatchCreateLabels ListLabels ListConflicts ConfirmLabels"},
		{"eraser-key", "ForgetTexts NoSuchMethod"},
		{"admin-key", strings.Join(methods, " ")},
	} {
		var got []string
		for _, m := range methods {
			switch code := status.Code(call(d.as(t, c.key), m)); code {
			case codes.PermissionDenied:
			case codes.InvalidArgument, codes.Unimplemented: // it got past the guard
				got = append(got, m)
			default:
				t.Errorf("%s, %s: %s", c.key, m, code)
			}
		}
		if s := strings.Join(got, " "); s != c.may {
			t.Errorf("%s may call %q, want %q", c.key, s, c.may)
		}
	}
	if got := status.Code(call(t.Context(), "ListLabels")); got != codes.Unauthenticated {
		t.Errorf("without a key: %s", got)
	}
	for _, key := range []string{"labeler-key", "relay-key", "auditor-key", "curator-key", "eraser-key"} {
		if got := access(d.as(t, key), d.connect(t)); got != "no no no no" {
			t.Errorf("%s, other services: %s", key, got)
		}
	}
}

// In the ledger is who called, unless the caller may speak for others; a certificate's
// name counts as a key's.
func TestWhoSaysSo(t *testing.T) {
	d := startSecuredDesk(t)
	said := func(annotator, source string, adjudicated bool) *parleyv1.NewLabel {
		return &parleyv1.NewLabel{Head: "topic", Label: "sport", Annotator: annotator, Source: source, Adjudicated: adjudicated}
	}
	const role = "PermissionDenied ROLE_MISSING"
	for i, c := range []struct {
		key   string
		label *parleyv1.NewLabel
		want  string // annotator and source, or the error
	}{
		{"labeler-key", said("", "", false), "labeler-key labeler-key"},
		{"labeler-key", said("labeler-key", "labeler-key", false), "labeler-key labeler-key"},
		{"labeler-key", said("ada", "", false), role},
		{"labeler-key", said("", "import", false), role},
		{"labeler-key", said("", "", true), role},
		{"relay-key", said("ada", "", false), "ada relay-key"},
		{"relay-key", said("", "", false), "relay-key relay-key"},
		{"relay-key", said("ada", "labeler-key", false), role},
		{"relay-key", said("ada", "", true), role},
		{"curator-key", said("", "", true), "curator-key curator-key"},
		{"curator-key", said("ada", "", true), role},
		{"relay.curator-key", said("ada", "", true), "ada relay.curator-key"},
		{"admin-key", said("ada", "import-7", true), "ada import-7"},
		{"admin-key", said("ada", "", false), "ada admin-key"},
	} {
		c.label.Text = fmt.Sprint("text ", i)
		resp, err := d.labels.BatchCreateLabels(d.as(t, c.key), newLabels(fmt.Sprint(i), c.label))
		if err != nil {
			t.Fatalf("%d, %s: %v", i, c.key, err)
		}
		got := outcome(resp.Results[0])
		if n := resp.Results[0].GetCreated().GetNumber(); n > 0 {
			events, err := d.labels.ListLabels(d.as(t, "auditor-key"), &parleyv1.ListLabelsRequest{After: n - 1})
			if err != nil {
				t.Fatal(err)
			}
			got = events.Events[0].Annotator + " " + events.Events[0].Source
		}
		if got != c.want {
			t.Errorf("%d, %s, as %q from %q: got %s, want %s", i, c.key, c.label.Annotator, c.label.Source, got, c.want)
		}
	}
	// Whose queue, who skips, who confirms.
	_, err := d.labels.SuggestDocuments(d.as(t, "labeler-key"), &parleyv1.SuggestDocumentsRequest{Annotator: "ada"})
	if got := failureOf(err); got != role {
		t.Errorf("the queue of another: %s", got)
	}
	_, err = d.labels.SkipDocument(d.as(t, "labeler-key"), &parleyv1.SkipDocumentRequest{Number: 1, Annotator: "ada"})
	if got := failureOf(err); got != role {
		t.Errorf("to skip for another: %s", got)
	}
	_, err = d.labels.ConfirmLabels(d.as(t, "curator-key"), &parleyv1.ConfirmLabelsRequest{RequestId: "c", Numbers: []int64{1}, Annotator: "ada"})
	if got := failureOf(err); got != role {
		t.Errorf("to confirm for another: %s", got)
	}
	if _, err = d.labels.SuggestDocuments(d.as(t, "relay-key"), &parleyv1.SuggestDocumentsRequest{Annotator: "ada"}); err != nil {
		t.Errorf("the queue of a relay's user: %v", err)
	}
	if _, err := d.labels.ConfirmLabels(d.as(t, "curator-key"), &parleyv1.ConfirmLabelsRequest{RequestId: "c", Numbers: []int64{1}}); err != nil {
		t.Errorf("to confirm as oneself: %v", err)
	}
}

func TestCertificateSaysSo(t *testing.T) {
	b := newBook(t)
	s := startSecured(t, Config{Labels: b.config()})
	labels := parleyv1.NewLabelServiceClient(s.connect(t, shown(t, sign(t, s.authority, "root.example", time.Hour))))
	if _, err := labels.BatchCreateLabels(t.Context(), newLabels("1", by("", label("a goal", "topic", "sport")))); err != nil {
		t.Fatal(err)
	}
	events, err := b.open(t).Events(t.Context(), ledger.Query{})
	if err != nil || len(events) != 1 || events[0].Annotator != "dns:root.example" || events[0].Source != "dns:root.example" {
		t.Errorf("got %+v, error %v", events, err)
	}
}

// Labelers read what they said, relays what came through them, auditors everything.
func TestWhoMayRead(t *testing.T) {
	d := startSecuredDesk(t)
	for _, c := range []struct{ key, annotator string }{{"labeler-key", ""}, {"relay-key", "ada"}, {"relay-key", "labeler-key"}, {"admin-key", "ada"}} {
		l := by(c.annotator, label("said by "+c.key+c.annotator, "topic", "sport"))
		if _, err := d.labels.BatchCreateLabels(d.as(t, c.key), newLabels(c.key+c.annotator, l)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.open(t).Forget(t.Context(), "", []ledger.TextRef{{Text: "never there"}}, ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key  string
		req  *parleyv1.ListLabelsRequest
		want []int64 // nil: refused
	}{
		{"labeler-key", &parleyv1.ListLabelsRequest{}, []int64{1, 3}},
		{"labeler-key", &parleyv1.ListLabelsRequest{Annotator: "labeler-key", Kind: "*"}, []int64{1, 3}},
		{"labeler-key", &parleyv1.ListLabelsRequest{Annotator: "ada"}, nil},
		{"relay-key", &parleyv1.ListLabelsRequest{}, []int64{2, 3}},
		{"relay-key", &parleyv1.ListLabelsRequest{Annotator: "ada", Kind: "*"}, []int64{2}},
		{"relay-key", &parleyv1.ListLabelsRequest{Source: "admin-key"}, nil},
		{"auditor-key", &parleyv1.ListLabelsRequest{Kind: "*"}, []int64{1, 2, 3, 4, 5}},
		{"curator-key", &parleyv1.ListLabelsRequest{Annotator: "ada"}, []int64{2, 4}},
	} {
		resp, err := d.labels.ListLabels(d.as(t, c.key), c.req)
		var got []int64
		for _, e := range resp.GetEvents() {
			got = append(got, e.Number)
		}
		if c.want == nil && failureOf(err) == "PermissionDenied ROLE_MISSING" {
			continue
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s, %v: got %d, error %v, want %d", c.key, c.req, got, err, c.want)
		}
	}
}
