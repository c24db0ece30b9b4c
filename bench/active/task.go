package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
)

// heldOut is the share of a set's training part that is scored on.
const heldOut = .3

// A task is what is to be labelled: one head of one set.
type task struct {
	name string
	head string
	pool []dataset.Example // with the labels that a labeller would give
	held []dataset.Example // to score on
}

// summitTasks are the heads of the built-in corpus: texts of the training part are
// labelled, those of the other part score.
func summitTasks(part string) ([]task, error) {
	var list []task
	for _, head := range []string{"topic", "stance"} {
		t := task{name: "summit " + head, head: head}
		for name, rows := range map[string]*[]dataset.Example{"train": &t.pool, part: &t.held} {
			f, err := data.FS.Open(name + ".jsonl")
			if err != nil {
				return nil, err
			}
			*rows, err = read(dataset.Reader(name+".jsonl", f), head)
			if err = errors.Join(err, f.Close()); err != nil {
				return nil, err
			}
		}
		list = append(list, t)
	}
	return list, nil
}

// setTask is a labelled set in a folder with train.jsonl, perhaps .gz: of its
// training part a share is held out, and the test part left alone.
func setTask(dir string) (task, error) {
	t := task{name: filepath.Base(dir), head: "label"}
	path := filepath.Join(dir, "train.jsonl")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		path += ".gz"
	}
	srcs, err := dataset.Files([]string{path}, nil)
	if err != nil {
		return t, err
	}
	rows, err := read(srcs[0], t.head)
	if err != nil {
		return t, err
	}
	for _, ex := range rows {
		if chance("scored", ex.Text) < heldOut {
			t.held = append(t.held, ex)
		} else {
			t.pool = append(t.pool, ex)
		}
	}
	return t, nil
}

// read returns the rows with a text and a label; of equal texts the first.
func read(src dataset.Source, head string) ([]dataset.Example, error) {
	var list []dataset.Example
	seen := map[string]bool{}
	for ex, err := range dataset.Rows(src, dataset.Options{Heads: []string{head}}) {
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(ex.Text) != "" && ex.Labels[0] != "" && !seen[ex.Text] {
			seen[ex.Text] = true
			list = append(list, ex)
		}
	}
	return list, nil
}

// chance is uniform from 0 to below 1, the same for the same words.
func chance(words ...string) float64 {
	h := fnv.New64a()
	for _, w := range words {
		fmt.Fprintf(h, "%d:%s", len(w), w)
	}
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

// labels are those of the pool, ascending.
func (t *task) labels() []string { return dataset.LabelsOf(t.pool, 0) }
