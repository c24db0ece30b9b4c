package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/cut"
	"github.com/parley-nlp/parley/beam/internal/place"
	"github.com/parley-nlp/parley/beam/internal/work"
)

// A scoreCmd is "parley-beam score FILE...".
type scoreCmd struct {
	Files     []string `arg:"" name:"file" help:"Files with texts (JSONL, CSV, TSV, plain text, also .gz or .zst, or Parquet), folders, or patterns; paths, s3:// or gs://."`
	Out       string   `short:"o" required:"" placeholder:"FOLDER" help:"Write here: rows-*, errors-*, and last of all job.json. Workers must reach it under this name (path, s3:// or gs://)."`
	To        string   `enum:"jsonl,csv,tsv" default:"jsonl" help:"Format of the output: jsonl, csv or tsv."`
	Keep      []string `sep:"none" placeholder:"COLUMN" help:"Column of the input to carry along; repeat for several, '*' for all but text and id."`
	Explain   int      `placeholder:"N" default:"0" help:"Evidence for the best label: at most N words or word n-grams a head."`
	Errors    string   `enum:"apart,inline" default:"apart" help:"Where rows without an answer go: apart, into files of their own, or inline, where classifier score has them."`
	MaxErrors int64    `default:"-1" placeholder:"N" help:"Fail, without output, when more than N rows have no answer. Default: never."`
	Overwrite bool     `help:"Replace the output of an earlier job, once this one is complete."`
	Summary   []string `sep:"none" placeholder:"FILE" help:"Write what share of the rows has each label, adjusted for the classifier's errors: figures to FILE.json, a page to FILE.html; repeat for both."`
	askFlags
	dataFlags
	shareFlags
	runFlags
}

// Run scores the files.
func (c *scoreCmd) Run(e *env) error {
	s, chunks, err := c.spec(e)
	if err != nil {
		return err
	}
	if err := s.CheckFree(e.ctx, c.Overwrite); err != nil {
		return err
	}
	return e.scoreJob(s, chunks, &c.runFlags, "score")
}

// spec is the job, and its input.
func (c *scoreCmd) spec(e *env) (*work.Spec, []cut.Chunk, error) {
	s := work.Spec{
		Token: newToken(), Rows: true, Format: score.Format(c.To), Inline: c.Errors == "inline", MaxErrors: c.MaxErrors,
		Data: c.options(), Title: titleOf(c.Files),
	}
	s.Data.NoLabels, s.Data.Keep = true, c.Keep
	var err error
	if s.Out, err = place.Absolute(c.Out); err != nil {
		return nil, nil, err
	}
	if err := c.shares(&s, c.Summary); err != nil {
		return nil, nil, err
	}
	chunks, err := c.askOf(e.ctx, &s, c.Explain, &c.dataFlags, c.Files)
	if err != nil {
		return nil, nil, err
	}
	return &s, chunks, layout(e.ctx, &s, chunks)
}

// askOf completes a job with the model and the input.
func (f *askFlags) askOf(ctx context.Context, s *work.Spec, evidence int, d *dataFlags, files []string) ([]cut.Chunk, error) {
	if err := f.ask(ctx, s, evidence); err != nil {
		return nil, err
	}
	chunks, err := d.chunks(ctx, files)
	if err != nil {
		return nil, err
	}
	s.Parts = len(chunks)
	_, err = dataset.Cuttable(chunks[0].Whole().Source(ctx), s.Data) // what is wrong with all files is said at once
	return chunks, err
}

// A prevalenceCmd is "parley-beam prevalence FILE...".
type prevalenceCmd struct {
	Files   []string `arg:"" name:"file" help:"Files with texts; paths, s3:// or gs://."`
	Out     []string `short:"o" sep:"none" required:"" placeholder:"FILE" help:"Write here: figures to FILE.json, a page to FILE.html; repeat for both."`
	Scratch string   `placeholder:"FOLDER" help:"Folder that workers reach, for what they tell each other. Default: that of the first file."`
	askFlags
	dataFlags
	shareFlags
	runFlags
}

// Run sums up the files.
func (c *prevalenceCmd) Run(e *env) error {
	s := work.Spec{Token: newToken(), Format: score.JSONL, MaxErrors: -1, Data: c.options(), Title: titleOf(c.Files)}
	s.Data.NoLabels = true
	if err := c.shares(&s, c.Out); err != nil {
		return err
	}
	var err error
	if s.Out, err = place.Parent(s.Shares[0]); err != nil {
		return err
	}
	if c.Scratch != "" {
		if s.Out, err = place.Absolute(c.Scratch); err != nil {
			return err
		}
	}
	chunks, err := c.askOf(e.ctx, &s, 0, &c.dataFlags, c.Files)
	if err != nil {
		return err
	}
	return e.scoreJob(&s, chunks, &c.runFlags, "prevalence")
}

// scoreJob runs a job and says what has come of it.
func (e *env) scoreJob(s *work.Spec, chunks []cut.Chunk, f *runFlags, command string) error {
	if err := s.WritePlan(e.ctx, chunks); err != nil {
		return err
	}
	began := time.Now()
	p, scope := beam.NewPipelineWithRoot()
	s.Async = *jobopts.Async
	work.Score(scope, *s, chunks)
	receipt, err := e.wait(s, f, p, command)
	if err != nil {
		return err
	}
	if s.Async {
		return e.submitted()
	}
	renderSummary(e.stderr, receipt.Summary, time.Since(began))
	if n := receipt.Summary.Errors; n > 0 {
		return fmt.Errorf(`%d of %d rows could not be classified: their lines have an "error"`, n, receipt.Summary.Rows)
	}
	return nil
}

// wait runs a job and removes what is temporary, unless workers may still write it.
// There is no receipt of a job that nobody waits for.
func (e *env) wait(s *work.Spec, f *runFlags, p *beam.Pipeline, command string) (*work.Receipt, error) {
	_, err := f.run(e, p, command+"-"+s.Token)
	if err == nil && s.Async {
		return nil, nil
	}
	ctx := context.WithoutCancel(e.ctx)
	receipt, missing := s.Receipt(ctx)
	switch {
	case missing == nil: // the job is complete, whatever came after that
		err = nil
	case err == nil:
		err = missing
	case errors.Is(err, errUnknown):
		return nil, fmt.Errorf("%w: what it has written so far stays in %s", err, s.Temporary())
	}
	return receipt, errors.Join(err, s.Clean(ctx))
}

// submitted says what becomes of a job that nobody waits for.
func (e *env) submitted() error {
	fmt.Fprintf(e.stderr, "parley-beam: submitted as %s; job.json is there when all is\n", *jobopts.JobName)
	return nil
}
