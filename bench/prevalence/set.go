package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
)

// head is the column of the labels.
const head = "label"

// setNames are the folders of dir that are sets: those in only, or all.
func setNames(dir string, only []string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		folder := filepath.Join(dir, e.Name())
		isSet := part(folder, "all") != "" || part(folder, "train") != "" && part(folder, "test") != ""
		if isSet && (len(only) == 0 || slices.Contains(only, e.Name())) {
			names = append(names, e.Name())
		}
	}
	if len(names) < max(1, len(only)) {
		return nil, fmt.Errorf("%s: found the sets %q of %q: want train.jsonl and test.jsonl, or all.jsonl, perhaps with .gz", dir, names, only)
	}
	return names, nil
}

// part is the file of a part, "" when there is none.
func part(dir, name string) string {
	for _, ending := range []string{".jsonl", ".jsonl.gz"} {
		if info, err := os.Stat(filepath.Join(dir, name+ending)); err == nil && info.Mode().IsRegular() {
			return filepath.Join(dir, name+ending)
		}
	}
	return ""
}

// split returns the rows to train on and those to test on. With inner, both are
// of the training part.
func split(dir string, inner bool, seed uint64) (training, test []dataset.Example, err error) {
	if file := part(dir, "all"); file != "" {
		if training, err = read(file); err != nil {
			return nil, nil, err
		}
		training, test = cut(training, .7, seed)
	} else {
		if training, err = read(part(dir, "train")); err != nil {
			return nil, nil, err
		}
		if !inner {
			test, err = read(part(dir, "test"))
		}
	}
	if inner {
		training, test = cut(training, .6, seed+1)
	}
	return training, test, err
}

// cut parts rows by chance, the rows of one group together.
func cut(rows []dataset.Example, share float64, seed uint64) (a, b []dataset.Example) {
	for _, ex := range rows {
		key := ex.Group
		if key == "" {
			key = fmt.Sprintf("%s:%d", filepath.Base(ex.File), ex.Line)
		}
		h := fnv.New64a()
		fmt.Fprintf(h, "%d\x00%s", seed, key)
		if float64(mixed(h.Sum64())>>11)/(1<<53) < share {
			a = append(a, ex)
		} else {
			b = append(b, ex)
		}
	}
	return a, b
}

// mixed spreads the bits of a hash, whose last bytes change few of them.
func mixed(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// read returns the rows of a file that have a text and a label.
func read(file string) ([]dataset.Example, error) {
	srcs, err := dataset.Files([]string{file}, nil)
	if err != nil {
		return nil, err
	}
	var list []dataset.Example
	for ex, err := range dataset.Rows(srcs[0], dataset.Options{Heads: []string{head}}) {
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(ex.Text) != "" && ex.Labels[0] != "" {
			list = append(list, ex)
		}
	}
	return list, nil
}
