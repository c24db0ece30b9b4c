package ledger

import (
	"fmt"
	"maps"
	"slices"
)

// subjects are the texts that the items of a call are about, as the ledger has
// them and as the items before have changed them.
type subjects struct {
	w         *writer
	byDigest  map[Digest]*subject
	byID      map[string]*subject
	forgotten map[Digest]bool
	byNumber  map[int64]*subject
}

// A subject is a text with what may be added to it.
type subject struct {
	id      int64
	digest  Digest
	ids     map[string]bool
	groups  map[string]bool
	targets map[string]int64
	last    int64 // highest number of a target
	labels  []Event
}

// loadSubjects reads what the ledger has of texts and ids.
func (w *writer) loadSubjects(texts, ids []string) (*subjects, error) {
	s := &subjects{w, map[Digest]*subject{}, map[string]*subject{}, map[Digest]bool{}, map[int64]*subject{}}
	var digests [][]byte
	for _, text := range texts {
		if text != "" {
			d := digest(w.salt, text)
			digests = append(digests, d[:])
		}
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" })
	text := func(scan func(...any) error) error {
		var id int64
		var d []byte
		err := scan(&id, &d)
		if err == nil && s.byNumber[id] == nil {
			s.add(id, Digest(d))
		}
		return err
	}
	forgotten := func(scan func(...any) error) error {
		var d []byte
		err := scan(&d)
		if err == nil {
			s.forgotten[Digest(d)] = true
		}
		return err
	}
	if err := first(
		queryIn(w.tx, digests, text, `SELECT id, digest FROM texts WHERE digest IN (%s)`),
		queryIn(w.tx, ids, text, `SELECT t.id, t.digest FROM ids i JOIN texts t ON t.id = i.text_id WHERE i.name IN (%s)`),
		queryIn(w.tx, digests, forgotten, `SELECT digest FROM tombstones WHERE digest IN (%s)`),
	); err != nil {
		return nil, err
	}
	return s, s.load()
}

func (s *subjects) add(id int64, d Digest) *subject {
	x := &subject{id: id, digest: d, ids: map[string]bool{}, groups: map[string]bool{}, targets: map[string]int64{}}
	s.byNumber[id], s.byDigest[d] = x, x
	return x
}

// load reads what belongs to the texts.
func (s *subjects) load() error {
	numbers := slices.Sorted(maps.Keys(s.byNumber))
	named := func(add func(x *subject, name string)) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			var id int64
			var name string
			err := scan(&id, &name)
			if err == nil {
				add(s.byNumber[id], name)
			}
			return err
		}
	}
	return first(
		queryIn(s.w.tx, numbers, named(func(x *subject, name string) { x.ids[name], s.byID[name] = true, x }),
			`SELECT text_id, name FROM ids WHERE text_id IN (%s)`),
		queryIn(s.w.tx, numbers, named(func(x *subject, name string) { x.groups[name] = true }),
			`SELECT text_id, name FROM groups WHERE text_id IN (%s)`),
		queryIn(s.w.tx, numbers, s.target, `SELECT text_id, id, target FROM targets WHERE text_id IN (%s)`),
		s.w.labelsOf(numbers, func(e *Event) {
			x := s.byNumber[e.TextID]
			x.labels = append(x.labels, *e)
		}),
	)
}

func (s *subjects) target(scan func(...any) error) error {
	var text, id int64
	var target string
	err := scan(&text, &id, &target)
	if err == nil {
		x := s.byNumber[text]
		x.targets[target] = id
		x.last = max(x.last, id)
	}
	return err
}

// eventsOfTexts does not ask for a kind: SQLite would go through all labels that there
// are, since they are in order, instead of those of the texts.
const eventsOfTexts = `SELECT ` + eventColumns + ` FROM events WHERE text_id IN (%s) ORDER BY seq`

// labelsOf calls each for the labels of texts, by number for each text.
func (t *tx) labelsOf(texts []int64, each func(*Event)) error {
	return queryIn(t, texts, func(scan func(...any) error) error {
		var e Event
		err := scanEvent(scan, &e)
		if err == nil && e.Kind == KindLabel {
			each(&e)
		}
		return err
	}, eventsOfTexts)
}

// find returns the text that an item names, nil if it is new.
func (s *subjects) find(text, id string) (*subject, error) {
	byID := s.byID[id]
	if text == "" {
		if byID == nil {
			return nil, fmt.Errorf("%w: no text has this id", ErrNotFound)
		}
		return byID, nil
	}
	d := digest(s.w.salt, text)
	if s.forgotten[d] {
		return nil, ErrForgotten
	}
	x := s.byDigest[d]
	if byID != nil && byID != x {
		return nil, fmt.Errorf("%w: the id names another text", ErrConflict)
	}
	return x, nil
}

// make gathers what an item adds to its text, which is nil if it is new, for the
// next event.
func (s *subjects) make(x *subject, text, id, group, target string) (*subject, int64) {
	w := s.w
	if x == nil {
		x = s.add(w.text(text), digest(w.salt, text))
	}
	if id != "" && !x.ids[id] {
		x.ids[id], s.byID[id] = true, x
		w.add("ids", id, x.id, w.last+1)
	}
	if group != "" && !x.groups[group] {
		x.groups[group] = true
		w.add("groups", group, x.id, w.last+1)
	}
	if target != "" && x.targets[target] == 0 {
		x.last++
		x.targets[target] = x.last
		w.add("targets", x.id, x.last, target)
	}
	return x, x.targets[target]
}
