package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/score"
)

// rowFlags say what the rows of score's output hold, and how they are written.
type rowFlags struct {
	To      string   `enum:"auto,jsonl,csv,tsv,parquet,table" default:"auto" help:"Format of the output: jsonl, csv, tsv, parquet or table (for people). Auto goes by the name of -o; else jsonl."`
	Keep    []string `sep:"none" placeholder:"COLUMN" help:"Column of the input to carry along; repeat for several, '*' for all but text and id."`
	Explain int      `placeholder:"N" default:"0" help:"Evidence for the best label: at most N words or word n-grams a head."`
}

// outputFormats are those that the name of the output tells.
var outputFormats = map[string]score.Format{
	".jsonl": score.JSONL, ".ndjson": score.JSONL, ".csv": score.CSV, ".tsv": score.TSV, ".tab": score.TSV, ".parquet": score.Parquet,
}

// written is the format of the output.
func (c *scoreCmd) written() score.Format {
	if c.To != "auto" {
		return score.Format(c.To)
	}
	if f, ok := outputFormats[strings.ToLower(filepath.Ext(c.Out))]; ok {
		return f
	}
	return score.JSONL
}

// streamed is the format in which rows are written as they come. The others are
// made of JSONL in the end.
func (c *scoreCmd) streamed() score.Format {
	if f := c.written(); f == score.CSV || f == score.TSV {
		return f
	}
	return score.JSONL
}

// checkRows refuses formats that do not go with the other flags.
func (c *scoreCmd) checkRows() error {
	f := c.written()
	switch {
	case f == c.streamed():
		return nil
	case c.Shard != "":
		return usagef("--shard: shards are written as jsonl, csv or tsv, not as %s", f)
	case f == score.Parquet && c.Out == "" && isTerminal(os.Stdout):
		return usagef("--to parquet: want -o FILE, a terminal cannot show it")
	}
	return nil
}

// layout returns what the rows have.
func (r *scoreRun) layout(c score.Classifier, o score.Options) (score.Layout, error) {
	l, err := score.LayoutOf(r.ctx, c, o)
	if err != nil {
		return l, err
	}
	switch f := r.written(); {
	case f == score.JSONL: // rows name their columns
		return l, nil
	case f == score.Parquet && slices.Contains(r.Keep, dataset.KeepAll): // so do those that it is made of
		l.More = true
		return l, nil
	}
	l.Columns, l.More, err = dataset.KeptColumns(r.job.Sources, r.job.Data)
	return l, err
}

// toStream runs the job into what is no file, by way of a temporary one when the
// format is made of all rows.
func (r *scoreRun) toStream(w io.Writer) (s score.State, err error) {
	if r.written() == r.streamed() {
		return r.run(s, w, nil)
	}
	spool, err := os.CreateTemp("", "classifier-*.jsonl")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, spool.Close(), os.Remove(spool.Name())) }()
	if s, err = r.run(s, spool, nil); err != nil {
		return s, err
	}
	return s, r.convert(spool, w)
}

// finish returns what makes the output of the rows, nil when they are it.
func (r *scoreRun) finish() func(rows io.Reader, path string) error {
	if r.written() == r.streamed() {
		return nil
	}
	return func(rows io.Reader, path string) error {
		spool, ok := rows.(io.ReadSeeker)
		if !ok {
			return fmt.Errorf("%s: the rows cannot be read twice", path)
		}
		return writeOutput(path, func(w io.Writer) error { return r.convert(spool, w) })
	}
}

// convert makes the output of rows in JSONL.
func (r *scoreRun) convert(rows io.ReadSeeker, w io.Writer) error {
	if r.written() == score.Parquet {
		return score.WriteParquet(w, rows, r.job.Layout)
	}
	return score.WriteTable(w, rows, r.job.Layout, tableStyle(w))
}
