package main

import (
	"fmt"
	"io"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/score"
	"github.com/parley-nlp/parley/internal/train"
)

// A countCmds is "classifier count" and the commands below it.
type countCmds struct {
	Rows   countCmd       `cmd:"" default:"withargs" help:"Count the features of labelled files, exactly: what naive Bayes is trained on. Counts of parts add up to those of the whole, and rows can be forgotten."`
	Merge  countMergeCmd  `cmd:"" help:"Add up counts of parts."`
	Add    countAddCmd    `cmd:"" help:"Count more rows into a file of counts."`
	Forget countForgetCmd `cmd:"" help:"Take rows out of a file of counts, as if they had never been counted."`
	Show   countShowCmd   `cmd:"" help:"Show what a file of counts has: labels, rows, SHA-256."`
}

// A countCmd is "classifier count FILE...".
type countCmd struct {
	Files    []string `arg:"" name:"file" help:"Labelled files (JSONL, CSV, TSV, Parquet, also .gz or .zst), folders of them, or - for standard input, which wants --head."`
	Out      string   `short:"o" required:"" placeholder:"FILE" help:"File of counts to write."`
	Sample   string   `placeholder:"FILE" help:"Write the sample of the rows by which train --from-counts chooses, calibrates and judges."`
	Preset   string   `enum:"short,long" default:"long" help:"Features: short (words 1-3 and characters 2-5) or long (words 1-2). Default: ${default}."`
	Folds    int      `default:"5" placeholder:"N" help:"Folds of the cross-validation; a row's is a hash of its group, or of its text. Default: ${default}."`
	Shard    string   `placeholder:"I/N" help:"Count every N-th row from the I-th on, I from 0 to N-1; count merge adds them up."`
	Strings  bool     `help:"Keep what the features are called: a model made of the counts can name them. A name goes when no row has the feature."`
	NoForget bool     `help:"Save the 16 bytes a row by which it is told what was counted. Nothing can be forgotten then."`
	JSON     bool     `name:"json" help:"Write the summary as JSON."`
	sampleFlag
	labelFlags
}

// A sampleFlag says how large a sample is.
type sampleFlag struct {
	SampleRows int `default:"20000" placeholder:"N" help:"Rows by which models of counts are chosen, calibrated and judged: those whose groups, or texts, have the smallest hashes. Default: ${default}."`
}

// maxSampleRows bounds the sample: it is held in memory.
const maxSampleRows = 10_000_000

func (f sampleFlag) check() error {
	if f.SampleRows < 1 || f.SampleRows > maxSampleRows {
		return usagef("--sample-rows %d: want 1 to %d", f.SampleRows, maxSampleRows)
	}
	return nil
}

// Run counts the files.
func (c *countCmd) Run(e *env) error {
	p, err := c.plan()
	if err != nil {
		return err
	}
	if samePath(c.Out, c.Sample) {
		return usagef("--out and --sample: want two files, not %s for both", c.Out)
	}
	for _, path := range c.Files {
		if samePath(c.Out, path) || samePath(c.Sample, path) {
			return usagef("%s is a file to count, and would be replaced", path)
		}
	}
	if err := train.CheckSampleHeads(c.Head); c.Sample != "" && err != nil {
		return usagef("--%w", err)
	}
	for _, path := range []string{c.Out, c.Sample} {
		if err := checkNamedOutput(path); err != nil {
			return err
		}
	}
	r, err := c.count(e, c.Files, p)
	if err != nil {
		return err
	}
	for _, w := range r.warnings {
		fmt.Fprintf(e.stderr, "classifier: warning: %s\n", w)
	}
	if c.Sample != "" {
		lines, err := train.EncodeSample(r.statistics.Heads(), r.sampler.Rows())
		if err != nil {
			return err
		}
		if err := writeBytes(c.Sample, lines); err != nil {
			return err
		}
	}
	return writeCounts(e, c.Out, r.statistics, c.JSON)
}

// plan is how the rows are to be counted.
func (c *countCmd) plan() (countPlan, error) {
	p := countPlan{
		features: train.Presets[c.Preset], folds: c.Folds, sample: c.SampleRows, strings: c.Strings, marks: !c.NoForget,
		shard: score.Shard{Of: 1},
	}
	if c.Folds < 2 || c.Folds > maxFolds {
		return p, usagef("--folds %d: want 2 to %d", c.Folds, maxFolds)
	}
	if err := c.check(); err != nil {
		return p, err
	}
	if c.Shard == "" {
		return p, nil
	}
	var err error
	if p.shard, err = score.ParseShard(c.Shard); err != nil {
		return p, usagef("--shard: %w", err)
	}
	return p, nil
}

// A countPlan says how rows are counted.
type countPlan struct {
	features model.Features
	folds    int
	sample   int // rows
	strings  bool
	marks    bool
	shard    score.Shard
}

// statistics returns statistics without rows.
func (p countPlan) statistics(heads []string) (*train.Statistics, error) {
	s, err := train.NewStatistics(p.features, heads, p.folds)
	if err == nil && p.strings {
		err = s.KeepStrings()
	}
	if err == nil && !p.marks {
		err = s.KeepNoMarks()
	}
	return s, err
}

// checkNamedOutput is checkOutput for a file that is written if it is named.
func checkNamedOutput(path string) error {
	if path == "" {
		return nil
	}
	return checkOutput(path)
}

func writeBytes(path string, b []byte) error {
	return writeOutput(path, func(w io.Writer) error { _, err := w.Write(b); return err })
}

// writeCounts writes statistics and says what they have.
func writeCounts(e *env, path string, s *train.Statistics, asJSON bool) error {
	b := s.Encode()
	if err := writeBytes(path, b); err != nil {
		return err
	}
	return writeReport(e, describeCounts(path, s, b), asJSON)
}
