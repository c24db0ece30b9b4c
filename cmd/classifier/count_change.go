package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/train"
)

// A countMergeCmd is "classifier count merge".
type countMergeCmd struct {
	Counts []string `arg:"" name:"counts" help:"Files of counts, in any order."`
	Out    string   `short:"o" required:"" placeholder:"FILE" help:"File of counts to write."`
	JSON   bool     `name:"json" help:"Write the summary as JSON."`
}

// Run adds up files of counts.
func (c *countMergeCmd) Run(e *env) error {
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	s, err := readCounts(c.Counts)
	if err != nil {
		return err
	}
	return writeCounts(e, c.Out, s, c.JSON)
}

// readCounts reads files of counts and adds them up.
func readCounts(paths []string) (*train.Statistics, error) {
	var sum *train.Statistics
	for i, path := range paths {
		if slices.ContainsFunc(paths[:i], func(other string) bool { return samePath(other, path) }) {
			return nil, usagef("%s is given twice: its rows would count twice", path)
		}
		s, err := train.ReadStatistics(path, "")
		if err != nil {
			return nil, err
		}
		if sum == nil {
			sum = s
		} else if err := sum.Merge(s); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return sum, nil
}

// countChangeFlags are those of commands that change a file of counts.
type countChangeFlags struct {
	Counts string   `arg:"" name:"counts" help:"File of counts; it is replaced when all is done, or stays as it is."`
	Files  []string `arg:"" name:"file" help:"Labelled files (JSONL, CSV, TSV, Parquet, also .gz or .zst), folders of them, or - for standard input."`
	Sum    string   `placeholder:"SHA256" help:"Change the counts only if this is their SHA-256."`
	JSON   bool     `name:"json" help:"Write the summary as JSON."`
	labelFlags
}

// A countAddCmd is "classifier count add".
type countAddCmd struct{ countChangeFlags }

// Run counts rows into a file of counts.
func (c *countAddCmd) Run(e *env) error {
	return c.change(e, func(s *train.Statistics, rows *rowStream) ([]string, error) {
		added := s.Empty()
		left, err := rows.take(e, c.SkipBadRows, func(_ int, batch []dataset.Example) error { return added.Learn(batch) })
		if err != nil {
			return nil, err
		}
		return left, s.Merge(added)
	})
}

// A countForgetCmd is "classifier count forget".
type countForgetCmd struct{ countChangeFlags }

// Help says what is forgotten.
func (c *countForgetCmd) Help() string {
	return `The rows must be as they were when they were counted: text, group, target and
labels. If one of them was never counted, or not as often, nothing is changed.
What is left has the bytes of a file that never had the rows; make the sample
anew from the rows that are left.`
}

// Run takes rows out of a file of counts.
func (c *countForgetCmd) Run(e *env) error {
	return c.change(e, func(s *train.Statistics, rows *rowStream) ([]string, error) {
		var gone []dataset.Example
		left, err := rows.take(e, c.SkipBadRows, func(_ int, batch []dataset.Example) error {
			gone = append(gone, batch...)
			return nil
		})
		if err != nil {
			return nil, err
		}
		return left, s.Forget(gone)
	})
}

// change replaces the file of counts by what apply makes of it and the rows.
func (c *countChangeFlags) change(e *env, apply func(*train.Statistics, *rowStream) ([]string, error)) error {
	if len(c.Head) > 0 {
		return usagef("--head: the heads are those of the counts")
	}
	if err := checkOutput(c.Counts); err != nil {
		return err
	}
	unlock, err := lockCounts(c.Counts)
	if err != nil {
		return err
	}
	return errors.Join(c.changeLocked(e, apply), unlock())
}

// lockCounts keeps other changes off a file of counts: of two at once one would be lost.
func lockCounts(path string) (unlock func() error, err error) {
	lock := path + ".lock"
	f, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there: %s is being changed; or the program was killed in the middle of that: then remove %[1]s", lock, path)
	}
	if err != nil {
		return nil, err
	}
	return func() error { return os.Remove(lock) }, f.Close()
}

// changeLocked changes a file that nobody else does.
func (c *countChangeFlags) changeLocked(e *env, apply func(*train.Statistics, *rowStream) ([]string, error)) error {
	s, err := train.ReadStatistics(c.Counts, c.Sum)
	if err != nil {
		return err
	}
	before, f := s.Encode(), c.labelFlags
	f.Head = s.Heads()
	rows, err := f.labelledRows(e, c.Files)
	if err != nil {
		return withHint(err, e.args)
	}
	warnings, err := apply(s, rows)
	if err != nil {
		return withHint(err, e.args)
	}
	for _, w := range warnings {
		fmt.Fprintf(e.stderr, "classifier: warning: %s\n", w)
	}
	if now, err := os.ReadFile(c.Counts); err != nil || !bytes.Equal(now, before) {
		return fmt.Errorf("%s was changed by somebody else in the meantime: nothing was done; try again", c.Counts)
	}
	return writeCounts(e, c.Counts, s, c.JSON)
}
