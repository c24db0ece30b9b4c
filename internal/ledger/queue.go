package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A QueueItem is a text that somebody shall label.
type QueueItem struct {
	Seq                     int64 // given by the ledger, like Time
	Text, ID, Group, Target string
	Heads                   []string
	Selection               Selection
	SelectionProbability    float64
	Revision                string          // that predicted
	Predictions             json.RawMessage // what it predicted, an object
	Batch                   string
	Time                    time.Time
}

func (q *QueueItem) check() error {
	if q.Text == "" {
		return fmt.Errorf("%w: text is missing", ErrInvalid)
	}
	if len(q.Heads) == 0 || len(q.Heads) > MaxHeads {
		return fmt.Errorf("%w: %d heads: want 1 to %d", ErrInvalid, len(q.Heads), MaxHeads)
	}
	for _, h := range q.Heads {
		if err := checkName("head", h, MaxName); err != nil {
			return err
		}
	}
	return first(checkSubject(q.Text, q.ID, q.Group, q.Target), checkSelection(q.Selection, q.SelectionProbability),
		checkString("revision", q.Revision, MaxName), checkString("batch", q.Batch, MaxName),
		checkJSON("predictions", q.Predictions, MaxPredictions))
}

// Enqueue puts texts into the queue and returns how many. Texts that are there
// already, that are labelled for all the heads, or that were forgotten are left out.
// A wrong item is an error, and then nothing is written.
func (l *Ledger) Enqueue(ctx context.Context, items []QueueItem) (added int, err error) {
	bytes := 0
	var texts, ids []string
	for i := range items {
		if err := items[i].check(); err != nil {
			return 0, fmt.Errorf("item %d: %w", i+1, err)
		}
		bytes += len(items[i].Text)
		texts, ids = append(texts, items[i].Text), append(ids, items[i].ID)
	}
	if err := checkCall("", len(items), bytes); err != nil || len(items) == 0 {
		return 0, err
	}
	err = l.lockedTx(ctx, func(t *tx) error {
		return t.write(func(w *writer) error {
			added, err = w.enqueue(items, texts, ids)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

func (w *writer) enqueue(items []QueueItem, texts, ids []string) (added int, err error) {
	s, err := w.loadSubjects(texts, ids)
	if err != nil {
		return 0, err
	}
	queued, err := w.queuedTargets(s)
	if err != nil {
		return 0, err
	}
	for i := range items {
		q := &items[i]
		x, err := s.find(q.Text, q.ID)
		if err != nil || x != nil && (queued[place{x.id, x.targets[q.Target]}] && (q.Target == "" || x.targets[q.Target] > 0) || x.hasAll(q)) {
			continue // forgotten, an id of another text, or there
		}
		x, target := s.make(x, q.Text, q.ID, q.Group, q.Target)
		heads, err := json.Marshal(q.Heads)
		if err != nil {
			return 0, err
		}
		seq := w.event(&Event{Kind: KindQueue, TextID: x.id, TargetID: target, Selection: q.Selection, SelectionProbability: q.SelectionProbability})
		w.add("queued", seq, x.id, target, string(heads), q.Revision, q.Batch, string(q.Predictions))
		queued[place{x.id, target}] = true
		added++
	}
	return added, nil
}

// A place is a text under a target, by number.
type place struct{ text, target int64 }

// queuedTargets tells what is in the queue of the texts.
func (w *writer) queuedTargets(s *subjects) (map[place]bool, error) {
	var ids []int64
	for id := range s.byNumber {
		ids = append(ids, id)
	}
	queued := map[place]bool{}
	return queued, queryIn(w.tx, ids, func(scan func(...any) error) error {
		var p place
		err := scan(&p.text, &p.target)
		queued[p] = true
		return err
	}, `SELECT text_id, target_id FROM queued WHERE text_id IN (%s)`)
}

// hasAll reports whether the text is labelled, by anybody, under all heads of q.
func (x *subject) hasAll(q *QueueItem) bool {
	target, known := x.targets[q.Target]
	if q.Target != "" && !known {
		return false
	}
	return labelledUnder(x.labels, target, q.Heads)
}

// labelledUnder reports whether somebody's newest label stands under every head.
func labelledUnder(labels []Event, target int64, heads []string) bool {
	for _, h := range heads {
		stands := map[string]bool{}
		for i := range labels {
			if e := &labels[i]; e.TargetID == target && e.Head == h {
				if stands[e.Annotator] = e.Label != ""; e.Label == "" {
					delete(stands, e.Annotator)
				}
			}
		}
		if len(stands) == 0 {
			return false
		}
	}
	return true
}

// pendingChunk is how many items of the queue are looked at together.
const pendingChunk = 200

// Pending returns items of the queue that nobody has labelled under all their heads
// and that this annotator has not skipped, oldest first, at most limit.
func (l *Ledger) Pending(ctx context.Context, annotator string, limit int) (list []QueueItem, err error) {
	if err := checkString("annotator", annotator, MaxName); err != nil {
		return nil, err
	}
	if limit < 1 || limit > MaxBatch {
		return nil, fmt.Errorf("%w: %d items of the queue: want 1 to %d", ErrInvalid, limit, MaxBatch)
	}
	err = l.read(ctx, func(t *tx) error {
		for after := int64(0); len(list) < limit; {
			chunk, err := t.queueAfter(after, annotator)
			if err != nil || len(chunk) == 0 {
				return err
			}
			after = chunk[len(chunk)-1].Seq
			open, err := t.open(chunk)
			if err != nil {
				return err
			}
			list = append(list, open[:min(len(open), limit-len(list))]...)
		}
		return nil
	})
	return list, err
}

// A queuedItem is one with the numbers of its text and target.
type queuedItem struct {
	QueueItem
	place
}

func (t *tx) queueAfter(after int64, annotator string) (list []queuedItem, err error) {
	err = t.query(func(scan func(...any) error) error {
		var q queuedItem
		var heads, predictions string
		var at int64
		if err := scan(&q.Seq, &q.text, &q.target, &heads, &q.Revision, &q.Batch, &predictions, &q.Selection, &q.SelectionProbability, &at); err != nil {
			return err
		}
		q.Time = fromMicros(at)
		if predictions != "" {
			q.Predictions = json.RawMessage(predictions)
		}
		err := json.Unmarshal([]byte(heads), &q.Heads)
		list = append(list, q)
		return err
	}, `SELECT q.seq, q.text_id, q.target_id, q.heads, q.revision, q.batch, q.predictions, e.selection, e.probability, e.time
		FROM queued q JOIN events e ON e.seq = q.seq
		WHERE q.seq > ? AND NOT EXISTS (SELECT 1 FROM events s WHERE s.ref = q.seq AND s.ref > 0 AND s.kind = 'skip' AND s.annotator = ?)
		ORDER BY q.seq LIMIT ?`, after, annotator, pendingChunk)
	return list, err
}

// open returns the items that are not labelled yet, with their texts.
func (t *tx) open(chunk []queuedItem) (list []QueueItem, err error) {
	var ids []int64
	for i := range chunk {
		ids = append(ids, chunk[i].text)
	}
	labels := map[int64][]Event{}
	if err := queryIn(t, ids, func(scan func(...any) error) error {
		var e Event
		err := scanEvent(scan, &e)
		labels[e.TextID] = append(labels[e.TextID], e)
		return err
	}, `SELECT `+eventColumns+` FROM events WHERE kind = 'label' AND text_id IN (%s) ORDER BY seq`); err != nil {
		return nil, err
	}
	names, err := t.names(ids)
	if err != nil {
		return nil, err
	}
	for i := range chunk {
		q := &chunk[i]
		if labelledUnder(labels[q.text], q.target, q.Heads) {
			continue
		}
		n := names[q.text]
		q.Text, q.ID, q.Group, q.Target = n.text, n.id, n.group, n.targets[q.target]
		list = append(list, q.QueueItem)
	}
	return list, nil
}

// Skip says that an annotator will not label an item of the queue.
func (l *Ledger) Skip(ctx context.Context, seq int64, annotator string) error {
	if err := checkName("annotator", annotator, MaxName); err != nil {
		return err
	}
	return l.lockedTx(ctx, func(t *tx) error {
		return t.write(func(w *writer) error {
			var p place
			switch err := w.one([]any{&p.text, &p.target}, `SELECT text_id, target_id FROM queued WHERE seq = ?`, seq); {
			case optional(err) != nil:
				return err
			case err != nil:
				return fmt.Errorf("%w: event %d is no item of the queue", ErrNotFound, seq)
			}
			skipped := 0
			if err := w.one([]any{&skipped}, `SELECT COUNT(*) FROM events WHERE kind = 'skip' AND ref = ? AND ref > 0 AND annotator = ?`, seq, annotator); err != nil || skipped > 0 {
				return err
			}
			w.event(&Event{Kind: KindSkip, TextID: p.text, TargetID: p.target, Annotator: annotator, Ref: seq})
			return nil
		})
	})
}
