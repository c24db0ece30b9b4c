package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/parley-nlp/parley/internal/prevalence"
	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// A Receipt is job.json: what a complete output consists of.
type Receipt struct {
	Version  int           `json:"version"`
	Token    string        `json:"token"`    // of the job
	Revision string        `json:"revision"` // SHA-256 of the model that answered
	Files    []OutputFile  `json:"files"`
	Summary  score.Summary `json:"summary"`
}

// An OutputFile is one of the output. All rows of a file are of the input's part
// of its number: in order, the files named rows-... have the rows in their order.
type OutputFile struct {
	Name  string `json:"name"`
	Part  int    `json:"part"`
	Bytes int64  `json:"bytes"`
	temp  string
}

const receiptVersion = 1

// finishFn gives the output of all pieces its names.
type finishFn struct{ Spec Spec }

func (f *finishFn) ProcessElement(ctx context.Context, _ int, next func(*Done) bool, sums func(**Sums) bool) error {
	if _, err := f.Spec.Receipt(ctx); err == nil { // an earlier try has done it all
		return nil
	}
	parts, err := f.collect(next)
	if err != nil {
		return err
	}
	receipt, err := f.receipt(parts)
	if err != nil {
		return err
	}
	if max := f.Spec.MaxErrors; max >= 0 && receipt.Summary.Errors > max {
		return fmt.Errorf("%d of %d rows have errors, at most %d may", receipt.Summary.Errors, receipt.Summary.Rows, max)
	}
	shares, err := f.shares(ctx, sums)
	if err != nil {
		return err
	}
	for i, url := range f.Spec.Shares {
		if err := place.Replace(ctx, url, shares[i]); err != nil {
			return err
		}
	}
	if f.Spec.Rows { // nothing but the output folder can be wrong from here on
		if err := f.name(ctx, receipt); err != nil {
			return err
		}
	}
	return f.Spec.complete(ctx, receipt)
}

// shares renders the files of label shares.
func (f *finishFn) shares(ctx context.Context, sums func(**Sums) bool) ([][]byte, error) {
	if len(f.Spec.Shares) == 0 {
		return nil, nil
	}
	total := &Sums{&prevalence.Counts{}}
	sums(&total)
	return f.Spec.render(ctx, total.Counts)
}

// collect takes every part once.
func (f *finishFn) collect(next func(*Done) bool) ([]Done, error) {
	parts, seen := make([]Done, f.Spec.Parts), make([]bool, f.Spec.Parts)
	for d := (Done{}); next(&d); {
		if d.Part < 0 || d.Part >= len(parts) {
			return nil, fmt.Errorf("part %d of %d has come", d.Part, len(parts))
		}
		parts[d.Part], seen[d.Part] = d, true
	}
	if at := slices.Index(seen, false); at >= 0 {
		return nil, fmt.Errorf("part %d of %d has not come", at, len(parts))
	}
	return parts, nil
}

func (f *finishFn) receipt(parts []Done) (*Receipt, error) {
	r := &Receipt{Version: receiptVersion, Token: f.Spec.Token, Revision: f.Spec.Model.Revision, Files: []OutputFile{}}
	for _, d := range parts {
		var s score.Summary
		if err := json.Unmarshal(d.Summary, &s); err != nil {
			return nil, err
		}
		r.Summary.Add(s)
		if d.Rows != "" {
			r.Files = append(r.Files, OutputFile{f.Spec.final(answered, d.Part), d.Part, d.RowBytes, d.Rows})
		}
		if d.Errors != "" {
			r.Files = append(r.Files, OutputFile{f.Spec.final(failed, d.Part), d.Part, d.ErrorBytes, d.Errors})
		}
	}
	return r, nil
}

// name gives the files their names, in place of those of an earlier job. It may
// be done twice: what the first time has named is there.
func (f *finishFn) name(ctx context.Context, r *Receipt) error {
	folder, err := f.Spec.folder(ctx)
	if err != nil {
		return err
	}
	if err := folder.Remove(ctx, ReceiptName); err != nil { // first of all: what follows is not complete
		return err
	}
	if err := folder.Sync(); err != nil {
		return err
	}
	keep := map[string]bool{}
	var moves errgroup.Group
	moves.SetLimit(movesAtOnce)
	for _, o := range r.Files {
		keep[o.Name] = true
		moves.Go(func() error { return moveTo(ctx, folder, o) })
	}
	if err := moves.Wait(); err != nil {
		return err
	}
	names, err := folder.Names(ctx, "")
	if err != nil {
		return err
	}
	for _, name := range names {
		if isOutput(name) && !keep[name] {
			if err := folder.Remove(ctx, name); err != nil {
				return err
			}
		}
	}
	return folder.Sync()
}

// movesAtOnce is how many files get their names at the same time: a store of
// objects copies them.
const movesAtOnce = 32

// moveTo gives a file its name, if it does not have it yet.
func moveTo(ctx context.Context, folder place.Folder, o OutputFile) error {
	size, err := folder.Size(ctx, o.temp)
	if errors.Is(err, fs.ErrNotExist) {
		if size, err = folder.Size(ctx, o.Name); err == nil && size == o.Bytes {
			return nil
		}
		return fmt.Errorf("%s: a worker's file %s has vanished", folder, o.temp)
	}
	if err != nil {
		return err
	}
	if size != o.Bytes {
		return fmt.Errorf("%s: a worker's file %s has %d bytes, it was written with %d", folder, o.temp, size, o.Bytes)
	}
	return folder.Rename(ctx, o.temp, o.Name)
}

// complete writes the receipt. What is temporary is removed by the process that
// waits for the job, since a runner may begin the job anew; or here when nobody
// waits.
func (s *Spec) complete(ctx context.Context, r *Receipt) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	switch {
	case !s.Rows && s.Async:
		return s.Clean(ctx)
	case !s.Rows:
		return s.keep(ctx, append(b, '\n'))
	}
	if err := place.ReplaceIn(ctx, s.Out, ReceiptName, append(b, '\n')); err != nil || !s.Async {
		return err
	}
	return s.Clean(ctx)
}

// keep leaves the receipt for the process that submitted the job, which removes
// what is temporary.
func (s *Spec) keep(ctx context.Context, b []byte) error {
	folder, err := s.folder(ctx)
	if err != nil {
		return err
	}
	return writeAll(ctx, folder, s.temp(ReceiptName), b)
}

// Receipt reads the receipt of the job.
func (s *Spec) Receipt(ctx context.Context) (*Receipt, error) {
	folder, err := s.folder(ctx)
	if err != nil {
		return nil, err
	}
	name := ReceiptName
	if !s.Rows {
		name = s.temp(ReceiptName)
	}
	r, err := folder.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var receipt Receipt
	if err := json.Unmarshal(b, &receipt); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", folder, name, err)
	}
	if receipt.Token != s.Token {
		return nil, fmt.Errorf("%s: %s is that of another job", folder, name)
	}
	return &receipt, nil
}
