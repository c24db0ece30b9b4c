package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
)

// dataFlags say how input files are read.
type dataFlags struct {
	TextField   string `placeholder:"NAME" help:"Column of the text. Default: text."`
	IDField     string `name:"id-field" placeholder:"NAME" help:"Column of the row's id. Default: id, if there."`
	GroupField  string `placeholder:"NAME" help:"Column of the source document; its rows stay on one side of every split. Default: group, if there."`
	TargetField string `placeholder:"NAME" help:"Column of what the stance is towards. Default: target, if there."`
	Format      string `enum:"auto,jsonl,csv,tsv,parquet,text" default:"auto" help:"Format of the files: auto, jsonl, csv, tsv, parquet or text. Auto goes by the name, then by the first bytes."`
	Split       string `enum:"lines,paragraphs,none" default:"none" placeholder:"HOW" help:"Read the files as text whose rows are lines or paragraphs. Default, for text: lines."`
	Encoding    string `enum:"auto,utf-8,utf-16le,utf-16be,windows-1252" default:"auto" help:"Encoding of the files: auto, utf-8, utf-16le, utf-16be or windows-1252. Auto takes UTF-16 and Windows-1252 for what they are where that is clear."`
	MaxRowBytes int    `default:"67108864" help:"Longest row that is read."`
}

func (f dataFlags) options() dataset.Options {
	o := dataset.Options{
		Columns:     dataset.Columns{Text: f.TextField, ID: f.IDField, Group: f.GroupField, Target: f.TargetField},
		Format:      formats[f.Format],
		MaxRowBytes: f.MaxRowBytes,
	}
	if f.Encoding != "auto" {
		o.Encoding = dataset.Encoding(f.Encoding)
	}
	if f.Split != "none" && o.Format == dataset.FormatAuto {
		o.Format = dataset.FormatText
	}
	if f.Split == "paragraphs" {
		o.Split = dataset.SplitParagraphs
	}
	return o
}

var formats = map[string]dataset.Format{
	"auto": dataset.FormatAuto, "jsonl": dataset.FormatJSONL, "csv": dataset.FormatCSV, "tsv": dataset.FormatTSV,
	"parquet": dataset.FormatParquet, "text": dataset.FormatText,
}

// labelFlags are those of commands that read labels.
type labelFlags struct {
	dataFlags
	Head        []string `sep:"none" placeholder:"NAME" help:"Column of labels; repeat for several. Default: topic and stance, those that are there."`
	SkipBadRows bool     `help:"Go on without the rows that cannot be read; they are listed."`
}

// maxListed is how many bad rows are listed.
const maxListed = 20

// read reads labelled files. It returns warnings for the report.
func (f labelFlags) read(e *env, files []string) (*dataset.Set, []string, error) {
	for i, h := range f.Head {
		if slices.Contains(f.Head[:i], h) {
			return nil, nil, usagef("--head %s is given twice", h)
		}
	}
	opts := f.options()
	opts.Heads = f.Head
	set, warnings, err := f.readAll(e, files, opts)
	return set, warnings, withHint(err, e.args)
}

// unlabelled reads texts without labels. Of the columns they need that of the
// text alone.
func (f labelFlags) unlabelled(e *env, files []string) ([]dataset.Example, []string, error) {
	opts := f.options()
	opts.Columns, opts.NoLabels = dataset.Columns{Text: f.TextField}, true
	set, warnings, err := f.readAll(e, files, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("--unlabelled: %w", err)
	}
	for i, w := range warnings {
		warnings[i] = "--unlabelled: " + w
	}
	return set.Examples, warnings, nil
}

// readAll reads files and warns of what it does not take. Columns that nobody
// wants are no reason to warn where there need not be any but the text.
func (f labelFlags) readAll(e *env, files []string, opts dataset.Options) (*dataset.Set, []string, error) {
	srcs, err := dataset.Files(files, e.stdin)
	if err != nil {
		return nil, nil, err
	}
	set, err := dataset.ReadAll(srcs, opts)
	if err != nil {
		return nil, nil, err
	}
	var warnings []string
	for _, w := range set.Warnings {
		if !(opts.NoLabels && w.Kind == dataset.UnusedColumns) {
			warnings = append(warnings, w.String())
		}
	}
	if len(set.RowErrors) == 0 {
		return set, warnings, nil
	}
	listed := listRowErrors(set.RowErrors)
	if !f.SkipBadRows {
		return nil, nil, fmt.Errorf("%s\n%d rows cannot be read: mend them, or go on without them by --skip-bad-rows", listed, len(set.RowErrors))
	}
	return set, append(warnings, fmt.Sprintf("%d rows left out:\n%s", len(set.RowErrors), listed)), nil
}

func listRowErrors(list []*dataset.RowError) string {
	var lines []string
	for _, err := range list[:min(len(list), maxListed)] {
		lines = append(lines, err.Error())
	}
	if more := len(list) - maxListed; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// withHint adds the command line that would have worked, made from that which
// did not, to an error about missing columns.
func withHint(err error, args []string) error {
	missing, ok := errors.AsType[*dataset.ColumnError](err)
	if !ok || len(missing.Hint()) == 0 {
		return err
	}
	words := slices.Concat([]string{"classifier"}, args[:1], missing.Hint(), args[1:])
	for i, w := range words {
		words[i] = shellQuote(w)
	}
	return fmt.Errorf("%w\ntry: %s", err, strings.Join(words, " "))
}

// shellQuote returns s as one word of a POSIX shell.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-./:=@%+,", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// builtinSet reads the corpus that is embedded in the program.
func builtinSet() (*dataset.Set, error) {
	srcs, err := dataset.FS(data.FS)
	if err != nil {
		return nil, err
	}
	return dataset.ReadAll(srcs, dataset.Options{})
}
