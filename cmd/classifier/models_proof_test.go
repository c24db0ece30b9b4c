package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/retrain"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// A provenStore is a store with a revision that was trained on a ledger and a base
// file.
type provenStore struct {
	*testing.T
	dir, ledgerFile, baseFile string
	ledger                    *ledger.Ledger
	store                     *store.Store
	revision                  string
	record                    store.Training
	examples                  []dataset.Example // that it was trained on
}

func newProvenStore(t *testing.T) *provenStore {
	t.Helper()
	p := &provenStore{T: t, dir: t.TempDir()}
	p.ledgerFile, p.baseFile = filepath.Join(p.dir, "labels.db"), filepath.Join(p.dir, "base.jsonl")
	p.writeBase()
	var err error
	if p.ledger, err = ledger.Open(t.Context(), p.ledgerFile); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.ledger.Close() })
	if p.store, err = store.Open(t.Context(), filepath.Join(p.dir, "store")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.store.Close() })
	for i := range 20 {
		p.label(fmt.Sprintf("the striker of club %d scored late", i), "sport")
		p.label(fmt.Sprintf("shares of bank %d fell early", i), "money")
	}
	p.train()
	return p
}

func (p *provenStore) writeBase() {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "{\"text\": \"a goal in minute %d\", \"topic\": \"sport\"}\n{\"text\": \"the rate rose by %d points\", \"topic\": \"money\"}\n", i, i)
	}
	if err := os.WriteFile(p.baseFile, []byte(b.String()), 0o600); err != nil {
		p.Fatal(err)
	}
}

func (p *provenStore) label(text, label string) {
	p.Helper()
	out, err := p.ledger.Add(p.Context(), "", []ledger.NewLabel{{Text: text, Head: "topic", Label: label, Annotator: "ann"}})
	if err != nil || out[0].Err != nil {
		p.Fatal(err, out)
	}
}

// train trains on what there is, and publishes it with its record.
func (p *provenStore) train() {
	p.Helper()
	ctx := p.Context()
	srcs, err := dataset.Files([]string{p.baseFile}, nil)
	if err != nil {
		p.Fatal(err)
	}
	set, err := dataset.ReadAll(srcs, dataset.Options{})
	if err != nil {
		p.Fatal(err)
	}
	p.record = store.Training{LedgerID: p.ledger.ID(), Heads: []string{"topic"}, Holdout: store.Holdout{Epoch: 1, Share: 0.2}}
	if p.record.Position, err = p.ledger.Position(ctx); err != nil {
		p.Fatal(err)
	}
	if p.record.Base, err = baseFiles([]string{p.baseFile}); err != nil {
		p.Fatal(err)
	}
	examples, heads, err := retrain.Rebuild(ctx, p.ledger, set, p.record)
	if err != nil {
		p.Fatal(err)
	}
	if len(examples) < 40 || len(examples) == 80 {
		p.Fatalf("%d rows to train on", len(examples))
	}
	p.examples = examples
	cfg := train.Default()
	cfg.Budget = 1
	m, report, err := train.Train(ctx, examples, heads, cfg)
	if err != nil {
		p.Fatal(err)
	}
	recipe, err := json.Marshal(report.Recipe)
	if err != nil {
		p.Fatal(err)
	}
	p.record.Configuration = json.RawMessage(fmt.Sprintf(`{"recipe":%s,"source_cap":0}`, recipe))
	p.record.Digests = p.digests(examples)
	card, err := p.store.PublishTrained(ctx, "default", m, store.Provenance{}, p.record)
	if err != nil {
		p.Fatal(err)
	}
	p.revision = card.Revision
	if _, err := p.store.SetAlias(ctx, "default", "live", p.revision, "", ""); err != nil {
		p.Fatal(err)
	}
}

func (p *provenStore) digests(examples []dataset.Example) (digests [][16]byte) {
	p.Helper()
	tombstones, err := p.ledger.Tombstones(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, ex := range examples {
		digests = append(digests, tombstones.Digest(ex.Text))
	}
	return digests
}

// verify runs the command, and returns the outcomes of the checks by name and the
// exit code.
func (p *provenStore) verify(args ...string) (outcomes map[string]string, said string, code int) {
	p.Helper()
	cmd := exec.Command("classifier", append([]string{"models", "verify", "--json", "--store", filepath.Join(p.dir, "store"), "--against-ledger", p.ledgerFile}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the exit code is looked at
	var list []verified
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != 1 {
		p.Fatalf("it said %s%s", out.String(), errs.String())
	}
	outcomes = map[string]string{}
	for _, c := range list[0].Checks {
		outcomes[c.Check] = c.Outcome
	}
	return outcomes, out.String() + errs.String(), cmd.ProcessState.ExitCode()
}

// want fails the test unless the outcomes are these: of forgotten, rows and retrain.
func (p *provenStore) want(code int, forgotten, rows, retrained string, args ...string) {
	p.Helper()
	got, said, exit := p.verify(args...)
	if exit != code || got["forgotten"] != forgotten || got["rows"] != rows || got["retrain"] != retrained {
		p.Errorf("exit code %d, want %d; outcomes %v, want %s, %s, %q: %s", exit, code, got, forgotten, rows, retrained, said)
	}
	for _, ex := range p.examples {
		if strings.Contains(said, ex.Text) {
			p.Errorf("it says a text: %s", said)
		}
	}
}

func TestVerifyAgainstLedger(t *testing.T) {
	p := newProvenStore(t)
	base := []string{"--base", p.baseFile}
	p.want(0, passed, passed, passed, append(base, "--retrain")...)
	p.label("a text of later", "sport") // changes nothing that was
	p.want(0, passed, passed, "", base...)
	p.want(0, passed, unknown, "")
	p.want(0, passed, unknown, unknown, "--retrain")

	moved := filepath.Join(p.dir, "moved.jsonl") // files go by their hashes
	if err := os.Rename(p.baseFile, moved); err != nil {
		t.Fatal(err)
	}
	p.want(0, passed, passed, "", "--base", moved)
	if err := os.WriteFile(p.baseFile, []byte(`{"text": "x", "topic": "sport"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p.want(0, passed, unknown, "", base...)

	text := p.examples[0].Text // forgotten: it was trained on it
	if _, err := p.ledger.Forget(t.Context(), "", []ledger.TextRef{{Text: text}}, "asked to"); err != nil {
		t.Fatal(err)
	}
	p.want(1, failed, unknown, unknown, "--base", moved, "--retrain")
	p.writeBase()
	p.train() // afresh, without it
	p.want(0, passed, passed, passed, "--base", moved, "--retrain")
	hits, unknown, err := p.store.TrainedOn(t.Context(), "default", p.ledger.ID(), p.digests([]dataset.Example{{Text: text}}))
	if err != nil || len(hits) != 1 || hits[p.revision] != 0 || len(unknown) != 0 {
		t.Errorf("trained on it: %v, unknown %v, error %v", hits, unknown, err)
	}
}

// TestVerifyFindsFalseRecords: a record that does not tell what the model was
// trained on fails.
func TestVerifyFindsFalseRecords(t *testing.T) {
	p := newProvenStore(t)
	model, err := p.store.Load(t.Context(), "default", p.revision)
	if err != nil {
		t.Fatal(err)
	}
	for name, falsify := range map[string]func(*store.Training){
		"position": func(r *store.Training) { r.Position -= 10 },
		"hold-out": func(r *store.Training) { r.Holdout.Epoch++ },
		"digests":  func(r *store.Training) { r.Digests = r.Digests[1:] },
	} {
		other, err := store.Open(t.Context(), filepath.Join(p.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		record := p.record
		falsify(&record)
		if _, err := other.PublishTrained(t.Context(), "default", model, store.Provenance{}, record); err != nil {
			t.Fatal(err)
		}
		got, said, code := p.verify("--store", filepath.Join(p.dir, name), "--base", p.baseFile, model.Revision())
		if code != 1 || got["forgotten"] != passed || got["rows"] != failed {
			t.Errorf("%s: exit code %d, outcomes %v: %s", name, code, got, said)
		}
		other.Close()
	}
}

func TestVerifyWithoutARecord(t *testing.T) {
	p := newProvenStore(t)
	m := trained(t)[0]
	if _, err := p.store.Publish(t.Context(), "default", m, store.Provenance{}); err != nil {
		t.Fatal(err)
	}
	p.want(0, unknown, unknown, "", m.Revision())
	p.ledgerFile = filepath.Join(p.dir, "another.db")
	l, err := ledger.Open(t.Context(), p.ledgerFile)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p.want(0, unknown, unknown, unknown, "--retrain")
	key := filepath.Join(p.dir, "store", "models", "default", "training", p.revision+".training")
	if err := os.WriteFile(key, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.want(1, failed, failed, "")
}

func TestVerifyMakesNoLedger(t *testing.T) {
	p := newProvenStore(t)
	none := filepath.Join(p.dir, "none.db")
	for _, url := range []string{none, "sqlite:" + none, "sqlite://" + none} {
		out, err := exec.Command("classifier", "models", "verify", "--store", filepath.Join(p.dir, "store"), "--against-ledger", url).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "there is no such file") {
			t.Errorf("%s: it said %s", url, out)
		}
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("it made a ledger")
	}
}
