package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/predictionlog"
	"github.com/parley-nlp/parley/internal/suggest"
)

// readLedger takes labelled texts from the ledger, and those that are queued, in
// conflict, in quarantine or forgotten.
func (s *suggestion) readLedger() error {
	r, err := s.led.Resolve(s.env.ctx, 0)
	if err != nil {
		return err
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		ex := dataset.Example{Text: row.Text, ID: row.ID, Group: row.Group, Target: row.Target, File: "ledger", Line: int(row.TextID)}
		for _, h := range s.heads {
			ex.Labels = append(ex.Labels, row.Labels[h].Label)
		}
		s.labelled = append(s.labelled, ex)
	}
	for i := range r.Conflicts {
		s.leaveOut(r.Conflicts[i].Text, r.Conflicts[i].Target)
	}
	for i := range r.Quarantined {
		s.leaveOut(r.Quarantined[i].Text, r.Quarantined[i].Target)
	}
	for q := (ledger.Query{Kind: ledger.KindQueue, Limit: pageEvents}); ; {
		page, err := s.led.Events(s.env.ctx, q)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			s.leaveOut(page[i].Text, page[i].Target)
		}
		q.After = page[len(page)-1].Seq
	}
	s.gone, err = s.led.Tombstones(s.env.ctx)
	return err
}

func (s *suggestion) leaveOut(text, target string) {
	s.out[textAndTarget{text, model.CanonicalTarget(target)}] = true
}

// skip tells which texts are not suggested.
func (s *suggestion) skip(text, target string) bool {
	return s.out[textAndTarget{text, model.CanonicalTarget(target)}] ||
		s.gone != nil && s.gone.Has(text) ||
		s.Enqueue && (len(text) > ledger.MaxText || len(target) > ledger.MaxTarget)
}

// readLabelled reads labelled files. What the ledger says of a text goes before them.
func (s *suggestion) readLabelled() error {
	if len(s.Labelled) == 0 {
		return nil
	}
	at := map[textAndTarget]int{}
	for i, ex := range s.labelled {
		at[textAndTarget{ex.Text, model.CanonicalTarget(ex.Target)}] = i
	}
	f := labelFlags{dataFlags: dataFlags{Format: "auto", Split: "none", Encoding: "auto", MaxRowBytes: s.MaxRowBytes}, Head: s.heads}
	set, _, err := f.read(s.env, s.Labelled)
	if err != nil {
		return fmt.Errorf("--labelled: %w", err)
	}
	for _, ex := range set.Examples {
		if s.gone != nil && s.gone.Has(ex.Text) {
			continue
		}
		i, known := at[textAndTarget{ex.Text, model.CanonicalTarget(ex.Target)}]
		if !known {
			s.labelled = append(s.labelled, ex)
			continue
		}
		for h, label := range s.labelled[i].Labels {
			if label == "" {
				s.labelled[i].Labels[h] = ex.Labels[h]
			}
		}
	}
	return nil
}

// chosen reads the pool and chooses n texts.
func (s *suggestion) chosen(n int) ([]suggest.Item, error) {
	p, err := suggest.NewPool(suggest.Config{
		Model: s.model, Heads: s.heads, N: n, RandomShare: s.RandomShare, Labelled: s.labelled, Skip: s.skip,
	})
	if err != nil {
		return nil, err
	}
	srcs, err := dataset.Files(s.Files, s.env.stdin)
	if err != nil {
		return nil, err
	}
	for _, src := range srcs {
		opts := s.dataFlags.options()
		opts.NoLabels = true
		if err := s.readPool(p, src, opts); err != nil {
			return nil, err
		}
	}
	for _, path := range s.PredictionLog {
		if err := s.readLog(p, path); err != nil {
			return nil, err
		}
	}
	b := p.Batch()
	k := b.Counts
	fmt.Fprintf(s.env.stderr, "%d rows: %d different texts to choose from; left out are %d with labels, %d queued, forgotten, blank or too long, %d copies\n",
		k.Rows, k.Texts, k.Labelled, k.Skipped, k.Copies)
	return b.Items, nil
}

// readPool adds the rows of a source. Rows that cannot be read are told of.
func (s *suggestion) readPool(p *suggest.Pool, src dataset.Source, opts dataset.Options) error {
	bad := 0
	for ex, err := range dataset.Rows(src, opts) {
		if s.env.ctx.Err() != nil {
			return s.env.ctx.Err()
		}
		if err == nil {
			row := suggest.Row{Text: ex.Text, ID: ex.ID, Group: ex.Group, Target: ex.Target, File: ex.File, Line: ex.Line}
			if err = logged(&row, ex.Kept); err == nil {
				p.Add(row)
				continue
			}
			err = &dataset.RowError{File: ex.File, Line: ex.Line, Msg: err.Error()}
		}
		if _, row := errors.AsType[*dataset.RowError](err); !row {
			return err
		}
		if bad++; bad <= maxListed {
			fmt.Fprintf(s.env.stderr, "left out: %v\n", err)
		}
	}
	if bad > maxListed {
		fmt.Fprintf(s.env.stderr, "left out: %d more rows of %s\n", bad-maxListed, src.Name())
	}
	return nil
}

// readLog adds the rows of a prediction log, the oldest first.
func (s *suggestion) readLog(p *suggest.Pool, path string) (err error) {
	files, err := predictionlog.OpenFiles(path)
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.Close())
		}
	}()
	opts := dataset.Options{NoLabels: true, Format: dataset.FormatJSONL, MaxRowBytes: s.MaxRowBytes, Keep: []string{dataset.KeepAll}}
	rows := 0
	for _, f := range files {
		err := s.readPool(p, dataset.Reader(f.Name, f), opts)
		if errors.Is(err, dataset.ErrNoRows) { // it has just been begun, or all was erased
			continue
		}
		if err != nil {
			return err
		}
		rows++
	}
	if rows == 0 {
		return fmt.Errorf("%s: %w", path, dataset.ErrNoRows)
	}
	return nil
}

// logged takes what the prediction log says beside the text.
func logged(row *suggest.Row, kept []dataset.Value) (err error) {
	for _, v := range kept {
		switch v.Name {
		case probabilityColumn:
			row.Share, err = strconv.ParseFloat(plainValue(v), 64)
			if err != nil || !(row.Share > 0 && row.Share <= 1) {
				return fmt.Errorf("column %q: want a number over 0 and at most 1", v.Name)
			}
		case predictionsColumn:
			if row.Answers, err = suggest.ParseAnswers([]byte(v.Text)); err != nil {
				return fmt.Errorf("column %q: want an object with the scores of each head", v.Name)
			}
		}
	}
	return nil
}
