package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/page"
	"github.com/parley-nlp/parley/internal/prevalence"
	"github.com/parley-nlp/parley/internal/score"
)

// summaryFlags ask for label shares.
type summaryFlags struct {
	Summary            []string `sep:"none" placeholder:"FILE" help:"Write what share of the rows has each label, adjusted for the classifier's errors, with 95% intervals: figures to FILE.json, a page to FILE.html; repeat for both. With --top=-1 other estimates too."`
	By                 []string `sep:"none" placeholder:"COLUMN[:UNIT]" help:"With --summary: shares by the values of an input column, or by day, week, month or year of its dates (date:month); repeat for several. Output rows keep these columns."`
	Audited            string   `placeholder:"FILE" help:"With --summary: rows with true labels, by id, that were drawn at random from those scored; shares then hold whatever the classifier does."`
	AuditedProbability string   `placeholder:"COLUMN" help:"With --audited: column of the probability with which a row was drawn. Default: all alike."`
}

// checkSummary refuses what cannot be meant or written.
func (f *summaryFlags) checkSummary() error {
	if len(f.Summary) == 0 {
		switch {
		case len(f.By) > 0:
			return usagef("--by is for --summary")
		case f.Audited != "":
			return usagef("--audited is for --summary")
		}
	}
	if f.AuditedProbability != "" && f.Audited == "" {
		return usagef("--audited-probability is for --audited")
	}
	if _, err := f.by(); err != nil {
		return err
	}
	for _, path := range f.Summary {
		if summaryWriters[strings.ToLower(filepath.Ext(path))] == nil {
			return usagef("--summary %s: want a name that ends in .json or .html", path)
		}
		if err := checkOutput(path); err != nil {
			return fmt.Errorf("--summary: %w", err)
		}
	}
	return nil
}

func (f *summaryFlags) by() ([]prevalence.By, error) {
	list, err := prevalence.ParseBys(f.By)
	if err != nil {
		return nil, usagef("--by %w", err)
	}
	return list, nil
}

// checkSums refuses summaries that do not go with the other flags.
func (c *scoreCmd) checkSums() error {
	if err := c.checkSummary(); err != nil || len(c.Summary) == 0 {
		return err
	}
	switch {
	case c.Addr != "" && c.SummaryModel == "":
		return usagef("--summary with --addr: want the model file that the server answers with, by --summary-model, as how often it errs is in it")
	case c.Shard != "":
		return usagef("--summary: a shard is not all rows: sum up what score merge writes, by classifier summarize")
	case c.Resume && c.streamed() != score.JSONL:
		return usagef("--summary with --resume: rows that were written as %s are not read again: write them as jsonl", c.streamed())
	}
	return nil
}

// kept are the columns that output rows keep: those named and those of --by.
func (f *summaryFlags) kept(columns []string) []string {
	list := slices.Clone(columns)
	by, _ := f.by() // which checkSummary has seen
	for _, b := range by {
		if !slices.Contains(list, b.Column) {
			list = append(list, b.Column)
		}
	}
	return list
}

var summaryWriters = map[string]func(io.Writer, string, *prevalence.Report) error{
	".json": func(w io.Writer, _ string, r *prevalence.Report) error { return r.WriteJSON(w) },
	".html": page.WriteShares,
	".htm":  page.WriteShares,
}

// A summary sums up scored rows.
type summary struct {
	*summaryFlags
	*prevalence.Summariser
	heads    []prevalence.Head
	columns  []prevalence.By
	revision string
}

// newSummary makes a summary of rows of the given heads that m answers.
func (f *summaryFlags) newSummary(e *env, m *model.Model, heads []string, columns dataset.Columns) (*summary, error) {
	s := &summary{summaryFlags: f, revision: m.Revision()}
	all := prevalence.OfModel(m)
	for _, name := range heads {
		h := m.Head(name)
		if h < 0 {
			return nil, fmt.Errorf("--summary: the model file has no head %q", name)
		}
		s.heads = append(s.heads, all[h])
	}
	var err error
	if s.columns, err = f.by(); err != nil {
		return nil, err
	}
	o := prevalence.Options{By: s.columns}
	if o.Audit, err = f.audit(e, heads, columns); err != nil {
		return nil, fmt.Errorf("--audited: %w", err)
	}
	s.Summariser = prevalence.New(s.heads, o)
	return s, nil
}

// audit reads the true labels.
func (f *summaryFlags) audit(e *env, heads []string, columns dataset.Columns) (map[string]prevalence.Audited, error) {
	if f.Audited == "" {
		return nil, nil
	}
	srcs, err := dataset.Files([]string{f.Audited}, e.stdin)
	if err != nil {
		return nil, err
	}
	// The id stands in for the text, which such files need not have.
	o := dataset.Options{Columns: dataset.Columns{Text: columns.ID}, Heads: heads}
	if o.Columns.Text == "" {
		o.Columns.Text = "id"
	}
	if f.AuditedProbability != "" {
		o.Keep = []string{f.AuditedProbability}
	}
	list, labelled := map[string]prevalence.Audited{}, 0
	for _, src := range srcs {
		for ex, err := range dataset.Rows(src, o) {
			if err != nil {
				return nil, auditError(err)
			}
			a := prevalence.Audited{Labels: slices.Clone(ex.Labels), Probability: 1}
			if _, twice := list[ex.Text]; twice || ex.Text == "" {
				return nil, fmt.Errorf("%s:%d: id %q: want an id in every row, and no row twice", ex.File, ex.Line, ex.Text)
			}
			if f.AuditedProbability != "" {
				if a.Probability, err = probabilityOf(ex); err != nil {
					return nil, err
				}
			}
			if list[ex.Text] = a; len(list) > prevalence.MaxAudited {
				return nil, fmt.Errorf("%s: more than %d rows", ex.File, prevalence.MaxAudited)
			}
			if slices.ContainsFunc(a.Labels, func(l string) bool { return l != "" }) {
				labelled++
			}
		}
	}
	if labelled == 0 {
		return nil, fmt.Errorf("%s: no row has a label: want a column by the name of a head (%s)", f.Audited, strings.Join(heads, ", "))
	}
	return list, nil
}

// auditError calls the column of ids, which is read as the text, by its name.
func auditError(err error) error {
	missing, ok := errors.AsType[*dataset.ColumnError](err)
	if !ok {
		return err
	}
	column := *missing
	column.TextGuess, column.HeadGuesses = "", nil
	if column.Role == "text" {
		column.Role = "id"
	}
	return &column
}

func probabilityOf(ex dataset.Example) (float64, error) {
	r := score.Row{Columns: ex.Kept}
	text := ""
	if len(ex.Kept) > 0 {
		text = r.Column(ex.Kept[0].Name)
	}
	p, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(p > 1e-9 && p <= 1) {
		return 0, fmt.Errorf("%s:%d: probability %q: want a number above 0, at most 1", ex.File, ex.Line, text)
	}
	return p, nil
}

// see counts a scored row.
func (s *summary) see(r *score.Row, _ *dataset.Example) error {
	if r.Err == nil && r.Revision != s.revision {
		return fmt.Errorf("--summary: row %q was answered by revision %.12s, and the model file is %.12s: its errors are not those of the answers", r.ID, r.Revision, s.revision)
	}
	return s.Add(score.Answered(r, s.heads, s.columns))
}

// replay counts the rows of files of scored rows: at most so many, all when
// negative.
func (s *summary) replay(srcs []dataset.Source, rows int64, maxRow int) error {
	var names []string
	for _, h := range s.heads {
		names = append(names, h.Name)
	}
	for _, src := range srcs {
		for ex, err := range dataset.Rows(src, score.ReadOptions(maxRow)) {
			if err != nil {
				return err
			}
			if rows == 0 {
				return nil
			}
			rows--
			r, err := score.DecodeRow(ex, names)
			if err != nil {
				return err
			}
			if err := s.see(&r, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes the files that were asked for.
func (s *summary) write(title string) error {
	r, err := s.Report()
	if err != nil {
		return fmt.Errorf("--summary: %w", err)
	}
	r.Revision = s.revision
	for _, path := range s.Summary {
		err := writeOutput(path, func(w io.Writer) error {
			return summaryWriters[strings.ToLower(filepath.Ext(path))](w, title, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A summarizeCmd is "classifier summarize".
type summarizeCmd struct {
	Files []string `arg:"" name:"file" help:"Files that classifier score wrote, as JSON lines (also .gz or .zst), of one model."`
	Model string   `short:"m" required:"" placeholder:"FILE" help:"Model file that answered: how often it errs is in it."`
	Head  []string `sep:"none" placeholder:"NAME" help:"Head to sum up; repeat for several. Default: all."`
	summaryFlags
	IDField     string `name:"id-field" placeholder:"NAME" help:"Column of the ids in the file of --audited. Default: id."`
	MaxRowBytes int    `default:"67108864" help:"Longest row that is read."`
}

// Run sums up rows that were scored before.
func (c *summarizeCmd) Run(e *env) error {
	if len(c.Summary) == 0 {
		return usagef("--summary FILE: want the name of a file to write, that ends in .json or .html")
	}
	if err := c.checkSummary(); err != nil {
		return err
	}
	m, err := readModel(c.Model)
	if err != nil {
		return err
	}
	heads := c.Head
	if len(heads) == 0 {
		for _, h := range m.Heads() {
			heads = append(heads, h.Name)
		}
	}
	s, err := c.newSummary(e, m, heads, dataset.Columns{ID: c.IDField})
	if err != nil {
		return err
	}
	srcs, err := dataset.Files(c.Files, e.stdin)
	if err != nil {
		return err
	}
	if err := s.replay(srcs, -1, c.MaxRowBytes); err != nil {
		return err
	}
	return s.write(titleOf(c.Files))
}

// titleOf is what a page of these files is called.
func titleOf(files []string) string {
	switch {
	case len(files) == 0 || files[0] == "-":
		return "standard input"
	case len(files) == 1:
		return filepath.Base(files[0])
	}
	return fmt.Sprintf("%s and %d more", filepath.Base(files[0]), len(files)-1)
}

// sumUp prepares the summary of the run, if there is to be one.
func (r *scoreRun) sumUp() error {
	if len(r.Summary) == 0 {
		return nil
	}
	m := score.ModelOf(r.job.Classifier)
	if m == nil {
		var err error
		if m, err = readModel(r.SummaryModel); err != nil {
			return fmt.Errorf("--summary-model: %w", err)
		}
	}
	var heads []string
	for _, h := range r.job.Layout.Heads {
		heads = append(heads, h.Name)
	}
	var err error
	if r.summary, err = r.newSummary(r.env, m, heads, r.options().Columns); err != nil {
		return err
	}
	r.job.See = r.summary.see
	return nil
}

// sumUpAgain counts the rows that an earlier run wrote into the file at path.
func (r *scoreRun) sumUpAgain(path string, rows int64) error {
	if r.summary == nil || rows == 0 {
		return nil
	}
	srcs, err := dataset.Files([]string{path}, nil)
	if err != nil {
		return err
	}
	return r.summary.replay(srcs, rows, 1<<30)
}

// writeSummary writes the summary of a run that is complete.
func (r *scoreRun) writeSummary() error {
	if r.summary == nil {
		return nil
	}
	return r.summary.write(titleOf(r.Files))
}
