package ledger

import (
	"context"
	"fmt"
	"slices"
)

// Forgotten says what a call of Forget did.
type Forgotten struct {
	// Outcomes has one for each reference: the number of its (last) event, Existing if
	// its text was forgotten before, or why it names nothing.
	Outcomes []Outcome
	Texts    int // that the ledger had and has no more
	Unknown  int // texts that it never had, and will never take
	Labels   int // events that gave labels to the texts; they stay without content
	Queued   int // items of the queue that went with them
	Position int64
}

// A forgetting is Forgotten as the results of requests keep it.
type forgetting struct {
	Outcomes outcomes `json:"outcomes"`
	Texts    int      `json:"texts"`
	Unknown  int      `json:"unknown"`
	Labels   int      `json:"labels"`
	Queued   int      `json:"queued"`
	Position int64    `json:"position"`
}

// Forget erases texts with their ids, groups, targets and places in the queue, and
// keeps their digests, so that they are never taken again and models trained on
// them can be found. A text that the ledger does not have may be forgotten too: base
// files may have it. References that name nothing have ErrNotFound. Where the
// content was, databases overwrite it before Forget returns; copies that others
// made (exports, backups) are theirs to erase.
//
// An error of ErrLocked that comes after the texts are erased says that a reader
// kept old pages from being overwritten: repeat the call.
func (l *Ledger) Forget(ctx context.Context, requestID string, refs []TextRef, reason string) (Forgotten, error) {
	bytes := 0
	for _, r := range refs {
		bytes += len(r.Text)
	}
	if err := first(checkCall(requestID, len(refs), bytes), checkString("reason", reason, MaxReason)); err != nil || len(refs) == 0 {
		return Forgotten{}, err
	}
	var done forgetting
	err := l.lockedTx(ctx, func(t *tx) (err error) {
		done, err = once(t, requestID, "forget", refs, func(w *writer) (forgetting, error) { return w.forget(refs, reason) })
		return err
	})
	if err != nil {
		return Forgotten{}, err
	}
	return Forgotten{done.Outcomes, done.Texts, done.Unknown, done.Labels, done.Queued, done.Position}, l.dialect.Scrub(ctx, l.db)
}

func (w *writer) forget(refs []TextRef, reason string) (f forgetting, err error) {
	f.Outcomes = make(outcomes, len(refs))
	for i, r := range refs {
		if f.Outcomes[i].Err = r.check(); f.Outcomes[i].Err != nil {
			continue
		}
		if f.Outcomes[i], err = w.forgetRef(&f, r, reason); err != nil {
			return f, err
		}
	}
	f.Position = w.last
	return f, nil
}

// forgetRef forgets what one reference names.
func (w *writer) forgetRef(f *forgetting, r TextRef, reason string) (Outcome, error) {
	if err := w.flush(); err != nil { // a text may be named twice
		return Outcome{}, err
	}
	if r.Text != "" {
		if seq, err := w.tombstone(digest(w.salt, r.Text)); err != nil || seq > 0 {
			return Outcome{Seq: seq, Existing: true}, err
		}
	}
	found, err := w.findRef(r)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case len(found) == 0 && r.Text == "":
		return Outcome{Err: fmt.Errorf("%w: no text has this id or group", ErrNotFound)}, nil
	case len(found) == 0:
		f.Unknown++
		return Outcome{Seq: w.bury(0, digest(w.salt, r.Text), reason)}, nil
	}
	var out Outcome
	for _, x := range found {
		out.Seq = w.bury(x.id, x.digest, reason)
		if err := w.erase(f, x.id); err != nil {
			return out, err
		}
	}
	return out, nil
}

// bury gathers the event and the tombstone of a text.
func (w *writer) bury(id int64, d Digest, reason string) int64 {
	seq := w.event(&Event{Kind: KindForget, TextID: id, Details: details{Reason: reason}.json()})
	w.add("tombstones", d[:], seq)
	return seq
}

// erase deletes all that the ledger knows of a text, and counts it.
func (w *writer) erase(f *forgetting, id int64) error {
	labels := 0
	if err := w.labelsOf([]int64{id}, func(*Event) { labels++ }); err != nil {
		return err
	}
	queued, err := w.deleted(`DELETE FROM queued WHERE text_id = ?`, id)
	if err != nil {
		return err
	}
	f.Texts, f.Labels, f.Queued = f.Texts+1, f.Labels+labels, f.Queued+queued
	return w.eraseText(id)
}

func (w *writer) eraseText(id int64) error {
	return first(
		w.exec(`DELETE FROM queued WHERE text_id = ?`, id),
		w.exec(`DELETE FROM targets WHERE text_id = ?`, id),
		w.exec(`DELETE FROM groups WHERE text_id = ?`, id),
		w.exec(`DELETE FROM ids WHERE text_id = ?`, id),
		w.exec(`DELETE FROM texts WHERE id = ?`, id),
	)
}

// tombstone returns the number of the event that forgot a text, 0 if none did.
func (t *tx) tombstone(d Digest) (seq int64, err error) {
	err = optional(t.one([]any{&seq}, `SELECT seq FROM tombstones WHERE digest = ?`, d[:]))
	return seq, err
}

// A foundText is the number and digest of one.
type foundText struct {
	id     int64
	digest Digest
}

// findRef returns the texts that a reference names, by number.
func (t *tx) findRef(r TextRef) (list []foundText, err error) {
	query, arg := `SELECT t.id, t.digest FROM ids i JOIN texts t ON t.id = i.text_id WHERE i.name = ?`, any(r.ID)
	switch {
	case r.Text != "":
		m, err := t.meta()
		if err != nil {
			return nil, err
		}
		d := digest(m.salt, r.Text)
		query, arg = `SELECT id, digest FROM texts WHERE digest = ?`, d[:]
	case r.Group != "":
		query, arg = `SELECT t.id, t.digest FROM groups g JOIN texts t ON t.id = g.text_id WHERE g.name = ? ORDER BY t.id`, r.Group
	}
	err = t.query(func(scan func(...any) error) error {
		var x foundText
		var d []byte
		err := scan(&x.id, &d)
		if err == nil {
			x.digest = Digest(d)
			list = append(list, x)
		}
		return err
	}, query, arg)
	return list, err
}

// Find returns the texts that a reference names, none if the ledger has none.
func (l *Ledger) Find(ctx context.Context, ref TextRef) (list []Text, err error) {
	if err := ref.check(); err != nil {
		return nil, err
	}
	err = l.read(ctx, func(t *tx) error {
		found, err := t.findRef(ref)
		if err != nil {
			return err
		}
		for _, x := range found {
			text, err := t.whole(x.id)
			if err != nil {
				return err
			}
			list = append(list, text)
		}
		return nil
	})
	return list, err
}

// whole reads all that names a text.
func (t *tx) whole(id int64) (Text, error) {
	x := Text{TextID: id}
	names := func(to *[]string) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			*to = append(*to, name)
			return err
		}
	}
	err := first(
		t.one([]any{&x.Text}, `SELECT text FROM texts WHERE id = ?`, id),
		t.query(names(&x.IDs), `SELECT name FROM ids WHERE text_id = ? ORDER BY seq, name`, id),
		t.query(names(&x.Groups), `SELECT name FROM groups WHERE text_id = ? ORDER BY seq, name`, id),
		t.query(names(&x.Targets), `SELECT target FROM targets WHERE text_id = ? ORDER BY id`, id),
	)
	x.IDs, x.Groups, x.Targets = slices.Clip(x.IDs), slices.Clip(x.Groups), slices.Clip(x.Targets)
	return x, err
}
