package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
)

// A modelsDiffCmd is "classifier models diff".
type modelsDiffCmd struct {
	From string `arg:"" help:"Revision or alias, such as live."`
	To   string `arg:"" help:"Revision or alias to compare it with."`
	Top  int    `default:"5" placeholder:"N" help:"Features to show a label. Default: ${default}."`
}

// Help says what the weights are.
func (c *modelsDiffCmd) Help() string {
	return `Weights are in nats, less the mean of the labels, for a text in which the
feature is the only one of its kind: a word of weight 0.7 doubles a label's odds.
Those that only texts about a target have are left out.`
}

// Run compares two revisions.
func (c *modelsDiffCmd) Run(e *env, m *modelsCmd) error {
	if c.Top < 1 || c.Top > 1000 {
		return usagef("--top %d: want 1 to 1000", c.Top)
	}
	return m.with(e, func(s *store.Store) error {
		var models []*model.Model
		for _, ref := range []string{c.From, c.To} {
			id, err := s.Resolve(e.ctx, m.name(), ref)
			if err != nil {
				return err
			}
			loaded, err := s.Load(e.ctx, m.name(), id)
			if err != nil {
				return err
			}
			models = append(models, loaded)
		}
		d := store.Compare(models[0], models[1], c.Top)
		return m.write(e, d, func(w io.Writer) { writeDiff(w, &d) })
	})
}

func writeDiff(w io.Writer, d *store.Diff) {
	data := "other training data"
	if d.SameData {
		data = "the same training data"
	}
	fmt.Fprintf(w, "%s -> %s: %s\n", short(d.From), short(d.To), data)
	features := d.Features
	if d.FeaturesWere != "" {
		features = d.FeaturesWere + " -> " + d.Features
	}
	fmt.Fprintf(w, "features %s: %d -> %d, %d new, %d gone\n", features, d.Known.From, d.Known.To, d.Gained, d.Lost)
	if !d.Named {
		fmt.Fprintln(w, "features are named by their ids: not both files have their strings")
	}
	writeList(w, "new heads: ", d.HeadsGained)
	writeList(w, "heads gone: ", d.HeadsLost)
	for i := range d.Heads {
		writeHeadDiff(w, &d.Heads[i])
	}
}

func writeList(w io.Writer, title string, list []string) {
	if len(list) > 0 {
		fmt.Fprintf(w, "%s%s\n", title, strings.Join(list, ", "))
	}
}

func writeHeadDiff(w io.Writer, h *store.HeadDiff) {
	fmt.Fprintf(w, "\n%s\n", h.Head)
	writeList(w, "  new labels: ", h.LabelsGained)
	writeList(w, "  labels gone: ", h.LabelsLost)
	for _, r := range h.Renamed {
		fmt.Fprintf(w, "  %s: called %q, was %q\n", r.Label, r.To, r.From)
	}
	for _, f := range h.Evaluation {
		if f.Name == "examples" {
			fmt.Fprintf(w, "  %s\t%.0f -> %.0f\n", f.Name, f.From, f.To)
			continue
		}
		fmt.Fprintf(w, "  %s\t%.3f -> %.3f\t%+.3f\n", f.Name, f.From, f.To, f.To-f.From)
	}
	for _, l := range h.Labels {
		fmt.Fprintf(w, "  %s: weights moved by %.3f on average, bias by %+.3f, %d -> %d rows\n", l.Label, l.Moved, l.Bias, l.Documents.From, l.Documents.To)
		for _, f := range l.Features {
			fmt.Fprintf(w, "    %q\t%.3f -> %.3f\t%+.3f%s\n", f.Feature, f.From, f.To, f.To-f.From, known[f.Known])
		}
	}
}

// known says which revision knows a feature.
var known = map[string]string{"from": "\tgone", "to": "\tnew"}
