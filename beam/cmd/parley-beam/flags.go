package main

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/prevalence"
	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/cut"
	"github.com/parley-nlp/parley/beam/internal/place"
	"github.com/parley-nlp/parley/beam/internal/work"
)

// dataFlags say how input files are read: those of classifier.
type dataFlags struct {
	TextField   string `placeholder:"NAME" help:"Column of the text. Default: text."`
	IDField     string `name:"id-field" placeholder:"NAME" help:"Column of the row's id. Default: id, if there."`
	GroupField  string `placeholder:"NAME" help:"Column of the source document. Default: group, if there."`
	TargetField string `placeholder:"NAME" help:"Column of what the stance is towards. Default: target, if there."`
	Format      string `enum:"auto,jsonl,csv,tsv,parquet,text" default:"auto" help:"Format of the files: auto, jsonl, csv, tsv, parquet or text. Auto goes by the name, then by the first bytes."`
	Encoding    string `enum:"auto,utf-8,utf-16le,utf-16be,windows-1252" default:"auto" help:"Encoding of the files."`
	MaxRowBytes int    `default:"67108864" help:"Longest row that is read."`
	PieceBytes  int64  `default:"67108864" help:"Files of JSON lines are cut into pieces of about so many bytes, which workers read at the same time; other files, and packed ones, are read whole."`
}

var formats = map[string]dataset.Format{
	"auto": dataset.FormatAuto, "jsonl": dataset.FormatJSONL, "csv": dataset.FormatCSV, "tsv": dataset.FormatTSV,
	"parquet": dataset.FormatParquet, "text": dataset.FormatText,
}

func (f *dataFlags) options() dataset.Options {
	o := dataset.Options{
		Columns: dataset.Columns{Text: f.TextField, ID: f.IDField, Group: f.GroupField, Target: f.TargetField},
		Format:  formats[f.Format], MaxRowBytes: f.MaxRowBytes,
	}
	if f.Encoding != "auto" {
		o.Encoding = dataset.Encoding(f.Encoding)
	}
	return o
}

// maxPieces bounds the pieces of a job.
const maxPieces = 1 << 20

// chunks finds the files and cuts them.
func (f *dataFlags) chunks(ctx context.Context, names []string) ([]cut.Chunk, error) {
	if f.PieceBytes < 1 {
		return nil, usagef("--piece-bytes %d: want at least 1", f.PieceBytes)
	}
	files, err := place.Files(ctx, names)
	if err != nil {
		return nil, err
	}
	for i := range files {
		if files[i].URL, err = place.Absolute(files[i].URL); err != nil { // workers may run in another folder
			return nil, err
		}
	}
	if n := cut.Count(files, formats[f.Format], f.PieceBytes); n > maxPieces {
		return nil, usagef("--piece-bytes %d: the input has %d pieces, at most %d can be", f.PieceBytes, n, maxPieces)
	}
	return cut.Chunks(files, formats[f.Format], f.PieceBytes), nil
}

// askFlags choose the model and what is asked of it.
type askFlags struct {
	Model          string   `short:"m" xor:"who" required:"" placeholder:"FILE" help:"Model file, which workers reach under this name (path, s3:// or gs://)."`
	Store          string   `xor:"who" required:"" placeholder:"URL" help:"Take the model from a store (see classifier models) instead of a file."`
	ModelName      string   `default:"default" placeholder:"NAME" help:"With --store: model in it. Default: ${default}."`
	Revision       string   `default:"live" placeholder:"REVISION" help:"With --store: revision or alias, which is looked up once, when the job is submitted. Default: ${default}."`
	Head           []string `sep:"none" placeholder:"NAME" help:"Head to run; repeat for several. Default: all."`
	MinProbability *float64 `placeholder:"P" help:"Abstain below this calibrated probability. Default: the model's own threshold."`
	MinMargin      float64  `placeholder:"P" default:"0" help:"Abstain when the best label leads by less than this."`
	Top            int      `default:"1" help:"Labels to give a head, --top=-1 for all."`
	Jobs           int      `placeholder:"N" help:"Batches of a piece that a worker classifies at a time. Default: as many as it has processors."`
}

// resolve finds the model.
func (f *askFlags) resolve(ctx context.Context) (*model.Model, work.ModelRef, error) {
	ref := work.ModelRef{File: f.Model, Store: f.Store, Name: f.ModelName}
	var err error
	if ref.File, err = place.Absolute(f.Model); f.Model == "" || err != nil {
		ref.File = f.Model
	}
	if f.Store != "" && !strings.Contains(f.Store, "://") {
		if ref.Store, err = place.Absolute(f.Store); err != nil {
			return nil, ref, err
		}
	}
	return work.Resolve(ctx, ref, f.Revision)
}

// ask fills in the model and what is asked.
func (f *askFlags) ask(ctx context.Context, s *work.Spec, evidence int) error {
	if f.Jobs < 0 {
		return usagef("--jobs %d: want at least 1", f.Jobs)
	}
	s.Jobs = f.Jobs
	s.Options = score.Options{Heads: f.Head, Top: f.Top, Evidence: evidence, MinProbability: f.MinProbability, MinMargin: f.MinMargin}
	if err := s.Options.Check(); err != nil {
		return usageError{err}
	}
	m, ref, err := f.resolve(ctx)
	if err != nil {
		return err
	}
	s.Model = ref
	c, err := score.Local(m, s.Options)
	if err != nil {
		return err
	}
	s.Layout, err = score.LayoutOf(ctx, c, s.Options)
	return err
}

// shareFlags say what label shares are by.
type shareFlags struct {
	By []string `sep:"none" placeholder:"COLUMN[:UNIT]" help:"Shares by the values of an input column, or by day, week, month or year of its dates (date:month); repeat for several."`
}

// shares fills in what label shares are wanted.
func (f *shareFlags) shares(s *work.Spec, files []string) (err error) {
	if len(files) == 0 && len(f.By) > 0 {
		return usagef("--by is for --summary")
	}
	if s.By, err = prevalence.ParseBys(f.By); err != nil {
		return usagef("--by %w", err)
	}
	for _, name := range files {
		if err := work.CheckShares(name); err != nil {
			return usageError{err}
		}
		url, err := place.Absolute(name)
		if err != nil {
			return err
		}
		s.Shares = append(s.Shares, url)
	}
	for _, b := range s.By {
		if !slices.Contains(s.Data.Keep, b.Column) {
			s.Data.Keep = append(s.Data.Keep, b.Column)
		}
	}
	return nil
}

// newToken names a job.
func newToken() string { return strings.ToLower(rand.Text()[:16]) }

// layout completes what rows have, for formats with columns.
func layout(ctx context.Context, s *work.Spec, chunks []cut.Chunk) (err error) {
	if s.Format == score.JSONL { // rows name their columns
		return nil
	}
	var sources []dataset.Source
	for _, c := range chunks {
		if c.Index == 0 {
			sources = append(sources, c.Whole().Source(ctx))
		}
	}
	s.Layout.Columns, s.Layout.More, err = dataset.KeptColumns(sources, s.Data)
	return err
}
