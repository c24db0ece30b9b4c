package main

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/quote"
	"github.com/parley-nlp/parley/internal/train"
)

// checkStream refuses what cannot be trained from files that are read again for
// every pass.
func (c *trainCmd) checkStream(cfg *train.Config) error {
	if !c.Stream {
		return nil
	}
	if len(cfg.Features) != 1 {
		return usagef("--stream: want the features pinned, by --preset short or long")
	}
	if slices.ContainsFunc(cfg.Estimators, func(e train.Estimator) bool { return !naiveBayes(e) }) {
		return usagef("--stream: want --estimator mnb, cnb or twcnb: the others, and auto, need all texts in memory")
	}
	for _, name := range c.Files {
		if info, err := os.Stat(name); name == "-" || err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return usagef("--stream: the files are read several times, which %s can't be", name)
		}
	}
	return nil
}

// A rowStream reads the labelled rows of files, again for every pass.
type rowStream struct {
	sources []dataset.Source
	opts    dataset.Options
	heads   []int // of opts.Heads, those that have a label
}

// stream reads labelled files a first time. The set has the heads, the bad rows
// and, in place of all rows, one example of each combination of labels.
func (f labelFlags) stream(e *env, files []string) (*rowStream, *dataset.Set, []string, error) {
	s := &rowStream{opts: f.options()}
	if s.opts.Heads = f.Head; len(f.Head) == 0 {
		s.opts.Heads = []string{"topic", "stance"}
	}
	var err error
	if s.sources, err = dataset.Files(files, e.stdin); err != nil {
		return nil, nil, nil, err
	}
	set, err := s.survey(e)
	if err != nil {
		return nil, nil, nil, withHint(err, e.args)
	}
	if len(f.Head) > 0 && len(s.heads) < len(f.Head) || len(s.heads) == 0 {
		return nil, nil, nil, fmt.Errorf("want labels in each of the columns %s: rows with one are in %s", quote.List(s.opts.Heads), quote.List(set.Heads))
	}
	var warnings []string
	for _, w := range set.Warnings {
		warnings = append(warnings, w.String())
	}
	if n := len(set.RowErrors); n > 0 {
		listed := listRowErrors(set.RowErrors)
		if !f.SkipBadRows {
			return nil, nil, nil, fmt.Errorf("%s\n%d rows cannot be read: mend them, or go on without them by --skip-bad-rows", listed, n)
		}
		warnings = append(warnings, fmt.Sprintf("%d rows left out:\n%s", n, listed))
	}
	return s, set, warnings, nil
}

// survey finds out which heads have labels, and what is to be said of rows that
// are left out. Rows are not compared with each other.
func (s *rowStream) survey(e *env) (*dataset.Set, error) {
	set := &dataset.Set{}
	empty, unlabelled := dataset.Warning{Kind: dataset.EmptyText}, dataset.Warning{Kind: dataset.NoLabel}
	seen := map[string]bool{}
	for ex, err := range s.all() {
		bad, isBad := errors.AsType[*dataset.RowError](err)
		switch {
		case e.ctx.Err() != nil:
			return nil, e.ctx.Err()
		case isBad:
			set.RowErrors = append(set.RowErrors, bad)
		case err != nil:
			return nil, err
		case strings.TrimSpace(ex.Text) == "":
			count(&empty, ex)
		case !labelled(ex):
			count(&unlabelled, ex)
		case !seen[fmt.Sprintf("%q", ex.Labels)]:
			seen[fmt.Sprintf("%q", ex.Labels)] = true
			set.Examples = append(set.Examples, dataset.Example{Labels: ex.Labels})
		}
	}
	for i, name := range s.opts.Heads {
		if slices.ContainsFunc(set.Examples, func(ex dataset.Example) bool { return ex.Labels[i] != "" }) {
			s.heads = append(s.heads, i)
			set.Heads = append(set.Heads, name)
		}
	}
	for i, ex := range set.Examples {
		set.Examples[i].Labels = s.labels(ex)
	}
	for _, w := range []dataset.Warning{empty, unlabelled} {
		if w.Count > 0 {
			set.Warnings = append(set.Warnings, w)
		}
	}
	return set, nil
}

// maxPlaces is how many places a warning names.
const maxPlaces = 5

func count(w *dataset.Warning, ex dataset.Example) {
	if w.Count++; w.Count <= maxPlaces {
		w.Cases = append(w.Cases, dataset.Case{Places: []dataset.Place{{File: ex.File, Line: ex.Line}}})
	}
}

func labelled(ex dataset.Example) bool {
	return slices.ContainsFunc(ex.Labels, func(l string) bool { return l != "" })
}

// labels are those of the heads that have some.
func (s *rowStream) labels(ex dataset.Example) []string {
	list := make([]string, len(s.heads))
	for to, from := range s.heads {
		list[to] = ex.Labels[from]
	}
	return list
}

// all reads the rows of all files. What cannot be read comes as an error.
func (s *rowStream) all() iter.Seq2[dataset.Example, error] {
	return func(yield func(dataset.Example, error) bool) {
		for _, src := range s.sources {
			for ex, err := range dataset.Rows(src, s.opts) {
				if !yield(ex, err) {
					return
				}
			}
		}
	}
}

// rows reads the rows that are trained on: those with a text and a label.
func (s *rowStream) rows() iter.Seq2[dataset.Example, error] {
	return func(yield func(dataset.Example, error) bool) {
		for ex, err := range s.all() {
			if _, bad := errors.AsType[*dataset.RowError](err); bad {
				continue // survey has listed it
			}
			if err == nil && (strings.TrimSpace(ex.Text) == "" || !labelled(ex)) {
				continue
			}
			if err == nil {
				ex.Labels = s.labels(ex)
			}
			if !yield(ex, err) || err != nil {
				return
			}
		}
	}
}
