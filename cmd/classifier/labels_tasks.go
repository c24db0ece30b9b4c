package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/annotate"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
)

// A question is a text, a target and a head.
type question struct{ text, target, head string }

// files takes the rows of files, without the heads that this annotator has
// labelled.
func (w *annotation) files(r *ledger.Resolution) error {
	heads := w.cmd.Head
	if len(heads) == 0 && w.predictor != nil {
		for _, h := range w.predictor.heads {
			heads = append(heads, h.Head)
		}
	}
	if len(heads) == 0 {
		return usagef("--head: name what the texts are to be labelled for")
	}
	w.answered(r, func(annotators []string) bool { return slices.Contains(annotators, w.who) })
	srcs, err := dataset.Files(w.cmd.Files, w.env.stdin)
	if err != nil {
		return err
	}
	if slices.Contains(w.cmd.Files, "-") {
		return usagef("-: standard input is for answers")
	}
	gone, err := w.led.Tombstones(w.env.ctx)
	if err != nil {
		return err
	}
	opts := w.cmd.dataFlags.options()
	opts.NoLabels = true
	for _, src := range srcs {
		for ex, err := range dataset.Rows(src, opts) {
			if _, bad := errors.AsType[*dataset.RowError](err); bad {
				fmt.Fprintln(w.env.stderr, err)
				continue
			}
			if err != nil {
				return err
			}
			if len(w.tasks) < maxTasks && !gone.Has(ex.Text) {
				w.row(ex, heads)
			}
		}
	}
	return nil
}

// row makes a task of a row.
func (w *annotation) row(ex dataset.Example, heads []string) {
	t := &annotate.Task{Place: fmt.Sprintf("%s:%d", ex.File, ex.Line)}
	t.Heads = w.unanswered(ex.Text, ex.Target, heads)
	for _, h := range heads {
		w.done[question{ex.Text, ex.Target, h}] = true // the same text further down
	}
	w.add(t, &taskRef{label: ledger.NewLabel{Text: ex.Text, ID: ex.ID, Group: ex.Group, Target: ex.Target, Selection: ledger.Selection(w.cmd.Selection)}})
}

// answered notes what needs no answer: labels, and votes of a conflict, whose
// annotators are enough.
func (w *annotation) answered(r *ledger.Resolution, enough func(annotators []string) bool) {
	w.done = map[question]bool{}
	for i := range r.Rows {
		for head, label := range r.Rows[i].Labels {
			w.done[question{r.Rows[i].Text, r.Rows[i].Target, head}] = enough(label.Annotators)
		}
	}
	for i := range r.Conflicts {
		c := &r.Conflicts[i]
		var who []string
		for _, v := range c.Votes {
			who = append(who, v.Annotator)
		}
		w.done[question{c.Text, c.Target, c.Head}] = enough(who)
	}
}

// unanswered are the heads that need an answer.
func (w *annotation) unanswered(text, target string, heads []string) (list []string) {
	for _, h := range heads {
		if !w.done[question{text, target, h}] {
			list = append(list, h)
		}
	}
	return list
}

// queue takes the first tasks of the queue.
func (w *annotation) queue(r *ledger.Resolution) error {
	w.answered(r, func([]string) bool { return true })
	w.seen = map[int64]bool{}
	items, err := w.led.Pending(w.env.ctx, w.who, ledger.MaxBatch)
	if err != nil {
		return err
	}
	for i := range items {
		w.queued(&items[i])
	}
	w.total = len(w.tasks)
	clear(w.seen) // what is not taken now comes when it is due, if nobody has labelled it
	w.tasks = w.tasks[:min(ahead, len(w.tasks))]
	for _, t := range w.tasks {
		w.seen[t.Ref.(*taskRef).queued] = true
	}
	return w.checkQueued(items)
}

// checkQueued refuses heads that have no label to choose, of later items too.
func (w *annotation) checkQueued(items []ledger.QueueItem) error {
	for i := range items {
		if err := w.checkLabels(w.wanted(items[i].Heads)); err != nil {
			return err
		}
	}
	return nil
}

// queued makes a task of an item of the queue.
func (w *annotation) queued(q *ledger.QueueItem) {
	w.seen[q.Seq] = true
	w.add(&annotate.Task{Heads: w.unanswered(q.Text, q.Target, q.Heads)}, &taskRef{
		label: ledger.NewLabel{Text: q.Text, ID: q.ID, Group: q.Group, Target: q.Target,
			Selection: q.Selection, SelectionProbability: q.SelectionProbability},
		queued: q.Seq, predictions: q.Predictions})
}

// refill takes more tasks of the queue: a few, then all of a page, as those that
// were seen may stay there, with heads that nobody asks for.
func (w *annotation) refill(ctx context.Context) error {
	for _, limit := range []int{2 * ahead, ledger.MaxBatch} {
		items, err := w.led.Pending(ctx, w.who, limit)
		if err != nil {
			return err
		}
		for i := range items {
			if !w.seen[items[i].Seq] && len(w.tasks) < ahead {
				w.queued(&items[i])
			}
		}
		if len(w.tasks) > 0 || len(items) < limit {
			break
		}
	}
	return w.checkHeads()
}

// conflicts makes tasks of what annotators disagree on.
func (w *annotation) conflicts(r *ledger.Resolution) error {
	for i := range r.Conflicts {
		c := &r.Conflicts[i]
		n := ledger.NewLabel{Text: c.Text, ID: c.ID, Group: c.Group, Target: c.Target, Adjudicated: true}
		var notes []string
		for _, v := range c.Votes {
			notes = append(notes, fmt.Sprintf("%s says %s", v.Annotator, v.Label))
			e, err := w.event(w.env.ctx, v.Seq)
			if err != nil {
				return err
			}
			if n.Selection != ledger.Random { // how the text was chosen stays known
				n.Selection, n.SelectionProbability = e.Selection, e.SelectionProbability
			}
			w.know(c.Head, v.Label)
		}
		w.add(&annotate.Task{Heads: []string{c.Head}, Notes: notes}, &taskRef{label: n})
	}
	return nil
}

// quarantined makes tasks of labels in quarantine, unless the text was settled
// since.
func (w *annotation) quarantined(r *ledger.Resolution) {
	settled := map[question]bool{}
	for i := range r.Rows {
		for head, label := range r.Rows[i].Labels {
			settled[question{r.Rows[i].Text, r.Rows[i].Target, head}] = label.Adjudicated
		}
	}
	for i := range r.Quarantined {
		h := &r.Quarantined[i]
		if settled[question{h.Text, h.Target, h.Head}] {
			continue
		}
		notes := []string{fmt.Sprintf("%s says %s", h.Annotator, h.Label), heldBack(h)}
		if h.Annotator == w.who {
			notes = append(notes, "it is yours: another annotator must confirm it")
		}
		w.know(h.Head, h.Label)
		w.add(&annotate.Task{Heads: []string{h.Head}, Notes: notes}, &taskRef{held: h, label: ledger.NewLabel{Text: h.Text, ID: h.ID, Group: h.Group, Target: h.Target,
			Selection: h.Selection, Adjudicated: true}})
	}
}

// heldBack says why a label is in quarantine.
func heldBack(h *ledger.Held) string {
	var parts []string
	if h.Surprise > 0 {
		parts = append(parts, fmt.Sprintf("surprise %.1f nats", h.Surprise))
	}
	if h.Reason != "" {
		parts = append(parts, h.Reason)
	}
	return strings.Join(append([]string{"in quarantine"}, parts...), ", ")
}

// know adds a label to those of a head.
func (w *annotation) know(head, label string) {
	if i, known := slices.BinarySearch(w.labels[head], label); !known {
		w.labels[head] = slices.Insert(w.labels[head], i, label)
	}
}
