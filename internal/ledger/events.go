package ledger

import (
	"context"
	"fmt"
	"strings"
)

// A Query says which events are wanted. Fields that are empty do not matter.
type Query struct {
	After             int64 // events with higher numbers
	Limit             int   // at most so many; 0: MaxEvents
	Kind, Head, Label string
	Annotator, Source string
	Selection         Selection
	ID                string // events about the text of that name
	TextID            int64
	Quarantined       bool // labels in quarantine now
	Newest            bool // the newest first, After being unused
}

// Events returns events in the order of their numbers, with the texts that they are
// about. A page ends before its texts are longer than MaxPageBytes together: an
// empty page alone says that there are no more.
func (l *Ledger) Events(ctx context.Context, q Query) (list []Event, err error) {
	where, args, err := q.where()
	if err != nil {
		return nil, err
	}
	order := ` ORDER BY seq`
	if q.Newest {
		order += ` DESC`
	}
	args = append(args, q.Limit)
	err = l.read(ctx, func(t *tx) error {
		if err := t.query(func(scan func(...any) error) error {
			var e Event
			err := scanEvent(scan, &e)
			list = append(list, e)
			return err
		}, `SELECT `+eventColumns+` FROM events WHERE `+where+order+` LIMIT ?`, args...); err != nil {
			return err
		}
		if list, err = t.cutPage(list); err != nil {
			return err
		}
		return t.fill(list)
	})
	return list, err
}

// where is the condition of a query, whose limit it fills in.
func (q *Query) where() (string, []any, error) {
	switch {
	case q.Limit < 0 || q.Limit > MaxEvents:
		return "", nil, fmt.Errorf("%w: a page of %d events: want at most %d", ErrInvalid, q.Limit, MaxEvents)
	case q.After < 0:
		return "", nil, fmt.Errorf("%w: events after %d: want a position", ErrInvalid, q.After)
	case q.Limit == 0:
		q.Limit = MaxEvents
	}
	conditions, args := []string{"seq > ?"}, []any{q.After}
	if q.Newest {
		args[0] = int64(0)
	}
	for _, c := range []struct{ column, value string }{
		{"kind", q.Kind}, {"head", q.Head}, {"label", q.Label}, {"annotator", q.Annotator}, {"source", q.Source}, {"selection", string(q.Selection)},
	} {
		if err := checkString(c.column, c.value, MaxName); err != nil {
			return "", nil, err
		}
		if c.value != "" {
			conditions, args = append(conditions, c.column+" = ?"), append(args, c.value)
		}
	}
	if err := checkString("id", q.ID, MaxID); err != nil {
		return "", nil, err
	}
	if q.ID != "" {
		conditions, args = append(conditions, "text_id = (SELECT text_id FROM ids WHERE name = ?)"), append(args, q.ID)
	}
	if q.TextID != 0 {
		conditions, args = append(conditions, "text_id = ?"), append(args, q.TextID)
	}
	if q.Quarantined {
		conditions = append(conditions, "kind = 'label'", inQuarantine)
	}
	return strings.Join(conditions, " AND "), args, nil
}

// inQuarantine is the condition of labels that wait to be confirmed: neither
// confirmed, nor replaced by their annotator, nor forgotten.
const inQuarantine = `seq IN (SELECT ref FROM events WHERE kind = 'quarantine')
	AND NOT EXISTS (SELECT 1 FROM events c WHERE c.kind IN ('confirm', 'label') AND c.ref = events.seq AND c.ref > 0)
	AND text_id IN (SELECT id FROM texts)`

// cutPage ends a page before it has too much text.
func (t *tx) cutPage(list []Event) ([]Event, error) {
	sizes := map[int64]int{}
	if err := queryIn(t, textsOf(list), func(scan func(...any) error) error {
		var id int64
		var bytes int
		err := scan(&id, &bytes)
		sizes[id] = bytes
		return err
	}, `SELECT id, bytes FROM texts WHERE id IN (%s)`); err != nil {
		return nil, err
	}
	sum := 0
	for i := range list {
		if sum += sizes[list[i].TextID]; sum > MaxPageBytes && i > 0 {
			return list[:i], nil
		}
	}
	return list, nil
}

// textsOf are the texts that events are about, each once.
func textsOf(list []Event) []int64 {
	seen := map[int64]bool{0: true}
	var ids []int64
	for i := range list {
		if id := list[i].TextID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// fill puts texts, ids, groups and targets into events.
func (t *tx) fill(list []Event) error {
	names, err := t.names(textsOf(list))
	if err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		if e.TextID == 0 {
			e.Forgotten = e.Kind == KindForget
			continue
		}
		n := names[e.TextID]
		if n == nil {
			e.Forgotten = true
			continue
		}
		e.Text, e.ID, e.Group, e.Target = n.text, n.id, n.group, n.targets[e.TargetID]
	}
	return nil
}

// A naming is how a text is named.
type naming struct {
	text, id, group string // the first id and group that were given
	targets         map[int64]string
}

// names reads texts and what they are called.
func (t *tx) names(ids []int64) (map[int64]*naming, error) {
	found := map[int64]*naming{}
	text := func(scan func(...any) error) error {
		var id int64
		n := &naming{targets: map[int64]string{0: ""}}
		err := scan(&id, &n.text)
		found[id] = n
		return err
	}
	named := func(set func(n *naming, name string)) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			var id int64
			var name string
			err := scan(&id, &name)
			if err == nil {
				set(found[id], name)
			}
			return err
		}
	}
	target := func(scan func(...any) error) error {
		var id, number int64
		var name string
		err := scan(&id, &number, &name)
		if err == nil {
			found[id].targets[number] = name
		}
		return err
	}
	return found, first(
		queryIn(t, ids, text, `SELECT id, text FROM texts WHERE id IN (%s)`),
		queryIn(t, ids, named(func(n *naming, name string) { n.id = orElse(n.id, name) }), `SELECT text_id, name FROM ids WHERE text_id IN (%s) ORDER BY seq, name`),
		queryIn(t, ids, named(func(n *naming, name string) { n.group = orElse(n.group, name) }), `SELECT text_id, name FROM groups WHERE text_id IN (%s) ORDER BY seq, name`),
		queryIn(t, ids, target, `SELECT text_id, id, target FROM targets WHERE text_id IN (%s)`),
	)
}

// orElse is s, or other if that is empty.
func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
