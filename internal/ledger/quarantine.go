package ledger

import (
	"context"
	"encoding/json"
	"fmt"
)

// Quarantined says why a label shall not be trained on.
type Quarantined struct {
	Seq      int64   `json:"event"`    // of the label
	Surprise float64 `json:"surprise"` // nats
	Reason   string  `json:"reason"`
}

// parseDetails reads what the ledger's own kinds keep.
func parseDetails(kept string) (d details, err error) {
	if kept != "" {
		err = json.Unmarshal([]byte(kept), &d)
	}
	return d, err
}

// Quarantine keeps labels out of training until somebody else confirms them or
// their annotator replaces them. Labels that are in quarantine, or were confirmed,
// stay as they are. An event that is no label is ErrNotFound, and then nothing is
// written.
func (l *Ledger) Quarantine(ctx context.Context, list []Quarantined) error {
	for _, q := range list {
		if err := checkString("reason", q.Reason, MaxReason); err != nil {
			return err
		}
		if !(q.Surprise >= 0 && q.Surprise < 1e9) {
			return fmt.Errorf("%w: surprise %v: want nats", ErrInvalid, q.Surprise)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return l.lockedTx(ctx, func(t *tx) error {
		return t.write(func(w *writer) error { return w.quarantine(list) })
	})
}

func (w *writer) quarantine(list []Quarantined) error {
	var seqs []int64
	for _, q := range list {
		seqs = append(seqs, q.Seq)
	}
	labels, err := w.labelled(seqs)
	if err != nil {
		return err
	}
	for _, q := range list {
		x := labels[q.Seq]
		if x == nil {
			return fmt.Errorf("%w: event %d is no label", ErrNotFound, q.Seq)
		}
		if x.quarantined > 0 {
			continue
		}
		x.quarantined = w.event(&Event{Kind: KindQuarantine, TextID: x.TextID, TargetID: x.TargetID, Head: x.Head, Ref: q.Seq,
			Details: details{Reason: q.Reason, Surprise: q.Surprise}.json()})
	}
	return nil
}

// Confirm takes labels out of quarantine. Only another annotator than the one who
// gave a label can confirm it (ErrConflict), and only one in quarantine. One that
// is confirmed already is Existing.
func (l *Ledger) Confirm(ctx context.Context, requestID string, seqs []int64, annotator string) ([]Outcome, error) {
	if err := first(checkCall(requestID, len(seqs), 0), checkName("annotator", annotator, MaxName)); err != nil || len(seqs) == 0 {
		return nil, err
	}
	var out outcomes
	type request struct {
		Seqs      []int64
		Annotator string
	}
	err := l.lockedTx(ctx, func(t *tx) (err error) {
		out, err = once(t, requestID, "confirm", request{seqs, annotator}, func(w *writer) (outcomes, error) { return w.confirm(seqs, annotator) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (w *writer) confirm(seqs []int64, annotator string) (outcomes, error) {
	labels, err := w.labelled(seqs)
	if err != nil {
		return nil, err
	}
	out := make(outcomes, len(seqs))
	for i, seq := range seqs {
		x := labels[seq]
		switch {
		case x == nil:
			out[i].Err = fmt.Errorf("%w: event %d is no label", ErrNotFound, seq)
		case x.confirmed > 0:
			out[i] = Outcome{Seq: x.confirmed, Existing: true}
		case x.quarantined == 0:
			out[i].Err = fmt.Errorf("%w: label %d is not in quarantine", ErrConflict, seq)
		case x.Annotator == annotator:
			out[i].Err = fmt.Errorf("%w: label %d was given by the same annotator: want another to confirm it", ErrConflict, seq)
		default:
			x.confirmed = w.event(&Event{Kind: KindConfirm, TextID: x.TextID, TargetID: x.TargetID, Head: x.Head, Annotator: annotator, Ref: seq})
			out[i].Seq = x.confirmed
		}
	}
	return out, nil
}

// A standing is a label with the events of its quarantine, 0 if there are none.
type standing struct {
	Event
	quarantined, confirmed int64
}

// labelled reads labels by number.
func (t *tx) labelled(seqs []int64) (map[int64]*standing, error) {
	found := map[int64]*standing{}
	label := func(scan func(...any) error) error {
		x := &standing{}
		err := scanEvent(scan, &x.Event)
		found[x.Seq] = x
		return err
	}
	about := func(scan func(...any) error) error {
		var kind string
		var seq, ref int64
		err := scan(&kind, &seq, &ref)
		if x := found[ref]; x != nil && kind == KindQuarantine {
			x.quarantined = seq
		} else if x != nil {
			x.confirmed = seq
		}
		return err
	}
	return found, first(
		queryIn(t, seqs, label, `SELECT `+eventColumns+` FROM events WHERE kind = 'label' AND seq IN (%s)`),
		queryIn(t, seqs, about, `SELECT kind, seq, ref FROM events WHERE kind IN ('quarantine', 'confirm') AND ref > 0 AND ref IN (%s) ORDER BY seq`),
	)
}
