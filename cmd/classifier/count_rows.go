package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/quote"
	"github.com/parley-nlp/parley/internal/train"
)

// A countRun is what counting rows comes to.
type countRun struct {
	statistics *train.Statistics
	sampler    *train.Sampler
	warnings   []string
}

// count counts the labelled rows of files in one pass. Heads that are not named are
// looked for before: mostly the first rows tell.
func (f labelFlags) count(e *env, files []string, p countPlan) (*countRun, error) {
	debug.SetGCPercent(streamGarbage)
	s, err := f.labelledRows(e, files)
	if err != nil {
		return nil, withHint(err, e.args)
	}
	r := &countRun{sampler: train.NewSampler(p.sample)}
	if r.statistics, err = p.statistics(s.opts.Heads); err != nil {
		return nil, err
	}
	left, err := s.take(e, f.SkipBadRows, func(row int, batch []dataset.Example) error {
		if p.shard.Of > 1 {
			var own []dataset.Example
			for i, ex := range batch {
				if (row+i)%p.shard.Of == p.shard.Index {
					own = append(own, ex)
				}
			}
			batch = own
		}
		for _, ex := range batch {
			r.sampler.Add(ex)
		}
		return r.statistics.Learn(batch)
	})
	if err != nil {
		return nil, withHint(err, e.args)
	}
	r.warnings = append(left, withoutLabels(r.statistics, p.shard.Of == 1)...)
	if r.statistics.Rows() == 0 && p.shard.Of == 1 {
		return nil, fmt.Errorf("no row has a text and a label in the columns %s", quote.List(s.opts.Heads))
	}
	return r, nil
}

// withoutLabels warns of heads that no row has a label of, when all rows were read.
func withoutLabels(s *train.Statistics, all bool) []string {
	var warnings []string
	for h, name := range s.Heads() {
		if labels, _ := s.Labels(h); all && len(labels) == 0 {
			warnings = append(warnings, fmt.Sprintf("no row has a label of head %q", name))
		}
	}
	return warnings
}

// labelledRows opens labelled files to be read in one pass, with the heads that are
// named or that rows have labels of.
func (f labelFlags) labelledRows(e *env, files []string) (*rowStream, error) {
	for i, h := range f.Head {
		if slices.Contains(f.Head[:i], h) {
			return nil, usagef("--head %s is given twice", h)
		}
	}
	s := &rowStream{opts: f.options()}
	var err error
	if s.sources, err = dataset.Files(files, e.stdin); err != nil {
		return nil, err
	}
	if s.opts.Heads = f.Head; len(f.Head) > 0 {
		return s, nil
	}
	for _, name := range files {
		if info, err := os.Stat(name); name == "-" || err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return nil, usagef("%s can be read only once: say which heads to count, by --head", name)
		}
	}
	s.opts.Heads = []string{"topic", "stance"}
	return s, s.findHeads(e)
}

// findHeads keeps of the heads those that a row has a label of. It reads no further
// than it must.
func (s *rowStream) findHeads(e *env) error {
	found := make([]bool, len(s.opts.Heads))
	for ex, err := range s.all() {
		_, bad := errors.AsType[*dataset.RowError](err)
		switch {
		case e.ctx.Err() != nil:
			return e.ctx.Err()
		case bad || err == nil && strings.TrimSpace(ex.Text) == "":
			continue
		case err != nil:
			return err
		}
		for h, label := range ex.Labels {
			found[h] = found[h] || label != ""
		}
		if !slices.Contains(found, false) {
			return nil
		}
	}
	var heads []string
	for h, any := range found {
		if any {
			heads = append(heads, s.opts.Heads[h])
		}
	}
	if len(heads) == 0 {
		return fmt.Errorf("no row has a text and a label in the columns %s: name those of labels by --head", quote.List(s.opts.Heads))
	}
	s.opts.Heads = heads
	return nil
}

// batchedRows are taken at a time.
const batchedRows = 4096

// take calls visit with the rows that have a text and a label, some at a time, and
// with how many came before. It returns warnings of the others, of which bad ones are
// an error unless they are to be skipped.
func (s *rowStream) take(e *env, skip bool, visit func(before int, batch []dataset.Example) error) ([]string, error) {
	var batch []dataset.Example
	var bad []*dataset.RowError
	empty, unlabelled := dataset.Warning{Kind: dataset.EmptyText}, dataset.Warning{Kind: dataset.NoLabel}
	before := 0
	for ex, err := range s.all() {
		fault, isBad := errors.AsType[*dataset.RowError](err)
		switch {
		case e.ctx.Err() != nil:
			return nil, e.ctx.Err()
		case isBad:
			bad = append(bad, fault)
		case err != nil:
			return nil, err
		case strings.TrimSpace(ex.Text) == "":
			count(&empty, ex)
		case !labelled(ex):
			count(&unlabelled, ex)
		default:
			batch = append(batch, ex)
		}
		if len(batch) == batchedRows {
			if err := visit(before, batch); err != nil {
				return nil, err
			}
			before, batch = before+len(batch), batch[:0]
		}
	}
	if err := visit(before, batch); err != nil {
		return nil, err
	}
	return leftOut(bad, skip, empty, unlabelled)
}

// leftOut warns of rows that are left out. Those that cannot be read are an error
// unless they are to be skipped.
func leftOut(bad []*dataset.RowError, skip bool, list ...dataset.Warning) ([]string, error) {
	var warnings []string
	for _, w := range list {
		if w.Count > 0 {
			warnings = append(warnings, w.String())
		}
	}
	if len(bad) == 0 {
		return warnings, nil
	}
	listed := listRowErrors(bad)
	if !skip {
		return nil, fmt.Errorf("%s\n%d rows cannot be read: mend them, or go on without them by --skip-bad-rows", listed, len(bad))
	}
	return append(warnings, fmt.Sprintf("%d rows left out:\n%s", len(bad), listed)), nil
}
