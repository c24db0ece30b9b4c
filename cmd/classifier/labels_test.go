package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
)

// labelsRun runs "classifier labels" in a process of its own and returns what it
// wrote.
func labelsRun(t *testing.T, code int, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command("classifier", append([]string{"labels"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("labels %q has exit code %d, want %d\n%s%s", args, got, code, &out, &errs)
	}
	return out.String(), errs.String()
}

// withLabels calls f with a ledger.
func withLabels(t *testing.T, path string, f func(*ledger.Ledger)) {
	t.Helper()
	l, err := ledger.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f(l)
}

func wantText(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in:\n%s", w, got)
		}
	}
}

// TestLabelsQuarantine: a label in quarantine does not count until another
// annotator confirms it or says something else.
func TestLabelsQuarantine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	rows := "id,text,topic\n1,First text,sport\n2,Second text,sport\n3,Third text,economy\n"
	labelsRun(t, 0, rows, "add", "--ledger", path, "--annotator", "ann", "--selection", "random", "-")
	withLabels(t, path, func(l *ledger.Ledger) {
		if err := l.Quarantine(t.Context(), []ledger.Quarantined{{Seq: 1, Surprise: 7.25, Reason: "poor fit"}, {Seq: 2, Surprise: 8}, {Seq: 3, Surprise: 9}}); err != nil {
			t.Fatal(err)
		}
	})
	report, _ := labelsRun(t, 0, "", "conflicts", "--ledger", path)
	wantText(t, report, "0 conflicts, 3 labels in quarantine", "quarantined, topic, id 1: First text", "surprise 7.2 nats, poor fit")
	out, _ := labelsRun(t, 0, "", "list", "--ledger", path, "--quarantined", "--json")
	if n := strings.Count(out, "\n"); n != 3 {
		t.Errorf("%d labels are listed:\n%s", n, out)
	}
	out, _ = labelsRun(t, 0, "", "export", "--ledger", path, "--rows")
	if out != "" {
		t.Errorf("rows are %s, want none", out)
	}
	_, errs := labelsRun(t, 1, "", "confirm", "--ledger", path, "--annotator", "ann", "1")
	wantText(t, errs, "label 1: ", "want another to confirm it")
	out, _ = labelsRun(t, 0, "", "confirm", "--ledger", path, "--annotator", "bob", "1")
	wantText(t, out, "label 1 is confirmed (event 7)")

	_, errs = labelsRun(t, 0, "sport\nQ\n", "annotate", "--ledger", path, "--annotator", "ann", "--quarantined")
	wantText(t, errs, "it is yours: another annotator must confirm it", "want another to confirm it")
	out, errs = labelsRun(t, 0, "sport\nsport\nundo\n", "annotate", "--ledger", path, "--annotator", "bob", "--quarantined")
	wantText(t, errs, "ann says sport", "in quarantine, surprise 8.0 nats", "ann says economy")
	wantText(t, out, "1 label of 1 text, 0 skipped, 1 taken back")
	out, _ = labelsRun(t, 0, "sport\n", "annotate", "--ledger", path, "--annotator", "bob", "--quarantined")
	wantText(t, out, "1 label of 1 text")
	out, _ = labelsRun(t, 0, "", "export", "--ledger", path, "--rows")
	wantText(t, out, `"text":"First text","id":"1","topic":"sport","selection":"random"`, `"text":"Second text"`, `"id":"3","topic":"sport","selection":"random"`)
	_, errs = labelsRun(t, 0, "", "annotate", "--ledger", path, "--annotator", "bob", "--quarantined")
	wantText(t, errs, "no label is quarantined")
}

// TestLabelsForgetStore: revisions that were trained on a text are withdrawn.
func TestLabelsForgetStore(t *testing.T) {
	folder := t.TempDir()
	path, dir := filepath.Join(folder, "l.db"), filepath.Join(folder, "store")
	labelsRun(t, 0, "id,text,topic\n1,First text,sport\n2,Second text,economy\n", "add", "--ledger", path, "--annotator", "ann", "-")
	var trained, other string
	withLabels(t, path, func(l *ledger.Ledger) {
		gone, err := l.Tombstones(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		trained = publishTrained(t, dir, folder, "1", store.Training{LedgerID: l.ID(), Digests: [][16]byte{gone.Digest("First text"), gone.Digest("Second text")}})
		other = publishTrained(t, dir, folder, "0.5", store.Training{LedgerID: l.ID(), Digests: [][16]byte{gone.Digest("Second text")}})
	})
	out, _ := labelsRun(t, 0, "", "forget", "--ledger", path, "--yes", "--id", "1", "--store", dir)
	wantText(t, out, "forgotten: 1 text with 1 label", "withdrawn: revision "+short(trained)+" of default was trained on it")
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.SetAlias(t.Context(), "default", "live", trained, "", ""); !errors.Is(err, store.ErrWithdrawn) {
		t.Errorf("promoting a revision that was trained on the text: %v", err)
	}
	if _, err := s.SetAlias(t.Context(), "default", "live", other, "", ""); err != nil {
		t.Errorf("promoting one that was not: %v", err)
	}
}

// publishTrained trains a model with a smoothing and publishes it with a record.
func publishTrained(t *testing.T, dir, folder, alpha string, training store.Training) string {
	t.Helper()
	file := filepath.Join(folder, "m.model")
	rows := "text,topic\ngoal and match,sport\nmatch lost,sport\nmoney and budget,economy\nbudget of money,economy\n"
	cmd := exec.Command("classifier", "train", "--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", alpha, "--head", "topic", "-o", file, "-")
	cmd.Stdin = strings.NewReader(rows)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	training.Heads = []string{"topic"}
	card, err := s.PublishTrained(t.Context(), "default", m, store.Provenance{}, training)
	if err != nil {
		t.Fatal(err)
	}
	return card.Revision
}

// TestLabelsAddSurvivesKills: a command that is killed again and again, and run
// once more, has added every label once, changes of mind included.
func TestLabelsAddSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	folder := t.TempDir()
	path, rows := filepath.Join(folder, "l.db"), filepath.Join(folder, "rows.jsonl")
	const n = 8000
	var b strings.Builder
	for i := range n { // every text is labelled twice, at first wrongly
		fmt.Fprintf(&b, "{\"text\":\"text %d\",\"topic\":\"%s\"}\n", i/2, []string{"sport", "economy"}[i%2])
	}
	if err := os.WriteFile(rows, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	args := []string{"labels", "add", "--ledger", path, "--annotator", "ann", rows}
	killed := 0
	for range 200 {
		if killed == 8 {
			break
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Duration(30+rng.IntN(120))*time.Millisecond)
		cmd := exec.CommandContext(ctx, "classifier", args...) // killed when the context ends
		cmd.Run()
		stop()
		if !cmd.ProcessState.Exited() {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("no run was killed")
	}
	out, _ := labelsRun(t, 0, "", args[1:]...)
	events := 0
	withLabels(t, path, func(l *ledger.Ledger) {
		position, err := l.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events = int(position)
		r, err := l.Resolve(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Rows {
			if got := r.Rows[i].Labels["topic"].Label; got != "economy" {
				t.Fatalf("%s is %s", r.Rows[i].Text, got)
			}
		}
	})
	if events != n {
		t.Errorf("%d events after %d kills, want %d; the last run said: %s", events, killed, n, out)
	}
}
