package ledger

import (
	"context"
	"fmt"
)

// Add gives labels, and takes them back, in one transaction that is durable when it
// returns. Bad items have an error and do not keep the others back. A label that
// its annotator has given already is Existing. A request that is repeated, with the
// same request id, has the outcomes that it had; another with that id is
// ErrRequestReused. Without request id ("") only the labels themselves say whether
// they were there.
func (l *Ledger) Add(ctx context.Context, requestID string, labels []NewLabel) ([]Outcome, error) {
	bytes := 0
	for _, n := range labels {
		bytes += len(n.Text)
	}
	if err := checkCall(requestID, len(labels), bytes); err != nil || len(labels) == 0 {
		return nil, err
	}
	var out outcomes
	err := l.lockedTx(ctx, func(t *tx) (err error) {
		out, err = once(t, requestID, "add", asRequest(labels), func(w *writer) (outcomes, error) { return w.addLabels(labels) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkCall(requestID string, items, bytes int) error {
	if bytes > MaxBatchBytes {
		return fmt.Errorf("%w: texts of one call have %d bytes: want at most %d", ErrTooLarge, bytes, MaxBatchBytes)
	}
	return first(checkString("request id", requestID, MaxName), checkBatch(items))
}

func (w *writer) addLabels(labels []NewLabel) (outcomes, error) {
	out := make(outcomes, len(labels))
	var texts, ids []string
	for i := range labels {
		if out[i].Err = labels[i].check(); out[i].Err == nil {
			texts, ids = append(texts, labels[i].Text), append(ids, labels[i].ID)
		}
	}
	s, err := w.loadSubjects(texts, ids)
	if err != nil {
		return nil, err
	}
	remaps, err := w.remaps(w.last)
	if err != nil {
		return nil, err
	}
	for i := range labels {
		if out[i].Err == nil {
			out[i] = s.addLabel(&labels[i], remaps)
		}
	}
	return out, nil
}

// addLabel gathers the event of a label that is new.
func (s *subjects) addLabel(n *NewLabel, remaps remaps) Outcome {
	x, err := s.find(n.Text, n.ID)
	if err != nil {
		return Outcome{Err: err}
	}
	had := x.newest(n)
	switch {
	case had == nil && n.Label == "":
		return Outcome{Err: fmt.Errorf("%w: there is no label to take back", ErrNotFound)}
	case had != nil && had.same(n, remaps):
		return Outcome{Seq: had.Seq, Existing: true}
	case n.Supersedes != 0 && (had == nil || had.Seq != n.Supersedes):
		return Outcome{Err: fmt.Errorf("%w: event %d is not this annotator's newest label of the text, target and head", ErrConflict, n.Supersedes)}
	}
	x, target := s.make(x, n.Text, n.ID, n.Group, n.Target)
	e := Event{Kind: KindLabel, TextID: x.id, TargetID: target, Head: n.Head, Label: n.Label, Annotator: n.Annotator, Source: n.Source,
		Selection: n.Selection, SelectionProbability: n.SelectionProbability, Adjudicated: n.Adjudicated, Time: n.Time}
	if had != nil {
		e.Ref = had.Seq
	}
	seq := s.w.event(&e)
	x.labels = append(x.labels, e)
	return Outcome{Seq: seq}
}

// newest returns what the annotator said last of the text, target and head.
func (x *subject) newest(n *NewLabel) *Event {
	if x == nil {
		return nil
	}
	target, known := x.targets[n.Target]
	if n.Target != "" && !known {
		return nil
	}
	for i := len(x.labels) - 1; i >= 0; i-- {
		if e := &x.labels[i]; e.TargetID == target && e.Head == n.Head && e.Annotator == n.Annotator {
			return e
		}
	}
	return nil
}

// same reports whether a label says what is said already.
func (e *Event) same(n *NewLabel, remaps remaps) bool {
	label, void := remaps.apply(e)
	return label == n.Label && !void && (e.Adjudicated == n.Adjudicated || n.Label == "")
}
