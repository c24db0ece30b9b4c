package ledger

import (
	"encoding/json"
	"time"
)

// A writer is a transaction that writes events. It numbers them, and gathers rows
// so that a batch takes few statements.
type writer struct {
	*tx
	meta
	last     int64 // position with what is gathered
	lastText int64 // highest number that a text has had
	now      time.Time
	rows     map[string][][]any // by table
}

// tables and their columns, in the order in which rows are written.
var tables = []struct{ name, columns string }{
	{"events", eventColumns},
	{"texts", "id, seq, digest, bytes, text"},
	{"ids", "name, text_id, seq"},
	{"groups", "name, text_id, seq"},
	{"targets", "text_id, id, target"},
	{"queued", "seq, text_id, target_id, heads, revision, batch, predictions"},
	{"tombstones", "digest, seq"},
	{"requests", "id, digest, outcome"},
}

const eventColumns = "seq, kind, text_id, target_id, head, label, annotator, source, selection, probability, adjudicated, ref, details, time, recorded"

// write calls f with a writer, and makes durable what it gathers.
func (t *tx) write(f func(*writer) error) error {
	w := &writer{tx: t, now: time.Now(), rows: map[string][][]any{}}
	var err error
	if w.meta, err = t.meta(); err != nil {
		return err
	}
	if w.last, err = t.position(); err != nil {
		return err
	}
	if err := t.one([]any{&w.lastText}, `SELECT COALESCE(MAX(text_id), 0) FROM events`); err != nil {
		return err
	}
	before := w.last
	if err := f(w); err != nil {
		return err
	}
	if err := w.flush(); err != nil || w.last == before {
		return err
	}
	return t.l.dialect.Committing(t.ctx, t.tx)
}

func (w *writer) add(table string, row ...any) { w.rows[table] = append(w.rows[table], row) }

func (w *writer) flush() error {
	for _, t := range tables {
		if err := w.insert(t.name, t.columns, w.rows[t.name]); err != nil {
			return err
		}
	}
	clear(w.rows)
	return nil
}

// event numbers an event and gathers it.
func (w *writer) event(e *Event) int64 {
	w.last++
	e.Seq, e.Recorded = w.last, w.now
	if e.Time.IsZero() {
		e.Time = w.now
	}
	w.addEvent(e)
	return e.Seq
}

func (w *writer) addEvent(e *Event) {
	adjudicated := 0
	if e.Adjudicated {
		adjudicated = 1
	}
	w.add("events", e.Seq, e.Kind, e.TextID, e.TargetID, e.Head, e.Label, e.Annotator, e.Source, string(e.Selection),
		e.SelectionProbability, adjudicated, e.Ref, string(e.Details), micros(e.Time), micros(e.Recorded))
}

// text gathers a new text that the next event brings, and returns its number.
func (w *writer) text(text string) int64 {
	w.lastText++
	d := digest(w.salt, text)
	w.add("texts", w.lastText, w.last+1, d[:], len(text), text)
	return w.lastText
}

func (d details) json() json.RawMessage {
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and a finite number
	}
	return data
}

// scanEvent scans eventColumns.
func scanEvent(scan func(...any) error, e *Event) error {
	var adjudicated, time, recorded int64
	var details string
	err := scan(&e.Seq, &e.Kind, &e.TextID, &e.TargetID, &e.Head, &e.Label, &e.Annotator, &e.Source, &e.Selection,
		&e.SelectionProbability, &adjudicated, &e.Ref, &details, &time, &recorded)
	e.Adjudicated = adjudicated != 0
	if details != "" {
		e.Details = json.RawMessage(details)
	}
	e.Time, e.Recorded = fromMicros(time), fromMicros(recorded)
	return err
}
