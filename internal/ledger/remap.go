package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A Remap changes what a label of a head is called. It concerns the labels that
// were given before it, not later ones.
type Remap struct {
	Seq        int64 // given by the ledger, like Time
	Time       time.Time
	Head, From string
	// To is one label that From is renamed to, or merged with if the head has it;
	// several that it is split into: then those labels are void until somebody gives
	// them anew; none if it is dropped.
	To        []string
	Annotator string
	Reason    string
}

// Remap writes a remap and returns its number.
func (l *Ledger) Remap(ctx context.Context, requestID string, r Remap) (seq int64, err error) {
	r.Seq, r.Time = 0, time.Time{}
	if err := first(checkCall(requestID, 1, 0), r.check()); err != nil {
		return 0, err
	}
	err = l.lockedTx(ctx, func(t *tx) (err error) {
		seq, err = once(t, requestID, "remap", r, func(w *writer) (int64, error) {
			return w.event(&Event{Kind: KindRemap, Head: r.Head, Label: r.From, Annotator: r.Annotator,
				Details: details{To: r.To, Reason: r.Reason}.json()}), nil
		})
		return err
	})
	return seq, err
}

func (r *Remap) check() error {
	errs := []error{checkName("head", r.Head, MaxName), checkName("from", r.From, MaxName),
		checkName("annotator", r.Annotator, MaxName), checkString("reason", r.Reason, MaxReason)}
	if len(r.To) > MaxSplit {
		errs = append(errs, fmt.Errorf("%w: a label is split into %d: want at most %d", ErrTooLarge, len(r.To), MaxSplit))
	}
	for i, to := range r.To {
		errs = append(errs, checkName("to", to, MaxName))
		if slices.Contains(r.To[:i], to) {
			errs = append(errs, fmt.Errorf("%w: to: a label is named twice", ErrInvalid))
		}
	}
	if len(r.To) == 1 && r.To[0] == r.From {
		errs = append(errs, fmt.Errorf("%w: a label is renamed to itself", ErrInvalid))
	}
	return first(errs...)
}

// remaps are those up to a position, by number.
type remaps []Remap

// remaps reads them.
func (t *tx) remaps(at int64) (list remaps, err error) {
	err = t.query(func(scan func(...any) error) error {
		r, err := scanRemap(scan)
		list = append(list, r)
		return err
	}, `SELECT `+eventColumns+` FROM events WHERE kind = 'remap' AND seq <= ? ORDER BY seq`, at)
	return list, err
}

func scanRemap(scan func(...any) error) (Remap, error) {
	var e Event
	if err := scanEvent(scan, &e); err != nil {
		return Remap{}, err
	}
	var d details
	err := json.Unmarshal(e.Details, &d)
	return Remap{Seq: e.Seq, Time: e.Time, Head: e.Head, From: e.Label, To: d.To, Annotator: e.Annotator, Reason: d.Reason}, err
}

// apply returns the label that an event gives after the remaps that came later, or
// that it is void.
func (list remaps) apply(e *Event) (label string, void bool) {
	label = e.Label
	if label == "" {
		return "", false
	}
	after, _ := slices.BinarySearchFunc(list, e.Seq, func(r Remap, seq int64) int { return int(r.Seq - seq) })
	for _, r := range list[after:] {
		if r.Head != e.Head || r.From != label {
			continue
		}
		if len(r.To) != 1 {
			return "", true
		}
		label = r.To[0]
	}
	return label, false
}
