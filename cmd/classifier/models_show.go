package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsShowCmd is "classifier models show".
type modelsShowCmd struct {
	Revision string `arg:"" optional:"" name:"revision" default:"live" help:"Revision or alias. Default: ${default}."`
}

// A shownRevision is what show knows of a revision.
type shownRevision struct {
	store.Card
	Aliases  []string        `json:"aliases"`
	Verdicts []store.Verdict `json:"verdicts"`
	// Withdrawn is nil unless it was withdrawn, Trained unless that is recorded.
	Withdrawn *withdrawn     `json:"withdrawn,omitempty"`
	TrainedOn *shownTraining `json:"trained_on,omitempty"`
}

// A shownTraining is what a revision was trained on.
type shownTraining struct {
	store.Training
	Texts int `json:"texts"`
}

// Run shows a card.
func (c *modelsShowCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		id, err := s.Resolve(e.ctx, m.name(), c.Revision)
		if err != nil {
			return err
		}
		r := shownRevision{Aliases: []string{}}
		if r.Card, err = s.Card(e.ctx, m.name(), id); err != nil {
			return err
		}
		if r.Verdicts, err = s.Verdicts(e.ctx, m.name(), id); err != nil {
			return err
		}
		state, err := s.State(e.ctx, m.name())
		if err != nil {
			return err
		}
		for _, a := range state.Sorted() {
			if a.Revision == id {
				r.Aliases = append(r.Aliases, a.Name)
			}
		}
		if w := state.Withdrawn(id); w != nil {
			r.Withdrawn = &withdrawn{id, w.Time, w.Reason, aliasesOf(state, id)}
		}
		t, err := s.Training(e.ctx, m.name(), id)
		if err == nil {
			r.TrainedOn = &shownTraining{t, len(t.Digests)}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return m.write(e, r, r.text)
	})
}

func (r *shownRevision) text(w io.Writer) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	line("revision", r.Revision)
	line("model", r.Model)
	line("aliases", strings.Join(r.Aliases, ", "))
	if w := r.Withdrawn; w != nil {
		line("withdrawn", fmt.Sprintf("%s: %s", w.Time.Format(time.RFC3339), w.Reason))
	}
	line("published", r.Published.Format(time.RFC3339))
	if !r.Trained.IsZero() {
		line("trained", r.Trained.Format(time.RFC3339))
	}
	line("trainer", r.TrainerVersion)
	line("parent", r.Parent)
	line("training data", r.TrainingData)
	if t := r.TrainedOn; t != nil {
		line("trained on", t.text())
	}
	line("features", fmt.Sprintf("%d: %s", r.FeatureCount, r.Features))
	line("bytes", fmt.Sprint(r.Bytes))
	line("note", r.Note)
	line("configuration", compact(r.Configuration))
	for _, h := range r.Heads {
		showHead(w, h)
	}
	for _, v := range r.Verdicts {
		outcome := "failed"
		if v.Passed {
			outcome = "passed"
		}
		line("\n"+outcome, fmt.Sprintf("%s, %s %s", v.Gate, v.Time.Format(time.RFC3339), compact(v.Details)))
	}
}

// text says in one line what a revision was trained on.
func (t *shownTraining) text() string {
	s := fmt.Sprintf("%d texts", t.Texts)
	if t.LedgerID != "" {
		s += fmt.Sprintf(", of ledger %s at event %d", t.LedgerID, t.Position)
	}
	if len(t.Base) > 0 {
		s += fmt.Sprintf(", of %d base files", len(t.Base))
	}
	if t.Holdout.Share > 0 {
		s += fmt.Sprintf(", without hold-out %d of %.0f%%", t.Holdout.Epoch, 100*t.Holdout.Share)
	}
	return s
}

// compact is a JSON object in one line.
func compact(object json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, object); err != nil {
		return "" // there is none
	}
	return b.String()
}

func showHead(w io.Writer, h store.HeadCard) {
	ev, cal := h.Evaluation, h.Calibration
	fmt.Fprintf(w, "\n%s\t%s weights\n", h.Head, strings.Join(h.Blocks, " + "))
	fmt.Fprintf(w, "  macro-F1\t%.3f\n  accuracy\t%.3f (of always the most frequent label %.3f)\n", ev.MacroF1, ev.Accuracy, ev.MajorityAccuracy)
	fmt.Fprintf(w, "  calibration error\t%.3f (perfect: %.3f)\n  log-likelihood\t-%.3f\n", cal.ECE, cal.PerfectECE, ev.NLL)
	if len(h.Targets) > 0 {
		fmt.Fprintf(w, "  targets\t%s\n", strings.Join(h.Targets, ", "))
	}
	for _, l := range h.Labels {
		name := ""
		if l.Name != "" {
			name = " (" + l.Name + ")"
		}
		fmt.Fprintf(w, "  %s%s\t%d rows\n", l.Label, name, l.Documents)
	}
}

// A modelsFetchCmd is "classifier models fetch".
type modelsFetchCmd struct {
	Revision string `arg:"" optional:"" default:"live" help:"Revision or alias. Default: ${default}."`
	Out      string `short:"o" required:"" placeholder:"FILE" help:"Model file to write."`
}

// Run writes a model file, once it is verified.
func (c *modelsFetchCmd) Run(e *env, m *modelsCmd) error {
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	loaded, err := storeModel(e, m.Store, m.name(), c.Revision)
	if err != nil {
		return err
	}
	err = writeOutput(c.Out, func(w io.Writer) error { _, err := w.Write(loaded.Bytes()); return err })
	if err != nil {
		return err
	}
	v := fetched{loaded.Revision(), len(loaded.Bytes())}
	return m.write(e, v, func(w io.Writer) { fmt.Fprintf(w, "revision\t%s\nbytes\t%d\n", v.Revision, v.Bytes) })
}

// A fetched is what fetch wrote.
type fetched struct {
	Revision string `json:"revision"`
	Bytes    int    `json:"bytes"`
}
