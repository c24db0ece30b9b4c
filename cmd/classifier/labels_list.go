package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/parley-nlp/parley/internal/annotate"
	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsListCmd is "classifier labels list".
type labelsListCmd struct {
	Head        string `placeholder:"NAME" help:"Only events about this head."`
	Kind        string `placeholder:"KIND" help:"Only events of a kind: label, forget, remap, quarantine, confirm, queue, skip, or what others record, such as retrain."`
	By          string `placeholder:"NAME" help:"Only events of this annotator."`
	Source      string `placeholder:"NAME" help:"Only events of this source."`
	ID          string `name:"id" placeholder:"ID" help:"Only events about the text of this id."`
	Quarantined bool   `help:"Only labels that are quarantined now."`
	After       int64  `default:"0" placeholder:"SEQ" help:"Only events after this number."`
	Limit       int    `default:"50" placeholder:"N" help:"Most events to list, 0 for all. Default: ${default}."`
}

// Run lists events, oldest first. It reads page by page, so that any number can be
// listed.
func (c *labelsListCmd) Run(e *env, l *labelsCmd) error {
	if c.Limit < 0 || c.After < 0 {
		return usagef("--limit and --after: want 0 or more")
	}
	return l.with(e, func(led *ledger.Ledger) error {
		w := newEventWriter(e.stdout, l.JSON)
		last, more, err := c.each(e, led, w.event)
		if err == nil {
			err = w.close()
		}
		if err == nil && more {
			fmt.Fprintf(e.stderr, "there may be more: --after %d, or --limit 0 for all\n", last)
		}
		return err
	})
}

// pageEvents is how many events are read at once.
const pageEvents = 1000

// each calls f with the events. more tells that the limit ended it.
func (c *labelsListCmd) each(e *env, led *ledger.Ledger, f func(*ledger.Event) error) (last int64, more bool, err error) {
	q := ledger.Query{After: c.After, Head: c.Head, Kind: c.Kind, Annotator: c.By, Source: c.Source, ID: c.ID, Quarantined: c.Quarantined}
	for listed := 0; ; {
		q.Limit = pageEvents
		if c.Limit > 0 {
			q.Limit = min(pageEvents, c.Limit-listed)
		}
		page, err := led.Events(e.ctx, q)
		if err != nil || len(page) == 0 {
			return q.After, false, err
		}
		for i := range page {
			if err := f(&page[i]); err != nil {
				return q.After, false, err
			}
		}
		q.After = page[len(page)-1].Seq
		if listed += len(page); listed == c.Limit {
			return q.After, true, nil
		}
	}
}

// An eventWriter writes events as lines of JSON or as a table.
type eventWriter struct {
	lines interface{ Encode(any) error }
	table *tabwriter.Writer
}

func newEventWriter(w io.Writer, asJSON bool) *eventWriter {
	if asJSON {
		return &eventWriter{lines: newLines(w)}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "seq\ttime\tkind\thead\tlabel\tby\tsource\tselection\tabout\ttext\n")
	return &eventWriter{table: t}
}

func (w *eventWriter) event(e *ledger.Event) error {
	if w.lines != nil {
		return w.lines.Encode(e)
	}
	cells := []string{fmt.Sprint(e.Seq), e.Time.Format(time.RFC3339), e.Kind, e.Head, e.Label, e.Annotator, e.Source, string(e.Selection), about(e), beginning(e.Text, 40)}
	for i, c := range cells {
		cells[i] = dash(beginning(c, 40))
	}
	_, err := fmt.Fprintln(w.table, strings.Join(cells, "\t"))
	return err
}

// about says which text, target and earlier event an event is about.
func about(e *ledger.Event) string {
	var parts []string
	if e.ID != "" {
		parts = append(parts, annotate.CleanLine(e.ID))
	}
	if e.Target != "" {
		parts = append(parts, "on "+annotate.CleanLine(e.Target))
	}
	if e.Ref > 0 {
		parts = append(parts, fmt.Sprintf("event %d", e.Ref))
	}
	if e.Forgotten {
		parts = append(parts, "forgotten")
	}
	return strings.Join(parts, " ")
}

func (w *eventWriter) close() error {
	if w.table == nil {
		return nil
	}
	return w.table.Flush()
}
