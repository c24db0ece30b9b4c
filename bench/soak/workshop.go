package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// commonFlags are those of every command.
type commonFlags struct {
	Classifier string `type:"existingfile" placeholder:"FILE" help:"The program. Default: built from this module."`
	Model      string `type:"existingfile" placeholder:"FILE" help:"Model to serve. Default: one of the built-in corpus."`
	Seed       uint64 `default:"1" help:"Determines all that is drawn. Default: ${default}."`
	ServerCore int    `default:"0" help:"Core of the servers; -1: any. Default: ${default}."`
	LoadCore   int    `default:"1" help:"Core of the load; -1: any. Default: ${default}."`
	Logs       string `placeholder:"DIR" help:"Keep the servers' logs there. Default: they are shown only when a server fails."`
}

// A workshop is where a soak works: a folder, the program, a model, texts.
type workshop struct {
	commonFlags
	*report
	ctx        context.Context
	dir, model string
	documents  []*parleyv1.Document
	servers    []*server
}

// soak prepares a workshop, runs a soak in it, ends its servers and says
// whether every promise was kept.
func (f commonFlags) soak(e *env, work func(*workshop) error) (err error) {
	dir, err := os.MkdirTemp("", "soak-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w := &workshop{commonFlags: f, report: &report{out: e.stdout}, ctx: e.ctx, dir: dir}
	if err := w.prepare(e.stderr); err != nil {
		return err
	}
	defer w.stopAll()
	if err := pinProcess(w.LoadCore); err != nil {
		return err
	}
	before := w.processors()
	if err := work(w); err != nil {
		return err
	}
	w.tellOthers(before, w.processors())
	return w.verdict()
}

// prepare builds what is not given.
func (w *workshop) prepare(stderr io.Writer) error {
	if w.Logs == "" {
		w.Logs = w.dir
	}
	if err := w.checkCores(); err != nil {
		return err
	}
	set, err := corpus()
	if err != nil {
		return err
	}
	for _, ex := range set {
		w.documents = append(w.documents, &parleyv1.Document{Text: ex.Text, Target: ex.Target})
	}
	if w.Classifier == "" {
		w.Classifier = w.file("classifier")
		fmt.Fprintln(stderr, "soak: building the program")
		if err := run(w.ctx, "go", "build", "-o", w.Classifier, "github.com/parley-nlp/parley/cmd/classifier"); err != nil {
			return err
		}
	}
	if w.model = w.Model; w.model == "" {
		w.model, err = w.train("first", "long", "1")
	}
	return err
}

// checkCores leaves both to the system where there is nothing to choose from.
func (w *workshop) checkCores() error {
	if !canPin || machineCores < 2 {
		w.ServerCore, w.LoadCore = -1, -1
	} else if w.ServerCore >= machineCores || w.LoadCore >= machineCores {
		return fmt.Errorf("--server-core %d, --load-core %d: there are %d cores, from 0 on", w.ServerCore, w.LoadCore, machineCores)
	}
	return nil
}

func corpus() ([]dataset.Example, error) {
	srcs, err := dataset.FS(data.FS)
	if err != nil {
		return nil, err
	}
	set, err := dataset.ReadAll(srcs, dataset.Options{})
	if err != nil {
		return nil, err
	}
	return set.Examples, nil
}

// train makes a model of the corpus; another alpha gives another revision.
func (w *workshop) train(name, preset, alpha string) (string, error) {
	rows := w.file("train.jsonl")
	b, err := data.FS.ReadFile("train.jsonl")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(rows, b, 0o600); err != nil {
		return "", err
	}
	model := w.file(name + ".model")
	return model, run(w.ctx, w.Classifier, "train", "-o", model, "--preset", preset,
		"--estimator", "mnb", "--value", "binary", "--alpha", alpha, rows)
}

func (w *workshop) file(name string) string { return filepath.Join(w.dir, name) }

// run runs a program to its end.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// sleep reports whether the soak goes on after a time.
func (w *workshop) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-w.ctx.Done():
		return false
	}
}

// patience is how long something is waited for that is bound to come.
const patience = time.Minute

// await waits until a condition holds.
func (w *workshop) await(what string, holds func() bool) error {
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain: %s", patience, what)
		}
		if !w.sleep(10 * time.Millisecond) {
			return w.ctx.Err()
		}
	}
	return nil
}
