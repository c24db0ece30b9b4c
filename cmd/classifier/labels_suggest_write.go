package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/parley-nlp/parley/internal/annotate"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/suggest"
)

// A suggestedRow is a suggestion in JSON.
type suggestedRow struct {
	ID                   string                        `json:"id,omitempty"`
	Text                 string                        `json:"text"`
	Group                string                        `json:"group,omitempty"`
	Target               string                        `json:"target,omitempty"`
	Selection            suggest.Selection             `json:"selection"`
	SelectionProbability float64                       `json:"selection_probability,omitempty"`
	Copies               int                           `json:"copies,omitempty"` // of a random text, itself included
	Uncertainty          float64                       `json:"uncertainty,omitempty"`
	Predictions          map[string]suggest.Prediction `json:"predictions,omitempty"`
	Head                 string                        `json:"head,omitempty"` // of a suspect
	Given                string                        `json:"given,omitempty"`
	Expected             string                        `json:"expected,omitempty"`
	Surprise             float64                       `json:"surprise,omitempty"` // nats
	Place                string                        `json:"place"`
}

func newSuggestedRow(i *suggest.Item) suggestedRow {
	r := suggestedRow{
		ID: i.ID, Text: i.Text, Group: i.Group, Target: i.Target, Selection: i.Selection, SelectionProbability: i.SelectionProbability,
		Copies: i.Copies, Uncertainty: model.Millionths(i.Uncertainty), Predictions: suggest.Predictions(i.Answers), Place: fmt.Sprintf("%s:%d", i.File, i.Line),
	}
	if d := i.Doubt; d != nil {
		r.Head, r.Given, r.Expected, r.Surprise = d.Head, d.Given, d.Expected, model.Millionths(d.Surprise)
	}
	return r
}

// print writes the suggestions as lines of JSON or as a table.
func (s *suggestion) print(asJSON bool, items []suggest.Item) error {
	if asJSON {
		lines := newLines(s.env.stdout)
		for i := range items {
			if err := lines.Encode(newSuggestedRow(&items[i])); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(s.env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CHOSEN\tPROBABILITY\tUNSURE\tLABEL\tTEXT")
	for i := range items {
		printSuggested(t, &items[i])
	}
	return t.Flush()
}

func printSuggested(w io.Writer, i *suggest.Item) {
	probability, unsure, label := "-", "-", ""
	if i.SelectionProbability > 0 {
		probability = fmt.Sprintf("%.3g", i.SelectionProbability)
	}
	for k, a := range i.Answers {
		if unsure = fmt.Sprintf("%.2f", i.Uncertainty); k > 0 {
			label += ", "
		}
		label += a.Scores[0].Label + "?"
	}
	if d := i.Doubt; d != nil {
		unsure, label = fmt.Sprintf("%.1f nats", d.Surprise), fmt.Sprintf("%s: %s, expected %s", d.Head, d.Given, d.Expected)
	}
	if label == "" {
		label = "-"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.Selection, probability, unsure, annotate.CleanLine(label), beginning(i.Text, 60))
}

// enqueue puts the suggestions into the ledger's queue.
func (s *suggestion) enqueue(items []suggest.Item) error {
	queue := make([]ledger.QueueItem, len(items))
	batch := sha256.New()
	for i := range items {
		q, err := s.queueItem(&items[i])
		if err != nil {
			return err
		}
		queue[i] = q
		fmt.Fprintf(batch, "%d:%s%d:%s", len(q.Text), q.Text, len(q.Target), q.Target)
	}
	name := "suggest-" + hex.EncodeToString(batch.Sum(nil)[:6])
	added := 0
	for len(queue) > 0 {
		n, bytes := 0, 0
		for n < min(len(queue), ledger.MaxBatch) && (n == 0 || bytes+len(queue[n].Text) <= ledger.MaxBatchBytes) {
			bytes += len(queue[n].Text)
			queue[n].Batch = name
			n++
		}
		k, err := s.led.Enqueue(s.env.ctx, queue[:n])
		if err != nil {
			return fmt.Errorf("%s queued: %w", plural(added, "text"), err)
		}
		added, queue = added+k, queue[n:]
	}
	fmt.Fprintf(s.env.stderr, "%s queued as %s", plural(added, "text"), name)
	if left := len(items) - added; left > 0 {
		fmt.Fprintf(s.env.stderr, ", %d left out: the ledger has them already", left)
	}
	fmt.Fprintln(s.env.stderr)
	return nil
}

func (s *suggestion) queueItem(i *suggest.Item) (q ledger.QueueItem, err error) {
	q = ledger.QueueItem{
		Text: i.Text, ID: i.ID, Group: i.Group, Target: i.Target, Heads: s.heads,
		Selection: ledger.Selection(i.Selection), SelectionProbability: i.SelectionProbability,
	}
	if i.Doubt != nil {
		q.Heads = []string{i.Doubt.Head}
	}
	if s.model != nil && i.Doubt == nil {
		q.Revision = s.model.Revision()
	}
	if len(i.Answers) > 0 {
		q.Predictions, err = json.Marshal(suggest.Predictions(i.Answers))
	}
	return q, err
}
