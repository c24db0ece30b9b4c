package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A system is a trained classifier as a program: given a file of texts, one a
// line, it prints a label a line.
type system struct {
	name    string
	command []string // the file comes last
	model   string   // file
	truth   []string // what it should print for the test texts
}

// systemName names a system by its features.
func systemName(who, kind string) string {
	if who == sklearnName && kind == withCharacters {
		return who + ", characters 2-5" // without words
	}
	return who + ", " + titles[kind]
}

// The peers for people.
const (
	fastTextName = "fastText"
	sklearnName  = "scikit-learn"
)

var titles = map[string]string{
	wordsOnly:      "words 1-2",
	withCharacters: "words 1-2 and characters 2-5",
}

const bothHeads = "Parley, words 1-2, all heads"

// A workshop is where the models of a comparison are made and lie.
type workshop struct {
	dir string
	*collection
}

// newWorkshop writes the data into a folder that is to be removed.
func newWorkshop(c *collection) (*workshop, error) {
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return nil, err
	}
	w := &workshop{dir, c}
	if err := w.write(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return w, nil
}

func (w *workshop) write() error {
	if err := w.writeJSONL(w.file("train.jsonl"), w.train); err != nil {
		return err
	}
	if err := w.writePeers(w.file("train.peers"), w.train); err != nil {
		return err
	}
	if err := w.writePeers(w.file("one.peers"), w.train[:1]); err != nil {
		return err
	}
	return writeLines(w.file("one.txt"), texts(w.test[:1]), 1)
}

func (w *workshop) file(name string) string { return filepath.Join(w.dir, name) }

// copies returns a file with that many copies of the test texts.
func (w *workshop) copies(n int) (string, error) {
	path := w.file(fmt.Sprintf("test%d.txt", n))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, writeLines(path, texts(w.test), n)
}

// fit returns the command line of a training of Parley.
func (w *workshop) fit(kind, out string, heads []string, more ...string) ([]string, error) {
	args := []string{"fit", "--features", kind, "--out", out}
	for _, h := range heads {
		args = append(args, "--head", h)
	}
	return self(append(append(args, more...), "--", w.file("train.jsonl"))...)
}

// parley trains Parley on the given heads.
func (w *workshop) parley(ctx context.Context, name, kind string, heads []string) (*system, error) {
	path := w.file(fmt.Sprintf("parley-%s-%d.model", kind, len(heads)))
	command, err := w.fit(kind, path, heads)
	if err != nil {
		return nil, err
	}
	if _, err := run(ctx, command, nil, true); err != nil {
		return nil, err
	}
	return w.trained(name, path)
}

// trained returns Parley with a model file.
func (w *workshop) trained(name, path string) (*system, error) {
	command, err := self("label", "--model", path)
	s := &system{name: name, command: command, model: path}
	for _, ex := range w.test {
		s.truth = append(s.truth, ex.Labels[0])
	}
	return s, err
}

// fastText trains fastText.
func (w *workshop) fastText(ctx context.Context, kind string) (*system, error) {
	path := w.file("fasttext-" + kind)
	if _, err := run(ctx, fastTextFor(w.file("train.peers"), path, kind), nil, false); err != nil {
		return nil, err
	}
	os.Remove(path + ".vec") // takes room and is never read
	return w.peer(systemName(fastTextName, kind), path+".bin", "fasttext", "predict", path+".bin"), nil
}

// sklearn trains scikit-learn.
func (w *workshop) sklearn(ctx context.Context, kind string) (*system, error) {
	path := w.file("sklearn-" + kind)
	if _, err := run(ctx, sklearn("train", kind, w.file("train.peers"), path), nil, false); err != nil {
		return nil, err
	}
	return w.peer(systemName(sklearnName, kind), path, sklearn("predict", path)...), nil
}

func (w *workshop) peer(name, model string, command ...string) *system {
	s := &system{name: name, command: command, model: model}
	for _, ex := range w.test {
		s.truth = append(s.truth, w.peerLabel(ex.Labels[0]))
	}
	return s
}

// accuracy is the share of the test texts that the system labels as they should
// be, going by the first column of what it prints.
func (s *system) accuracy(output string) (float64, error) {
	lines := strings.Split(strings.TrimSuffix(output, "\n"), "\n")
	if len(lines) != len(s.truth) {
		return 0, fmt.Errorf("%s: %d labels for %d texts", s.name, len(lines), len(s.truth))
	}
	right := 0
	for i, line := range lines {
		if label, _, _ := strings.Cut(line, "\t"); label == s.truth[i] {
			right++
		}
	}
	return float64(right) / float64(len(lines)), nil
}
