package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Imported says what an import brought.
type Imported struct {
	Events   int // that were not there
	Position int64
}

// maxExportLine bounds a line of an export: the longest text, each of its characters
// written as six, and its names.
const maxExportLine = 6*MaxText + 2<<20

// Import reads what Export wrote into an empty ledger, which then has its id, salt,
// numbers and texts; or into one that was made so (or is the one that was exported),
// which gets the events that it lacks. Texts forgotten meanwhile are erased. It is
// one transaction. What is no export, or is cut off, is ErrFormat with the line;
// another ledger's export, or one whose history differs, is ErrConflict.
func (l *Ledger) Import(ctx context.Context, r io.Reader) (done Imported, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	header, err := readHeader(in)
	if err != nil {
		return Imported{}, err
	}
	var id string
	err = l.lockedTx(ctx, func(t *tx) error {
		return t.write(func(w *writer) error {
			m := &importer{writer: w, header: header, line: 1, had: w.last}
			if err := m.adopt(); err != nil {
				return err
			}
			id = m.header.ID
			if err := m.read(in); err != nil {
				return err
			}
			done = Imported{m.events, max(m.had, header.Position)}
			return m.checkEnd()
		})
	})
	if err != nil {
		return Imported{}, err
	}
	l.id.Store(&id)
	if done.Events > 0 {
		err = l.dialect.Scrub(ctx, l.db)
	}
	return done, err
}

func readHeader(in *bufio.Reader) (h exportHeader, err error) {
	line, err := readLine(in)
	if err != nil && err != io.EOF {
		return h, err
	}
	if strictJSON(line, &h) != nil || h.Format != exportFormat {
		return h, fmt.Errorf("line 1: %w", ErrFormat)
	}
	switch {
	case h.Version != exportVersion:
		return h, fmt.Errorf("line 1: %w: version %d, this program knows %d", ErrFormat, h.Version, exportVersion)
	case len(h.ID) != 32 || len(h.Salt) != 32 || h.Position < 0:
		return h, fmt.Errorf("line 1: %w: id, salt or position", ErrFormat)
	}
	return h, nil
}

// readLine reads a line of bounded length; io.EOF comes with the last or after it.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxExportLine {
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrFormat, maxExportLine)
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(line, []byte("\n")), err
		}
	}
}

func strictJSON(line []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

// An importer takes the lines of an export one after the other.
type importer struct {
	*writer
	header exportHeader
	line   int
	had    int64 // position before
	next   int64 // number of the last event that was read
	events int
	done   bool
}

// adopt gives an empty ledger the id and salt of the export, or sees that they are
// the same.
func (m *importer) adopt() error {
	switch {
	case m.header.ID == m.id && bytes.Equal(m.header.Salt, m.salt):
		return nil
	case m.had > 0:
		return fmt.Errorf("%w: the export is of another ledger", ErrConflict)
	}
	requests := 0
	if err := m.one([]any{&requests}, `SELECT COUNT(*) FROM requests`); err != nil || requests > 0 {
		return first(err, fmt.Errorf("%w: the export is of another ledger", ErrConflict))
	}
	m.id, m.salt = m.header.ID, m.header.Salt
	return m.exec(`UPDATE ledger SET id = ?, salt = ?`, m.id, m.salt)
}

// flushEvery is how many lines are gathered before they are written.
const flushEvery = 1000

func (m *importer) read(in *bufio.Reader) error {
	for {
		line, err := readLine(in)
		if err != nil && err != io.EOF {
			return m.place(err)
		}
		m.line++
		if len(line) > 0 {
			if err := m.take(line); err != nil {
				return m.place(err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if m.line%flushEvery == 0 {
			if err := m.flush(); err != nil {
				return err
			}
		}
	}
}

// place adds the line to an error that is about it.
func (m *importer) place(err error) error { return fmt.Errorf("line %d: %w", m.line, err) }

func (m *importer) take(line []byte) error {
	var x exportLine
	if m.done || strictJSON(line, &x) != nil {
		return ErrFormat
	}
	switch {
	case x == exportLine{Text: x.Text} && x.Text != nil:
		return m.text(x.Text)
	case x == exportLine{Queued: x.Queued} && x.Queued != nil:
		return m.queued(x.Queued)
	case x == exportLine{Tombstone: x.Tombstone} && x.Tombstone != nil:
		return m.tombstone(x.Tombstone)
	case x == exportLine{Event: x.Event} && x.Event != nil:
		return m.event(x.Event)
	case x == exportLine{End: x.End} && x.End != nil:
		m.done = true
		return nil
	}
	return ErrFormat
}

// new reports whether what an event brought is not there yet, and checks that the
// export has that event.
func (m *importer) new(seq int64) (bool, error) {
	if seq < 1 || seq > m.header.Position {
		return false, fmt.Errorf("%w: event %d of %d", ErrFormat, seq, m.header.Position)
	}
	return seq > m.had, nil
}

func (m *importer) text(t *exportText) error {
	if t.ID < 1 {
		return fmt.Errorf("%w: text %d", ErrFormat, t.ID)
	}
	if err := checkName("text", t.Text, MaxText); err != nil {
		return err
	}
	isNew, err := m.new(t.Seq)
	if err != nil {
		return err
	}
	if isNew {
		d := digest(m.salt, t.Text)
		m.add("texts", t.ID, t.Seq, d[:], len(t.Text), t.Text)
	}
	for _, names := range []struct {
		table string
		list  []exportName
	}{{"ids", t.IDs}, {"groups", t.Groups}} {
		for _, n := range names.list {
			isNew, err := m.new(n.Seq)
			if err := first(err, checkName(names.table, n.Name, MaxID)); err != nil {
				return err
			}
			if isNew {
				m.add(names.table, n.Name, t.ID, n.Seq)
			}
		}
	}
	return m.targets(t, isNew)
}

// targets adds the targets of a text that are not there.
func (m *importer) targets(t *exportText, isNew bool) error {
	known := int64(0)
	if !isNew && len(t.Targets) > 0 {
		if err := m.one([]any{&known}, `SELECT COALESCE(MAX(id), 0) FROM targets WHERE text_id = ?`, t.ID); err != nil {
			return err
		}
	}
	for i, n := range t.Targets {
		if n.Seq != int64(i+1) {
			return fmt.Errorf("%w: target %d of text %d", ErrFormat, n.Seq, t.ID)
		}
		if err := checkName("target", n.Name, MaxTarget); err != nil {
			return err
		}
		if n.Seq > known {
			m.add("targets", t.ID, n.Seq, n.Name)
		}
	}
	return nil
}

func (m *importer) queued(q *exportQueued) error {
	var heads []string
	isNew, err := m.new(q.Seq)
	if err := first(err, json.Unmarshal(q.Heads, &heads), checkString("revision", q.Revision, MaxName), checkString("batch", q.Batch, MaxName),
		checkJSON("predictions", json.RawMessage(q.Predictions), MaxPredictions)); err != nil || !isNew {
		return err
	}
	m.add("queued", q.Seq, q.TextID, q.TargetID, string(q.Heads), q.Revision, q.Batch, q.Predictions)
	return nil
}

// tombstone erases a text that was forgotten since the last import.
func (m *importer) tombstone(r *exportRemains) error {
	isNew, err := m.new(r.Seq)
	if err != nil || !isNew {
		return err
	}
	if len(r.Digest) != len(Digest{}) {
		return fmt.Errorf("%w: digest", ErrFormat)
	}
	m.add("tombstones", r.Digest, r.Seq)
	id := int64(0)
	if err := optional(m.one([]any{&id}, `SELECT id FROM texts WHERE digest = ?`, r.Digest)); err != nil || id == 0 {
		return err
	}
	return m.eraseText(id)
}

func (m *importer) event(e *Event) error {
	m.next++
	if e.Seq != m.next || e.Seq > m.header.Position {
		return fmt.Errorf("%w: event %d where %d is due", ErrFormat, e.Seq, m.next)
	}
	if err := e.check(); err != nil {
		return err
	}
	if e.Seq <= m.had {
		return m.compare(e)
	}
	m.addEvent(e)
	m.events++
	return nil
}

// compare sees that an event that is there is the same.
func (m *importer) compare(e *Event) error {
	var had Event
	err := m.query(func(scan func(...any) error) error { return scanEvent(scan, &had) }, `SELECT `+eventColumns+` FROM events WHERE seq = ?`, e.Seq)
	if err != nil {
		return err
	}
	a, b := had, *e
	a.Details, b.Details = nil, nil
	if !bytes.Equal(had.Details, e.Details) || !a.Time.Equal(b.Time) || !a.Recorded.Equal(b.Recorded) {
		return fmt.Errorf("%w: event %d is another one here", ErrConflict, e.Seq)
	}
	a.Time, a.Recorded = b.Time, b.Recorded
	if x, y := mustJSON(a), mustJSON(b); !bytes.Equal(x, y) {
		return fmt.Errorf("%w: event %d is another one here", ErrConflict, e.Seq)
	}
	return nil
}

func mustJSON(e Event) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // numbers, strings and checked JSON
	}
	return data
}

// check checks an event that comes from outside.
func (e *Event) check() error {
	if e.TextID < 0 || e.TargetID < 0 || e.Ref < 0 {
		return fmt.Errorf("%w: a negative number", ErrFormat)
	}
	if e.Text != "" || e.ID != "" || e.Group != "" || e.Target != "" || e.Forgotten {
		return fmt.Errorf("%w: content in an event", ErrFormat)
	}
	return first(checkKind(e.Kind), checkString("head", e.Head, MaxName), checkString("label", e.Label, MaxName),
		checkString("annotator", e.Annotator, MaxName), checkString("source", e.Source, MaxName),
		checkSelection(e.Selection, e.SelectionProbability), checkTime(e.Time), checkTime(e.Recorded),
		checkJSON("details", e.Details, MaxDetails))
}

// checkEnd sees that the export was whole and that every name belongs to a text.
func (m *importer) checkEnd() error {
	if !m.done || m.next != m.header.Position {
		return fmt.Errorf("line %d: %w: it is cut off", m.line, ErrFormat)
	}
	if err := m.flush(); err != nil {
		return err
	}
	strays := 0
	if err := m.one([]any{&strays}, `SELECT (SELECT COUNT(*) FROM queued WHERE text_id NOT IN (SELECT id FROM texts))
		+ (SELECT COUNT(*) FROM queued WHERE seq NOT IN (SELECT seq FROM events WHERE kind = 'queue'))
		+ (SELECT COUNT(*) FROM texts WHERE seq NOT IN (SELECT seq FROM events))`); err != nil {
		return err
	}
	if strays > 0 {
		return fmt.Errorf("%w: %d rows belong to no text or event", ErrFormat, strays)
	}
	return nil
}
