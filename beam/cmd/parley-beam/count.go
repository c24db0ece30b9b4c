package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/train"

	"github.com/parley-nlp/parley/beam/internal/cut"
	"github.com/parley-nlp/parley/beam/internal/place"
	"github.com/parley-nlp/parley/beam/internal/work"
)

// A countCmd is "parley-beam count FILE...".
type countCmd struct {
	Files       []string `arg:"" name:"file" help:"Labelled files; paths, s3:// or gs://."`
	Out         string   `short:"o" required:"" placeholder:"FOLDER" help:"Write here: counts.statistics, sample.jsonl, and last of all job.json."`
	Head        []string `sep:"none" placeholder:"NAME" help:"Column of labels; repeat for several. Default: topic and stance, those that the first rows of the files have."`
	Preset      string   `enum:"short,long" default:"long" help:"Features: short (words 1-3 and characters 2-5) or long (words 1-2)."`
	Folds       int      `default:"5" placeholder:"N" help:"Folds of the cross-validation. Default: ${default}."`
	SampleRows  int      `default:"20000" placeholder:"N" help:"Rows by which the choice is made and probabilities are calibrated: those whose groups, or texts, have the smallest hashes. Default: ${default}."`
	Strings     bool     `help:"Keep what the features are called: a model made of the counts can name them."`
	NoForget    bool     `help:"Save the 16 bytes a row by which it is told what was counted. Nothing can be forgotten then."`
	SkipBadRows bool     `help:"Go on without the rows that cannot be read; they are counted."`
	Overwrite   bool     `help:"Replace the output of an earlier job, once this one is complete."`
	dataFlags
	runFlags
}

// Run counts the rows of files.
func (c *countCmd) Run(e *env) error {
	s := work.Spec{
		Token: newToken(), Rows: true, MaxErrors: -1, Data: c.options(),
		Count: &work.Counting{Features: train.Presets[c.Preset], Folds: c.Folds, Sample: c.SampleRows, SkipBad: c.SkipBadRows, Strings: c.Strings, NoForget: c.NoForget},
	}
	if c.SampleRows < 1 {
		return usagef("--sample-rows %d: want at least 1", c.SampleRows)
	}
	var err error
	if s.Out, err = place.Absolute(c.Out); err != nil {
		return err
	}
	chunks, err := c.chunks(e.ctx, c.Files)
	if err != nil {
		return err
	}
	s.Parts = len(chunks)
	if err := c.heads(e.ctx, &s, chunks); err != nil {
		return err
	}
	if _, err := s.Count.New(); err != nil {
		return usageError{err}
	}
	if err := s.CheckFree(e.ctx, c.Overwrite); err != nil {
		return err
	}
	return e.countJob(&s, chunks, &c.runFlags)
}

// lookedAt is how many files are looked at for heads, when none is named.
const lookedAt = 100

// heads chooses the heads to count.
func (c *countCmd) heads(ctx context.Context, s *work.Spec, chunks []cut.Chunk) error {
	s.Count.Heads = c.Head
	if len(c.Head) == 0 {
		var sources []dataset.Source
		for _, chunk := range chunks {
			if chunk.Index == 0 && len(sources) < lookedAt {
				sources = append(sources, chunk.Whole().Source(ctx))
			}
		}
		o := s.Data
		o.NoLabels, o.Keep = true, []string{dataset.KeepAll}
		columns, _, err := dataset.KeptColumns(sources, o)
		if err != nil {
			return err
		}
		for _, name := range []string{"topic", "stance"} {
			if slices.Contains(columns, name) {
				s.Count.Heads = append(s.Count.Heads, name)
			} else {
				s.Count.Absent = append(s.Count.Absent, name)
			}
		}
		if len(s.Count.Heads) == 0 {
			return fmt.Errorf(`%s: no label column "topic" or "stance" in the first rows: name the columns of labels by --head`, chunks[0].Name)
		}
	}
	if err := train.CheckSampleHeads(s.Count.Heads); err != nil {
		return usagef("--%w", err)
	}
	s.Data.Heads = slices.Concat(s.Count.Heads, s.Count.Absent)
	_, err := dataset.Cuttable(chunks[0].Whole().Source(ctx), s.Data)
	return err
}

// countJob runs a job and says what has come of it.
func (e *env) countJob(s *work.Spec, chunks []cut.Chunk, f *runFlags) error {
	if err := s.WritePlan(e.ctx, chunks); err != nil {
		return err
	}
	began := time.Now()
	p, scope := beam.NewPipelineWithRoot()
	s.Async = *jobopts.Async
	work.Count(scope, *s, chunks)
	receipt, err := e.wait(s, f, p, "count")
	if err != nil {
		return err
	}
	if s.Async {
		return e.submitted()
	}
	renderSummary(e.stderr, receipt.Summary, time.Since(began))
	return nil
}
