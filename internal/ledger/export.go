package ledger

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
)

// An export is JSON Lines: first a header, then the tables row by row. Its order is
// that in which an import can take it.
type exportHeader struct {
	Format   string `json:"format"`
	Version  int    `json:"version"`
	ID       string `json:"id"`
	Salt     []byte `json:"salt"`
	Position int64  `json:"position"`
}

const (
	exportFormat  = "parley ledger"
	exportVersion = 1
)

// An exportLine is one row of a table, by which field is set.
type exportLine struct {
	Event     *Event         `json:"event,omitempty"` // without what the text has
	Text      *exportText    `json:"text,omitempty"`
	Queued    *exportQueued  `json:"queued,omitempty"`
	Tombstone *exportRemains `json:"tombstone,omitempty"`
	End       *exportEnd     `json:"end,omitempty"`
}

// An exportText is a text with all that names it.
type exportText struct {
	ID      int64        `json:"id"`
	Seq     int64        `json:"seq"`
	Text    string       `json:"text"`
	IDs     []exportName `json:"ids,omitempty"`
	Groups  []exportName `json:"groups,omitempty"`
	Targets []exportName `json:"targets,omitempty"` // Seq is the target's number
}

type exportName struct {
	Name string `json:"name"`
	Seq  int64  `json:"seq"`
}

type exportQueued struct {
	Seq         int64           `json:"seq"`
	TextID      int64           `json:"text_id"`
	TargetID    int64           `json:"target_id,omitempty"`
	Heads       json.RawMessage `json:"heads"`
	Revision    string          `json:"revision,omitempty"`
	Batch       string          `json:"batch,omitempty"`
	Predictions string          `json:"predictions,omitempty"`
}

type exportRemains struct {
	Digest []byte `json:"digest"`
	Seq    int64  `json:"seq"`
}

// exportEnd tells a whole export from one that was cut off.
type exportEnd struct {
	Lines int `json:"lines"`
}

// Export writes the ledger, as it is at one position, in a form that Import reads.
// It has the texts and the salt: keep it as you keep the ledger. The results of
// requests are not in it. The same ledger has the same bytes.
func (l *Ledger) Export(ctx context.Context, w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	err := l.read(ctx, func(t *tx) error {
		x := &exporter{tx: t, json: json.NewEncoder(b)}
		x.json.SetEscapeHTML(false)
		return x.export()
	})
	if err != nil {
		return err
	}
	return b.Flush()
}

type exporter struct {
	*tx
	json  *json.Encoder
	lines int
}

func (x *exporter) line(l exportLine) error {
	x.lines++
	return x.json.Encode(l)
}

func (x *exporter) export() error {
	m, err := x.meta()
	if err != nil {
		return err
	}
	position, err := x.position()
	if err != nil {
		return err
	}
	if err := x.json.Encode(exportHeader{exportFormat, exportVersion, m.id, m.salt, position}); err != nil {
		return err
	}
	if err := x.texts(); err != nil {
		return err
	}
	return first(
		x.query(x.queued, `SELECT seq, text_id, target_id, heads, revision, batch, predictions FROM queued ORDER BY seq`),
		x.query(x.tombstone, `SELECT digest, seq FROM tombstones ORDER BY seq`),
		x.query(x.event, `SELECT `+eventColumns+` FROM events ORDER BY seq`),
		x.line(exportLine{End: &exportEnd{x.lines}}),
	)
}

func (x *exporter) event(scan func(...any) error) error {
	var e Event
	if err := scanEvent(scan, &e); err != nil {
		return err
	}
	return x.line(exportLine{Event: &e})
}

func (x *exporter) queued(scan func(...any) error) error {
	var q exportQueued
	var heads string
	if err := scan(&q.Seq, &q.TextID, &q.TargetID, &heads, &q.Revision, &q.Batch, &q.Predictions); err != nil {
		return err
	}
	q.Heads = json.RawMessage(heads)
	return x.line(exportLine{Queued: &q})
}

func (x *exporter) tombstone(scan func(...any) error) error {
	var r exportRemains
	if err := scan(&r.Digest, &r.Seq); err != nil {
		return err
	}
	return x.line(exportLine{Tombstone: &r})
}

// textChunk is how many texts are in memory at a time.
const textChunk = 1000

func (x *exporter) texts() error {
	for after := int64(0); ; {
		var list []*exportText
		byID := map[int64]*exportText{}
		if err := x.query(func(scan func(...any) error) error {
			t := &exportText{}
			err := scan(&t.ID, &t.Seq, &t.Text)
			list, byID[t.ID] = append(list, t), t
			return err
		}, `SELECT id, seq, text FROM texts WHERE id > ? ORDER BY id LIMIT ?`, after, textChunk); err != nil || len(list) == 0 {
			return err
		}
		last := list[len(list)-1].ID
		if err := x.namesOf(byID, after, last); err != nil {
			return err
		}
		for _, t := range list {
			if err := x.line(exportLine{Text: t}); err != nil {
				return err
			}
		}
		after = last
	}
}

// namesOf reads what names the texts from after to last.
func (x *exporter) namesOf(byID map[int64]*exportText, after, last int64) error {
	name := func(to func(*exportText) *[]exportName) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			var id int64
			var n exportName
			err := scan(&id, &n.Name, &n.Seq)
			if err == nil {
				list := to(byID[id])
				*list = append(*list, n)
			}
			return err
		}
	}
	return first(
		x.query(name(func(t *exportText) *[]exportName { return &t.IDs }), `SELECT text_id, name, seq FROM ids WHERE text_id > ? AND text_id <= ? ORDER BY seq, name`, after, last),
		x.query(name(func(t *exportText) *[]exportName { return &t.Groups }), `SELECT text_id, name, seq FROM groups WHERE text_id > ? AND text_id <= ? ORDER BY seq, name`, after, last),
		x.query(name(func(t *exportText) *[]exportName { return &t.Targets }), `SELECT text_id, target, id FROM targets WHERE text_id > ? AND text_id <= ? ORDER BY text_id, id`, after, last),
	)
}
