package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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

// Enqueue puts texts into the queue and returns how many. Heads for which a text is
// there already, or labelled, are left out, and so are texts of which no head is
// left, that were forgotten, or whose id names another text.
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
	queued, err := w.queuedHeads(s)
	if err != nil {
		return 0, err
	}
	remaps, err := w.remaps(w.last)
	if err != nil {
		return 0, err
	}
	for i := range items {
		q := &items[i]
		x, err := s.find(q.Text, q.ID)
		if err != nil {
			continue // forgotten, or an id of another text
		}
		missing := x.missing(q, queued, remaps)
		if len(missing) == 0 {
			continue
		}
		x, target := s.make(x, q.Text, q.ID, q.Group, q.Target)
		heads, err := json.Marshal(missing)
		if err != nil {
			return 0, err
		}
		seq := w.event(&Event{Kind: KindQueue, TextID: x.id, TargetID: target, Selection: q.Selection, SelectionProbability: q.SelectionProbability})
		w.add("queued", seq, x.id, target, string(heads), q.Revision, q.Batch, string(q.Predictions))
		queued.add(place{x.id, target}, missing)
		added++
	}
	return added, nil
}

// A place is a text under a target, by number.
type place struct{ text, target int64 }

// queuedHeads are the heads under which texts are in the queue.
type queuedHeads map[place]map[string]bool

func (q queuedHeads) add(p place, heads []string) {
	if q[p] == nil {
		q[p] = map[string]bool{}
	}
	for _, h := range heads {
		q[p][h] = true
	}
}

func (w *writer) queuedHeads(s *subjects) (queuedHeads, error) {
	queued := queuedHeads{}
	return queued, queryIn(w.tx, slices.Collect(maps.Keys(s.byNumber)), func(scan func(...any) error) error {
		var p place
		var kept string
		var heads []string
		if err := scan(&p.text, &p.target, &kept); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(kept), &heads)
		queued.add(p, heads)
		return err
	}, `SELECT text_id, target_id, heads FROM queued WHERE text_id IN (%s)`)
}

// missing are the heads of q under which the text, nil if it is new, is neither
// labelled nor queued.
func (x *subject) missing(q *QueueItem, queued queuedHeads, remaps remaps) (heads []string) {
	target, known := int64(0), x != nil
	if known && q.Target != "" {
		target, known = x.targets[q.Target]
	}
	for _, h := range q.Heads {
		if known && (queued[place{x.id, target}][h] || stands(x.labels, target, h, remaps)) || slices.Contains(heads, h) {
			continue
		}
		heads = append(heads, h)
	}
	return heads
}

// stands reports whether somebody's newest label of a text is one under the head: it
// was not taken back, and no remap made it void.
func stands(labels []Event, target int64, head string, remaps remaps) bool {
	says := map[string]bool{}
	for i := range labels {
		if e := &labels[i]; e.TargetID == target && e.Head == head {
			label, void := remaps.apply(e)
			says[e.Annotator] = label != "" && !void
		}
	}
	for _, yes := range says {
		if yes {
			return true
		}
	}
	return false
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
		now, err := t.position()
		if err != nil {
			return err
		}
		remaps, err := t.remaps(now)
		if err != nil {
			return err
		}
		for after := int64(0); len(list) < limit; {
			chunk, err := t.queueAfter(after, annotator)
			if err != nil || len(chunk) == 0 {
				return err
			}
			after = chunk[len(chunk)-1].Seq
			open, err := t.open(chunk, remaps)
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
func (t *tx) open(chunk []queuedItem, remaps remaps) (list []QueueItem, err error) {
	var ids []int64
	for i := range chunk {
		ids = append(ids, chunk[i].text)
	}
	labels := map[int64][]Event{}
	if err := t.labelsOf(ids, func(e *Event) { labels[e.TextID] = append(labels[e.TextID], *e) }); err != nil {
		return nil, err
	}
	names, err := t.names(ids)
	if err != nil {
		return nil, err
	}
	for i := range chunk {
		q := &chunk[i]
		if !slices.ContainsFunc(q.Heads, func(h string) bool { return !stands(labels[q.text], q.target, h, remaps) }) {
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
