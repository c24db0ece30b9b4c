package main

import (
	"fmt"
	"io"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/score"
)

// A scoreCmd is "classifier score".
type scoreCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"Files with texts (JSONL, CSV, TSV, also .gz or .zst) or folders of them. Default: standard input."`
	Out   string   `short:"o" placeholder:"FILE" help:"Write here instead of to standard output; the file appears when it is complete."`
	Top   int      `default:"1" help:"Labels to give a head, --top=-1 for all."`
	askFlags
	dataFlags
}

// Run scores the files.
func (c *scoreCmd) Run(e *env) error {
	files := c.Files
	if len(files) == 0 {
		files = []string{"-"}
	}
	if c.Out != "" {
		if err := checkOutput(c.Out); err != nil {
			return err
		}
	}
	srcs, err := dataset.Files(files, e.stdin)
	if err != nil {
		return err
	}
	classifier, done, err := c.classifier(e, score.Options{Top: c.Top})
	if err != nil {
		return err
	}
	defer done()
	var summary score.Summary
	err = c.output(e, func(w io.Writer) error {
		opts := c.options()
		opts.NoLabels = true
		summary, err = score.Run(e.ctx, classifier, srcs, opts, w)
		return withHint(err, e.args)
	})
	if err != nil {
		return err
	}
	if summary.Errors > 0 {
		return fmt.Errorf(`%d of %d rows could not be classified: their lines have an "error"`, summary.Errors, summary.Rows)
	}
	return nil
}

// output calls write with standard output or the file.
func (c *scoreCmd) output(e *env, write func(io.Writer) error) error {
	if c.Out == "" {
		return write(e.stdout)
	}
	return writeOutput(c.Out, write)
}
