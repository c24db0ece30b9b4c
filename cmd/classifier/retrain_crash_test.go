package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/retrain"
)

// These tests take from a retraining what it stands on: its process, room on the
// disk, the ledger. With PARLEY_SOAK set more processes are killed:
//
//	PARLEY_SOAK=1 go test -run TestRetrainSurvives -v -timeout 30m ./cmd/classifier

// A fragile is a ledger and a store, and what a retraining makes of them that
// nothing disturbs.
type fragile struct {
	*testing.T
	folder              string // with base.jsonl, and the state before: labels.db, store
	champion, candidate string
	took                time.Duration
}

func newFragile(t *testing.T) *fragile {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	corpus, err := os.ReadFile("../../data/train.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(corpus), "\n")
	f := &fragile{T: t, folder: t.TempDir()}
	for name, rows := range map[string][]string{"base.jsonl": lines[:200], "first.jsonl": lines[200:260], "news.jsonl": lines[260:400]} {
		if err := os.WriteFile(filepath.Join(f.folder, name), []byte(strings.Join(rows, "")), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before := f.in(f.folder)
	before.add("first.jsonl")
	report := before.retrain("--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", "1", "--members", "1")
	f.champion = report.Candidate.Revision
	before.add("news.jsonl")
	began := time.Now()
	f.candidate = f.copy().retrain().Candidate.Revision
	f.took = time.Since(began)
	if f.candidate == f.champion {
		t.Fatal("the candidate is the champion")
	}
	return f
}

// A bench is a ledger and a store in a folder.
type bench struct {
	*fragile
	folder string
}

func (f *fragile) in(folder string) bench { return bench{f, folder} }

// copy is the state before, in a folder of its own.
func (f *fragile) copy() bench { return f.copyTo(f.TempDir()) }

func (f *fragile) copyTo(folder string) bench {
	f.Helper()
	for _, name := range []string{"labels.db", "labels.db-wal"} {
		b, err := os.ReadFile(filepath.Join(f.folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), b, 0o666)
		}
		if err != nil && !os.IsNotExist(err) {
			f.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(folder, "store"), os.DirFS(filepath.Join(f.folder, "store"))); err != nil {
		f.Fatal(err)
	}
	return f.in(folder)
}

func (b bench) path(name string) string { return filepath.Join(b.folder, name) }

func (b bench) command(args ...string) *exec.Cmd {
	cmd := exec.Command("classifier", args...)
	cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return cmd
}

// must runs a command and returns what it wrote.
func (b bench) must(cmd *exec.Cmd) string {
	b.Helper()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, cmd.Stderr)
	}
	return fmt.Sprint(cmd.Stdout)
}

func (b bench) add(file string) {
	b.Helper()
	b.must(b.command("labels", "add", "--ledger", b.path("labels.db"), "--annotator", "ann", "--source", file, "--selection", "random", filepath.Join(b.fragile.folder, file)))
}

func (b bench) retraining(args ...string) *exec.Cmd {
	return b.command(append([]string{"retrain", "--force", "--json", "--ledger", b.path("labels.db"), "--store", b.path("store"), "--base", filepath.Join(b.fragile.folder, "base.jsonl")}, args...)...)
}

func (b bench) retrain(args ...string) retrain.Report {
	b.Helper()
	var r retrain.Report
	if err := json.Unmarshal([]byte(b.must(b.retraining(args...))), &r); err != nil {
		b.Fatal(err)
	}
	return r
}

// live verifies the revision that is live, every byte of it, and returns it.
func (b bench) live() string {
	b.Helper()
	said := b.must(b.command("models", "--store", b.path("store"), "verify", "live"))
	for _, revision := range []string{b.champion, b.candidate} {
		if strings.Contains(said, revision[:12]) {
			return revision
		}
	}
	b.Fatalf("live is neither champion nor candidate: %s", said)
	return ""
}

// files counts those below a folder.
func files(folder string) (n int) {
	_ = filepath.WalkDir(folder, func(_ string, e fs.DirEntry, err error) error { // files come and go
		if err == nil && !e.IsDir() {
			n++
		}
		return nil
	})
	return n
}

// TestRetrainSurvivesKill kills retrainings, every other one while it writes to the
// store. The old revision or the new one is live, whole, and the next retraining
// ends as if nothing had been.
func TestRetrainSurvivesKill(t *testing.T) {
	f := newFragile(t)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kills, killed := 5, 0
	if os.Getenv("PARLEY_SOAK") != "" {
		kills = 100
	}
	lives := map[string]int{}
	for n := range kills {
		b := f.copy()
		cmd, had := b.retraining(), files(b.path("store"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if n%2 == 0 {
			time.Sleep(time.Duration(rng.Int64N(int64(f.took))))
		} else {
			for len(ended) == 0 && files(b.path("store")) == had {
				time.Sleep(100 * time.Microsecond)
			}
			time.Sleep(time.Duration(rng.IntN(20_000)) * time.Microsecond)
		}
		cmd.Process.Kill()
		<-ended
		if cmd.ProcessState.ExitCode() < 0 {
			killed++
		}
		lives[b.live()]++
		if b.retrain(); b.live() != f.candidate {
			t.Fatal("the retraining after a killed one does not promote the same candidate")
		}
	}
	t.Logf("%d of %d killed before their end; the champion stayed %d times", killed, kills, lives[f.champion])
	if killed == 0 {
		t.Error("no kill came before the end")
	}
}

// TestRetrainSurvivesFullDisk takes the room from the ledger's and the store's disk.
func TestRetrainSurvivesFullDisk(t *testing.T) {
	f := newFragile(t)
	disk := filepath.Join(t.TempDir(), "disk")
	filler, grow := smallDisk(t, disk, 64<<20)
	b := f.copyTo(disk)
	fill(t, filler)
	cmd := b.retraining()
	err := cmd.Run() // it says "the disk is full", "no space left" or "is the disk full?"
	if said := fmt.Sprint(cmd.Stderr); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, "full") && !strings.Contains(said, "no space left") {
		t.Errorf("%v: %s", err, said)
	}
	if b.live() != f.champion {
		t.Error("the alias moved")
	}
	grow()
	if b.retrain(); b.live() != f.candidate {
		t.Error("with room again, the candidate is not promoted")
	}
}

// fill writes a file until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if _, err := file.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
}

// TestRetrainSurvivesLock holds the ledger's lock for longer than a writer waits.
func TestRetrainSurvivesLock(t *testing.T) {
	f := newFragile(t)
	b := f.copy()
	db, err := sql.Open("sqlite", b.path("labels.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	cmd := b.retraining()
	err = cmd.Run()
	if said := fmt.Sprint(cmd.Stderr); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, "ledger locked by another writer") {
		t.Errorf("%v: %s", err, said)
	}
	if b.live() != f.champion {
		t.Error("the alias moved")
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if b.retrain(); b.live() != f.candidate {
		t.Error("without the lock, the candidate is not promoted")
	}
}
