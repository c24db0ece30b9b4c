package serve

import (
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/predictionlog"
	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// What is forgotten is in none of the server's files, is not taken again, and the
// same request says the same again.
func TestForgetTexts(t *testing.T) {
	log, path := newPredictionLog(t, predictionlog.Config{Share: 1})
	d := startDesk(t, Config{Telemetry: Telemetry{Predictions: log}})
	const secret, named, stays = "the secretive goal of zebedee", "another matter of zebedee", "what may stay"
	for _, text := range []string{secret, stays, named, secret} {
		d.classify(t, text, nil)
	}
	byName := label(named, "topic", "money")
	byName.TextId = "doc-1"
	d.create(t, "1", label(secret, "topic", "sport"), by("bob", label(secret, "topic", "money")), byName, label(stays, "topic", "sport"))
	other := d.open(t)
	if _, err := other.Enqueue(t.Context(), []ledger.QueueItem{{Text: named, Heads: []string{"stance"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.labels.ListConflicts(t.Context(), &parleyv1.ListConflictsRequest{}); err != nil { // the server keeps them
		t.Fatal(err)
	}
	req := &parleyv1.ForgetTextsRequest{RequestId: "f", Reason: "asked to", References: []*parleyv1.TextReference{
		byText(secret), byID("doc-1"), byID("doc-2"), byText("zebedee of base files"),
	}}
	forget := func() *parleyv1.ForgetTextsResponse {
		t.Helper()
		resp, err := d.labels.ForgetTexts(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	resp := forget()
	missing := resp.Results[2].GetError()
	if missing == nil || failureOf(status.FromProto(missing).Err()) != "NotFound LEDGER_ENTRY_NOT_FOUND" {
		t.Errorf("a name that nothing has: %v", resp.Results[2])
	}
	resp.Results = nil
	want := &parleyv1.ForgetTextsResponse{ErrorCount: 1, TextCount: 2, UnknownTextCount: 1, LabelCount: 3, QueuedCount: 1, LogRowCount: 3, Position: 8,
		Remaining: []parleyv1.RemainingErasure{1, 2, 3}}
	if !proto.Equal(resp, want) {
		t.Errorf("got %v, want %v", resp, want)
	}
	again := forget()
	again.Results, want.LogRowCount = nil, 0
	if !proto.Equal(again, want) {
		t.Errorf("again: got %v", again)
	}
	for _, file := range []string{path, d.path, d.path + "-wal"} {
		contents, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(contents), "zebedee") {
			t.Errorf("%s still has it", file)
		}
	}
	contents, _ := os.ReadFile(path)
	if !strings.Contains(string(contents), stays) {
		t.Error("the log has lost what was to stay")
	}
	d.clerk.ties.turn <- struct{}{}
	kept := len(d.clerk.ties.list)
	<-d.clerk.ties.turn
	if kept > 0 {
		t.Error("the server keeps conflicts of forgotten texts")
	}
	back := outcomes(d.create(t, "2", label(secret, "topic", "sport"), label("zebedee of base files", "topic", "sport"), label(stays, "stance", "pro")))
	if strings.Join(back, ", ") != "FailedPrecondition TEXT_FORGOTTEN, FailedPrecondition TEXT_FORGOTTEN, 9" {
		t.Errorf("given again: %s", back)
	}
	events, err := d.labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{})
	if err != nil || len(events.Events) != 5 {
		t.Fatalf("%d labels, error %v", len(events.GetEvents()), err)
	}
	for _, e := range events.Events {
		if e.Forgotten != (e.Text == "") || e.Forgotten != (e.Number <= 3) || e.Label == "" {
			t.Errorf("got %v", e)
		}
	}
}

// Revisions that were trained on what is forgotten can no longer be promoted, and the
// answer says what is known of the others.
func TestForgetTextsWithdrawsRevisions(t *testing.T) {
	depot, b := newDepot(t), newBook(t)
	cfg := depot.config()
	cfg.Labels = b.config()
	on, off, untold := depot.publish(t, 1), depot.publish(t, 2), depot.publish(t, 3)
	depot.alias(t, "live", off)
	l := b.open(t)
	seal, err := l.Tombstones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, text := range map[string]string{on: "a goal", off: "shares"} {
		record := store.Training{LedgerID: l.ID(), Heads: []string{"topic"}, Configuration: []byte("{}"), Digests: [][16]byte{seal.Digest(text)}}
		if err := depot.PutTraining(t.Context(), "default", id, record); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, cfg, nil)
	s.untilLive(t, off)
	labels := parleyv1.NewLabelServiceClient(s.conn)
	forget := func(id, text string) *parleyv1.ForgetTextsResponse {
		t.Helper()
		resp, err := labels.ForgetTexts(t.Context(), &parleyv1.ForgetTextsRequest{RequestId: id, References: []*parleyv1.TextReference{byText(text)}})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	if resp := forget("1", "never trained on"); len(resp.WithdrawnRevisions) != 0 || len(resp.Remaining) != 3 {
		t.Errorf("while nobody knows of one revision: %v", resp)
	}
	if err := depot.PutTraining(t.Context(), "default", untold, store.Training{LedgerID: l.ID(), Heads: []string{"topic"}, Configuration: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if resp := forget("2", "never trained on either"); len(resp.WithdrawnRevisions) != 0 || len(resp.Remaining) != 2 {
		t.Errorf("trained on by none: %v", resp)
	}
	resp := forget("3", "a goal")
	if len(resp.WithdrawnRevisions) != 1 || resp.WithdrawnRevisions[0] != revisionPath(on) || len(resp.Remaining) != 3 {
		t.Errorf("got %v", resp)
	}
	if _, err := s.promote(t, "live", on, ""); err == nil {
		t.Error("a withdrawn revision was promoted")
	}
	if s.Live() != off {
		t.Errorf("%s is live", s.Live())
	}
}

// A prediction log that cannot be searched keeps everything where it is, so that the
// call can be repeated.
func TestForgetTextsFromABrokenLog(t *testing.T) {
	log, path := newPredictionLog(t, predictionlog.Config{Share: 1})
	d := startDesk(t, Config{Telemetry: Telemetry{Predictions: log}})
	d.classify(t, "a goal", nil)
	d.create(t, "1", label("a goal", "topic", "sport"))
	if _, err := log.Forget(t.Context(), func(string, bool) bool { return false }); err != nil { // it is written
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".1", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path+".2", path+".2"); err != nil { // a loop: no file can be opened there
		t.Fatal(err)
	}
	req := &parleyv1.ForgetTextsRequest{RequestId: "f", References: []*parleyv1.TextReference{byText("a goal")}}
	_, err := d.labels.ForgetTexts(t.Context(), req)
	if got := failureOf(err); got != "Unavailable PREDICTION_LOG_UNAVAILABLE" {
		t.Fatalf("got %s", got)
	}
	if found, err := d.open(t).Find(t.Context(), ledger.TextRef{Text: "a goal"}); err != nil || len(found) != 1 {
		t.Errorf("the ledger has %d such texts, error %v", len(found), err)
	}
	if err := os.Remove(path + ".2"); err != nil {
		t.Fatal(err)
	}
	if resp, err := d.labels.ForgetTexts(t.Context(), req); err != nil || resp.TextCount != 1 {
		t.Errorf("repeated: %v, error %v", resp, err)
	}
}
