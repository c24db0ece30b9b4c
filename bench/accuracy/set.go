package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
)

// head is the column of the labels.
const head = "label"

// foldCount is how many folds a set without an official split has.
const foldCount = 10

// A set is a folder of labelled rows.
type set struct {
	name, dir string
	folds     int // of the cross-validation; 0 for an official split
}

// findSets returns the sets in dir by name: those in only, or all when it is
// empty.
func findSets(dir string, only []string) ([]set, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var sets []set
	for _, e := range entries {
		if len(only) > 0 && !slices.Contains(only, e.Name()) {
			continue
		}
		if s, ok := openSet(filepath.Join(dir, e.Name())); ok {
			sets = append(sets, s)
		}
	}
	for _, name := range only {
		if !slices.ContainsFunc(sets, func(s set) bool { return s.name == name }) {
			return nil, fmt.Errorf("%s: no set %q: want train.jsonl and test.jsonl, or all.jsonl, perhaps with .gz", dir, name)
		}
	}
	if len(sets) == 0 {
		return nil, fmt.Errorf("%s: no folder in it has train.jsonl and test.jsonl, or all.jsonl, perhaps with .gz", dir)
	}
	return sets, nil
}

// openSet tells what kind of set the folder dir is, if any.
func openSet(dir string) (s set, ok bool) {
	s = set{name: filepath.Base(dir), dir: dir}
	switch {
	case s.has("train") && s.has("test"):
		return s, true
	case s.has("all"):
		s.folds = foldCount
		return s, true
	}
	return s, false
}

// runs is how many trainings the set takes.
func (s set) runs() int { return max(1, s.folds) }

func (s set) has(part string) bool { return s.file(part) != "" }

// file returns the path of a part, "" when the set does not have it.
func (s set) file(part string) string {
	for _, ending := range []string{".jsonl", ".jsonl.gz"} {
		path := filepath.Join(s.dir, part+ending)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// split returns the training and the test rows of a fold, in the order of the
// files.
func (s set) split(fold int, withDev bool) (training, test []dataset.Example, err error) {
	if s.folds == 0 {
		return s.officialSplit(withDev)
	}
	all, err := s.read("all")
	if err != nil {
		return nil, nil, err
	}
	folds, err := stratifiedFolds(labelsOf(all), s.folds)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.dir, err)
	}
	for i, ex := range all {
		if folds[i] == fold {
			test = append(test, ex)
		} else {
			training = append(training, ex)
		}
	}
	return training, test, nil
}

func (s set) officialSplit(withDev bool) (training, test []dataset.Example, err error) {
	if training, err = s.read("train"); err != nil {
		return nil, nil, err
	}
	if withDev && s.has("dev") {
		dev, err := s.read("dev")
		if err != nil {
			return nil, nil, err
		}
		training = append(training, dev...)
	}
	test, err = s.read("test")
	return training, test, err
}

// read returns all rows of a part, those without text too. A row that cannot
// be read or has no label is an error.
func (s set) read(part string) ([]dataset.Example, error) {
	srcs, err := dataset.Files([]string{s.file(part)}, nil)
	if err != nil {
		return nil, err
	}
	var list []dataset.Example
	for ex, err := range dataset.Rows(srcs[0], dataset.Options{Heads: []string{head}}) {
		if err != nil {
			return nil, err
		}
		if ex.Labels[0] == "" {
			return nil, fmt.Errorf("%s:%d: no %s", ex.File, ex.Line, head)
		}
		list = append(list, ex)
	}
	return list, nil
}

func labelsOf(examples []dataset.Example) []string {
	var labels []string
	for _, ex := range examples {
		labels = append(labels, ex.Labels[0])
	}
	return labels
}

// withText returns the examples that have more than white space to learn from.
func withText(examples []dataset.Example) []dataset.Example {
	return slices.DeleteFunc(slices.Clone(examples), func(ex dataset.Example) bool { return strings.TrimSpace(ex.Text) == "" })
}
