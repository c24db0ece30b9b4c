package serve

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

func TestNoLedger(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	labels := parleyv1.NewLabelServiceClient(s.conn)
	_, err := labels.BatchCreateLabels(t.Context(), newLabels("1", label("a goal", "topic", "sport")))
	if got := failureOf(err); got != "FailedPrecondition NO_LEDGER" {
		t.Errorf("got %s", got)
	}
	_, err = labels.SuggestDocuments(t.Context(), &parleyv1.SuggestDocumentsRequest{Annotator: "ada"})
	if got := failureOf(err); got != "FailedPrecondition NO_LEDGER" {
		t.Errorf("got %s", got)
	}
}

// saysRetry reports whether an error says when to come back.
func saysRetry(err error) bool {
	for _, d := range status.Convert(err).Details() {
		if retry, ok := d.(*errdetails.RetryInfo); ok && retry.GetRetryDelay().AsDuration() > 0 {
			return true
		}
	}
	return false
}

// A server starts and classifies while its ledger is away, and takes labels once it
// is there.
func TestLedgerComesLate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mounted", "later")
	b := book{filepath.Join(dir, "labels.db")}
	s := start(t, Config{Labels: b.config()}, newModel(t, 1))
	labels := parleyv1.NewLabelServiceClient(s.conn)
	create := func() error {
		_, err := labels.BatchCreateLabels(t.Context(), newLabels("1", label("a goal", "topic", "sport")))
		return err
	}
	for range 3 {
		if err := create(); failureOf(err) != "Unavailable LEDGER_UNAVAILABLE" || !saysRetry(err) {
			t.Errorf("got %v", err)
		}
		s.classify(t, "a goal", nil)
	}
	if !s.Ready() {
		t.Error("the server is not ready without its ledger")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the ledger", func() bool { return create() == nil })
	waitFor(t, "its position in the metrics", func() bool { return s.scrape(t)["parley_ledger_position"] == 1 })
	got := s.scrape(t)
	if got["parley_ledger_errors_total"] == 0 || got["parley_ledger_last_answer_timestamp_seconds"] == 0 {
		t.Errorf("errors %v, last answer %v", got["parley_ledger_errors_total"], got["parley_ledger_last_answer_timestamp_seconds"])
	}
}

// A ledger whose file is removed acknowledges nothing, and classification goes on.
// Put back, it goes on where it was.
func TestLedgerIsRemoved(t *testing.T) {
	d := startDesk(t, Config{})
	d.create(t, "1", label("a goal", "topic", "sport"))
	away := d.path + ".away"
	if err := os.Rename(d.path, away); err != nil {
		t.Fatal(err)
	}
	_, err := d.labels.BatchCreateLabels(t.Context(), newLabels("2", label("a goal", "topic", "money")))
	if failureOf(err) != "Unavailable LEDGER_UNAVAILABLE" || !saysRetry(err) {
		t.Errorf("got %v", err)
	}
	d.classify(t, "a goal", nil)
	if _, err := os.Stat(d.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another ledger is in its place: %v", err)
	}
	if err := os.Rename(away, d.path); err != nil {
		t.Fatal(err)
	}
	if got := outcomes(d.create(t, "2", label("a goal", "topic", "money"))); got[0] != "2" {
		t.Errorf("put back: %s", got)
	}
}

// A ledger that hangs keeps as many calls as may be in flight, and no classification
// call: those neither wait nor are refused.
func TestSlowLedger(t *testing.T) {
	b := newBook(t)
	release := make(chan struct{})
	open := func(ctx context.Context) (*ledger.Ledger, error) {
		<-release
		return ledger.Open(context.WithoutCancel(ctx), b.path)
	}
	cfg := Config{Labels: Labels{Open: open, Poll: time.Hour}, Guard: guard.Config{DefaultTimeout: 2 * time.Minute}}
	s := start(t, cfg, newModel(t, 1))
	labels := parleyv1.NewLabelServiceClient(s.conn)
	const calls = 80
	results := make([]error, calls)
	var running sync.WaitGroup
	for i := range calls {
		running.Go(func() {
			_, results[i] = labels.BatchCreateLabels(t.Context(), newLabels(fmt.Sprint(i), label(fmt.Sprint("text ", i), "topic", "sport")))
		})
	}
	waitFor(t, "calls to be refused", func() bool { return s.refused("label_calls") == calls-64 })
	for range 200 {
		s.classify(t, "a goal", nil)
	}
	if n, _ := s.guard.InFlight(); n != 0 {
		t.Errorf("%d calls are in flight for the admission of classification", n)
	}
	close(release)
	running.Wait()
	counts := map[codes.Code]int{}
	for _, err := range results {
		counts[status.Code(err)]++
		if status.Code(err) == codes.ResourceExhausted && (failureOf(err) != "ResourceExhausted OVERLOADED" || !saysRetry(err)) {
			t.Errorf("got %v", err)
		}
	}
	if counts[codes.OK] != 64 || counts[codes.ResourceExhausted] != calls-64 {
		t.Errorf("outcomes %v", counts)
	}
	if resp, err := labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{}); err != nil || len(resp.Events) != 64 {
		t.Errorf("%d labels, error %v", len(resp.GetEvents()), err)
	}
}

// While another program keeps the ledger locked, calls about labels wait as long as
// they may, classification does not, and what was not acknowledged can be repeated.
func TestLockedLedger(t *testing.T) {
	d := startDesk(t, Config{})
	d.create(t, "1", label("a goal", "topic", "sport"))
	db, err := sql.Open("sqlite", d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var writing sync.WaitGroup
	for range 20 {
		writing.Go(func() {
			_, err := d.labels.BatchCreateLabels(ctx, newLabels("2", label("a goal", "topic", "money")))
			if status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("got %v", err)
			}
		})
	}
	for range 100 {
		d.classify(t, "a goal", nil)
	}
	writing.Wait()
	if resp, err := d.labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{}); err != nil || len(resp.Events) != 1 {
		t.Errorf("reading meanwhile: %v, error %v", resp, err)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if got := outcomes(d.create(t, "2", label("a goal", "topic", "money"))); got[0] != "2" {
		t.Errorf("afterwards: %s", got)
	}
}

// What becomes of labels is counted.
func TestLabelMetrics(t *testing.T) {
	d := startDesk(t, Config{})
	d.create(t, "1", label("a goal", "topic", "sport"), label("b goal", "topic", "sport"), label("a goal", "topic", "sport"),
		label("", "topic", "sport"), label("never", "topic", ""))
	if _, err := d.open(t).Forget(t.Context(), "", []ledger.TextRef{{Text: "a goal"}}, ""); err != nil {
		t.Fatal(err)
	}
	d.create(t, "2", label("a goal", "topic", "sport"), &parleyv1.NewLabel{Text: "b goal", Head: "topic", Label: "money", Annotator: "ada", Supersedes: 77})
	got := d.scrape(t)
	checkSeries(t, got, map[string]float64{
		`parley_labels_total{outcome="accepted"}`:                        2,
		`parley_labels_total{outcome="existing"}`:                        1,
		`parley_labels_total{outcome="invalid"}`:                         1,
		`parley_labels_total{outcome="not_found"}`:                       1,
		`parley_labels_total{outcome="forgotten"}`:                       1,
		`parley_labels_total{outcome="conflict"}`:                        1,
		`parley_labels_total{outcome="denied"}`:                          0,
		`parley_ledger_seconds_count`:                                    2,
		`parley_calls_total{code="OK",method="BatchCreateLabels"}`:       2,
		`parley_call_duration_seconds_count{method="BatchCreateLabels"}`: 2,
	})
}
