package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/predictionlog"
	"github.com/parley-nlp/parley/internal/store"
)

// A forgotten is what was done. What was erased before something failed stays
// erased.
type forgotten struct {
	Texts     int                `json:"texts"`     // that the ledger had
	Unknown   int                `json:"unknown"`   // that it did not have, and will not take
	Labels    int                `json:"labels"`    // of the texts
	Queued    int                `json:"queued"`    // places in the queue
	LogRows   int                `json:"log_rows"`  // of prediction logs
	Position  int64              `json:"position"`  // of the ledger
	Withdrawn []withdrawnByModel `json:"withdrawn"` // of the store
	Erased    bool               `json:"erased"`    // from the ledger
}

// withdrawnByModel are the revisions of a model that were trained on the texts, and
// those of which nobody knows what they were trained on.
type withdrawnByModel struct {
	Model     string   `json:"model"`
	Revisions []string `json:"revisions"`
	Unknown   []string `json:"unknown"`
}

// forget erases the texts everywhere. From prediction logs first: they are found by
// what the ledger still has. Repeating it after a failure does the rest.
func (c *labelsForgetCmd) forget(e *env, led *ledger.Ledger, refs []ledger.TextRef, found []ledger.Text) (*forgotten, error) {
	done := &forgotten{Withdrawn: []withdrawnByModel{}}
	texts := textsOf(refs, found)
	for _, path := range c.PredictionLog {
		n, err := predictionlog.Forget(e.ctx, path, predictionlog.Matching(texts))
		done.LogRows += n
		if err != nil {
			return done, fmt.Errorf("%s: %w; the ledger is as it was", path, err)
		}
	}
	if c.Store != "" { // before the ledger loses the texts by which revisions are found
		if err := c.withdraw(e, led, done, texts); err != nil {
			return done, fmt.Errorf("%w; the ledger is as it was", err)
		}
	}
	for batch := range slices.Chunk(refs, ledger.MaxBatch) {
		f, err := led.Forget(e.ctx, "", batch, c.Reason)
		if err != nil {
			return done, err
		}
		done.Texts, done.Unknown, done.Labels, done.Queued = done.Texts+f.Texts, done.Unknown+f.Unknown, done.Labels+f.Labels, done.Queued+f.Queued
		done.Position = f.Position
		for _, o := range f.Outcomes {
			// A text may be named in two ways: it is gone after the first.
			if o.Err != nil && !errors.Is(o.Err, ledger.ErrNotFound) {
				return done, o.Err
			}
		}
	}
	done.Erased = true
	return done, nil
}

// textsOf are the texts themselves, each once.
func textsOf(refs []ledger.TextRef, found []ledger.Text) (texts []string) {
	for _, t := range found {
		texts = append(texts, t.Text)
	}
	for _, r := range refs {
		if r.Text != "" && !slices.Contains(texts, r.Text) {
			texts = append(texts, r.Text)
		}
	}
	return texts
}

// withdraw withdraws the revisions that were trained on the texts.
func (c *labelsForgetCmd) withdraw(e *env, led *ledger.Ledger, done *forgotten, texts []string) error {
	gone, err := led.Tombstones(e.ctx)
	if err != nil {
		return err
	}
	var digests [][16]byte
	for _, t := range texts {
		digests = append(digests, gone.Digest(t))
	}
	return withStore(e, c.Store, func(s *store.Store) error {
		models, err := s.Models(e.ctx)
		if err != nil {
			return err
		}
		for _, name := range models {
			hits, unknown, err := s.TrainedOn(e.ctx, name, led.ID(), digests)
			if err != nil {
				return err
			}
			m := withdrawnByModel{name, slices.Sorted(maps.Keys(hits)), unknown}
			if len(m.Revisions) > 0 {
				if _, err := s.Withdraw(e.ctx, name, m.Revisions, "trained on a text that was forgotten"); err != nil {
					return err
				}
			}
			if len(m.Revisions)+len(m.Unknown) > 0 {
				done.Withdrawn = append(done.Withdrawn, m)
			}
		}
		return nil
	})
}

func (f *forgotten) text(w io.Writer) {
	if !f.Erased && f.LogRows+len(f.Withdrawn) == 0 {
		return
	}
	fmt.Fprintf(w, "forgotten: %s with %s and %s of the queue", plural(f.Texts, "text"), plural(f.Labels, "label"), plural(f.Queued, "place"))
	if f.Unknown > 0 {
		fmt.Fprintf(w, "; %s that the ledger did not have", plural(f.Unknown, "text"))
	}
	if f.LogRows > 0 {
		fmt.Fprintf(w, "; %s of prediction logs", plural(f.LogRows, "row"))
	}
	fmt.Fprintf(w, "; position %d\n", f.Position)
	for _, m := range f.Withdrawn {
		for _, r := range m.Revisions {
			fmt.Fprintf(w, "withdrawn: revision %s of %s was trained on it\n", short(r), m.Model)
		}
		if len(m.Unknown) > 0 {
			fmt.Fprintf(w, "%s of %s: nobody knows whether it was trained on it\n", plural(len(m.Unknown), "revision"), m.Model)
		}
	}
	fmt.Fprintln(w, "what models have learned of it stays until classifier retrain makes them anew")
}
