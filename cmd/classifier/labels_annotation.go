package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-nlp/parley/internal/annotate"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/score"
)

// An annotation is the work of a session: tasks of the queue, of files, or of what
// wants a second look, and the ledger that answers go to.
type annotation struct {
	cmd       *labelsAnnotateCmd
	env       *env
	led       *ledger.Ledger
	who       string
	predictor *predictor
	labels    map[string][]string // by head
	tasks     []*annotate.Task    // at hand
	total     int                 // tasks there are at the beginning
	done      map[question]bool   // what needs no answer any more
	seen      map[int64]bool      // items of the queue
}

// A taskRef is what a task is in the ledger.
type taskRef struct {
	label       ledger.NewLabel // without head and label
	queued      int64           // number of the queue item, 0 for none
	held        *ledger.Held    // the quarantined label
	predictions json.RawMessage // that the queue has kept
}

const (
	// maxTasks is how many tasks of files a session has at most.
	maxTasks = 10_000
	// ahead is how many items of the queue are taken at once: the more, the more
	// often two annotators label the same.
	ahead = 5
)

// prepare gathers tasks and the labels of their heads.
func (w *annotation) prepare() error {
	r, err := w.led.Resolve(w.env.ctx, 0)
	if err != nil {
		return err
	}
	if w.labels, err = w.choices(r); err != nil {
		return err
	}
	switch {
	case w.cmd.Conflicts:
		err = w.conflicts(r)
	case w.cmd.Quarantined:
		w.quarantined(r)
	case len(w.cmd.Files) > 0:
		err = w.files(r)
	default:
		err = w.queue(r)
	}
	if err != nil {
		return err
	}
	w.total = max(w.total, len(w.tasks))
	return w.checkHeads()
}

// checkHeads refuses heads that have no label to choose.
func (w *annotation) checkHeads() error {
	for _, t := range w.tasks {
		if err := w.checkLabels(t.Heads); err != nil {
			return err
		}
	}
	return nil
}

func (w *annotation) checkLabels(heads []string) error {
	for _, head := range heads {
		if len(w.labels[head]) == 0 {
			return usagef("nobody knows a label of head %q yet: name them, as in --choice %s=LABEL", head, head)
		}
	}
	return nil
}

// wanted are those of the heads that the flags ask for.
func (w *annotation) wanted(heads []string) (list []string) {
	for _, h := range heads {
		if len(w.cmd.Head) == 0 || slices.Contains(w.cmd.Head, h) {
			list = append(list, h)
		}
	}
	return list
}

// add adds a task that has a head to ask for.
func (w *annotation) add(t *annotate.Task, ref *taskRef) {
	n := &ref.label
	if t.Heads = w.wanted(t.Heads); len(t.Heads) == 0 || len(w.tasks) == maxTasks {
		return
	}
	n.Annotator, n.Source = w.who, w.cmd.Source
	if n.Source == "" {
		n.Source = "annotate"
	}
	t.Text, t.ID, t.Group, t.Target = n.Text, n.ID, n.Group, n.Target
	t.Blind = w.cmd.Blind || n.Selection == ledger.Random && !w.cmd.ShowRandom
	t.Ref = ref
	w.tasks = append(w.tasks, t)
}

// Next returns the next task.
func (w *annotation) Next(ctx context.Context) (*annotate.Task, error) {
	if len(w.tasks) == 0 && w.seen != nil {
		if err := w.refill(ctx); err != nil {
			return nil, err
		}
	}
	if len(w.tasks) == 0 {
		return nil, nil
	}
	t := w.tasks[0]
	w.tasks = w.tasks[1:]
	return t, nil
}

// Give records an answer, and returns what takes it back.
func (w *annotation) Give(ctx context.Context, t *annotate.Task, head, label string) (annotate.Undo, error) {
	ref := t.Ref.(*taskRef)
	if ref.held != nil && ref.held.Label == label {
		return w.confirm(ctx, ref.held)
	}
	n := ref.label
	n.Head, n.Label, n.Time = head, label, time.Now()
	o, err := w.one(ctx, n)
	if err != nil || o.Existing {
		return func(context.Context) error { return nil }, err
	}
	before, err := w.replaced(ctx, o.Seq)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		n.Label, n.Supersedes, n.Time = "", o.Seq, time.Now()
		if before != nil {
			n.Label, n.Adjudicated = before.Label, before.Adjudicated
		}
		_, err := w.one(ctx, n)
		return err
	}, nil
}

// one adds one label.
func (w *annotation) one(ctx context.Context, n ledger.NewLabel) (ledger.Outcome, error) {
	out, err := w.led.Add(ctx, "", []ledger.NewLabel{n})
	if err != nil {
		return ledger.Outcome{}, err
	}
	if out[0].Err != nil {
		return out[0], &annotate.RefusedError{Reason: out[0].Err.Error()}
	}
	return out[0], nil
}

// replaced returns the label that a label took the place of, nil if there was none.
func (w *annotation) replaced(ctx context.Context, seq int64) (*ledger.Event, error) {
	e, err := w.event(ctx, seq)
	if err != nil || e.Ref == 0 {
		return nil, err
	}
	before, err := w.event(ctx, e.Ref)
	if err != nil || before.Label == "" {
		return nil, err
	}
	return before, nil
}

func (w *annotation) event(ctx context.Context, seq int64) (*ledger.Event, error) {
	list, err := w.led.Events(ctx, ledger.Query{After: seq - 1, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].Seq != seq {
		return nil, fmt.Errorf("event %d: %w", seq, ledger.ErrNotFound)
	}
	return &list[0], nil
}

// confirm confirms a quarantined label.
func (w *annotation) confirm(ctx context.Context, h *ledger.Held) (annotate.Undo, error) {
	out, err := w.led.Confirm(ctx, "", []int64{h.Seq}, w.who)
	if err != nil {
		return nil, err
	}
	if out[0].Err != nil {
		return nil, &annotate.RefusedError{Reason: out[0].Err.Error()}
	}
	return func(ctx context.Context) error {
		return &annotate.RefusedError{Reason: "a confirmation stays: give the text another label by labels add --adjudicated"}
	}, nil
}

// Skip records that this annotator will not label the text.
func (w *annotation) Skip(ctx context.Context, t *annotate.Task) error {
	if seq := t.Ref.(*taskRef).queued; seq > 0 {
		return w.led.Skip(ctx, seq, w.who)
	}
	return nil
}

// Predict returns what the model says, or what the queue has kept.
func (w *annotation) Predict(ctx context.Context, t *annotate.Task) ([]annotate.Prediction, error) {
	ref := t.Ref.(*taskRef)
	if w.predictor == nil {
		return kept(ref.predictions)
	}
	rows, err := w.predictor.classifier.Classify(ctx, []score.Document{{Text: t.Text, Target: t.Target}})
	if err != nil {
		return nil, err
	}
	if rows[0].Err != nil {
		return nil, errors.New(rows[0].Err.Message)
	}
	var list []annotate.Prediction
	for i := range rows[0].Predictions {
		list = append(list, shownPrediction(&rows[0].Predictions[i]))
	}
	return list, nil
}

func shownPrediction(p *score.Prediction) annotate.Prediction {
	out := annotate.Prediction{Head: p.Head}
	for _, s := range p.Scores {
		out.Labels = append(out.Labels, annotate.Score{Label: s.Label, Probability: s.Probability})
	}
	for _, e := range p.Evidence {
		out.Evidence = append(out.Evidence, annotate.Evidence{Term: e.Term, Nats: e.Nats})
	}
	return out
}

// kept are predictions as the queue keeps them: those of a row of score's output.
func kept(predictions json.RawMessage) ([]annotate.Prediction, error) {
	if len(predictions) == 0 {
		return nil, nil
	}
	var byHead map[string]score.Prediction
	if err := json.Unmarshal(predictions, &byHead); err != nil {
		return nil, errors.New("the queue's predictions cannot be read")
	}
	var list []annotate.Prediction
	for head, p := range byHead { // they are looked up by head
		p.Head = head
		list = append(list, shownPrediction(&p))
	}
	return list, nil
}
