package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// A Resolution is what a ledger says at a position: the rows to train on, and what
// is not among them.
type Resolution struct {
	Position    int64
	Rows        []Row      // by text, then target
	Conflicts   []Conflict // by text, target and head
	Quarantined []Held     // by number
	Remaps      []Remap    // in the order in which they apply
}

// A Row is a text, under one target, with its labels.
type Row struct {
	TextID                  int64
	Text, ID, Group, Target string // ID and Group are the first that were given
	Labels                  map[string]Settled
	// Selection is how the text came to be labelled first, with what probability.
	Selection            Selection
	SelectionProbability float64
}

// Settled is the label that a text has under a head.
type Settled struct {
	Label       string
	Seqs        []int64 // events that say so, ascending
	Votes, Of   int     // annotators who say so, of those who say anything
	Annotators  []string
	Sources     []string // ascending, each once
	Adjudicated bool
	Confirmed   bool // one of Seqs was in quarantine and was confirmed
	// Selection is Random if a vote is of a text drawn at random, else that of the
	// first vote.
	Selection            Selection
	SelectionProbability float64
	Time                 time.Time // of the newest vote
}

// A Conflict is a text under a head whose labels have no majority.
type Conflict struct {
	TextID                  int64
	Text, ID, Group, Target string
	Head                    string
	Votes                   []Vote // by number
}

// A Vote is what an annotator says of a text under a head.
type Vote struct {
	Seq               int64
	Label             string // after remaps
	Annotator, Source string
	Time              time.Time
}

// Held is a label in quarantine.
type Held struct {
	Seq                            int64
	TextID                         int64
	Text, ID, Group, Target        string
	Head, Label, Annotator, Source string
	Surprise                       float64 // nats
	Reason                         string
	Selection                      Selection
	Time                           time.Time
}

// Resolve returns what the ledger says at a position, 0 for now, without the texts
// that were forgotten since. The rule is in the package's documentation. The same
// position has the same resolution for as long as nothing is forgotten.
func (l *Ledger) Resolve(ctx context.Context, at int64) (*Resolution, error) {
	var r *Resolution
	err := l.read(ctx, func(t *tx) error {
		now, err := t.position()
		if err != nil {
			return err
		}
		if at < 0 || at > now {
			return fmt.Errorf("%w: position %d: the ledger is at %d", ErrInvalid, at, now)
		}
		s := &resolver{tx: t, at: cmp.Or(at, now)}
		r = &s.Resolution
		return s.resolve()
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// A resolver goes through the labels of one text, target and head after the other.
type resolver struct {
	*tx
	Resolution
	at        int64
	remaps    remaps
	held      map[int64]details // labels that were ever in quarantine
	confirmed map[int64]bool
	ballot    []Event // the labels of one text, target and head, by number
	lastRow   Event   // what the last of Rows is about: text and target
	targets   []int64 // by row, held and conflict: numbers until the names are read
	heldAt    []int64
	tiedAt    []int64
}

func (s *resolver) resolve() (err error) {
	s.Position = s.at
	if s.remaps, err = s.tx.remaps(s.at); err != nil {
		return err
	}
	s.Remaps = s.remaps
	if err := s.readQuarantine(); err != nil {
		return err
	}
	err = s.query(func(scan func(...any) error) error {
		var e Event
		if err := scanEvent(scan, &e); err != nil {
			return err
		}
		if n := len(s.ballot); n > 0 && !sameBallot(&s.ballot[n-1], &e) {
			s.count()
		}
		s.ballot = append(s.ballot, e)
		return nil
	}, `SELECT `+eventColumns+` FROM events WHERE kind = 'label' AND seq <= ? AND text_id IN (SELECT id FROM texts)
		ORDER BY text_id, target_id, head, seq`, s.at)
	if err != nil {
		return err
	}
	s.count()
	return s.name()
}

func sameBallot(a, b *Event) bool {
	return a.TextID == b.TextID && a.TargetID == b.TargetID && a.Head == b.Head
}

// readQuarantine reads which labels were held back and which were let go.
func (s *resolver) readQuarantine() error {
	s.held, s.confirmed = map[int64]details{}, map[int64]bool{}
	return s.query(func(scan func(...any) error) error {
		var kind, kept string
		var ref int64
		if err := scan(&kind, &ref, &kept); err != nil {
			return err
		}
		if kind == KindConfirm {
			s.confirmed[ref] = true
			return nil
		}
		d, err := parseDetails(kept)
		s.held[ref] = d
		return err
	}, `SELECT kind, ref, details FROM events WHERE kind IN ('quarantine', 'confirm') AND seq <= ? ORDER BY seq`, s.at)
}

// A voter is an annotator's newest label, and what it says.
type voter struct {
	*Event
	label string // after remaps
}

// count settles the ballot, and clears it.
func (s *resolver) count() {
	defer func() { s.ballot = s.ballot[:0] }()
	var voters []voter
	for _, e := range newestOfEach(s.ballot) {
		label, void := s.remaps.apply(e)
		switch d, held := s.held[e.Seq]; {
		case label == "" || void:
		case held && !s.confirmed[e.Seq]:
			s.hold(e, label, d)
		default:
			voters = append(voters, voter{e, label})
		}
	}
	if len(voters) == 0 {
		return
	}
	label, settled := elect(voters)
	if !settled {
		s.tie(voters)
		return
	}
	s.settle(label, voters)
}

// newestOfEach returns the newest label of each annotator, by number.
func newestOfEach(ballot []Event) []*Event {
	last := map[string]int{}
	for i := range ballot {
		last[ballot[i].Annotator] = i
	}
	var list []*Event
	for i := range ballot {
		if last[ballot[i].Annotator] == i {
			list = append(list, &ballot[i])
		}
	}
	return list
}

// elect returns the label of the newest adjudication, or the one that most voters
// give; none if several have as many.
func elect(voters []voter) (string, bool) {
	votes := map[string]int{}
	for _, v := range voters {
		votes[v.label]++
	}
	for _, v := range slices.Backward(voters) {
		if v.Adjudicated {
			return v.label, true
		}
	}
	best, tied := "", false
	for _, v := range voters {
		switch n := votes[v.label]; {
		case best == "" || n > votes[best]:
			best, tied = v.label, false
		case v.label != best && n == votes[best]:
			tied = true
		}
	}
	return best, !tied
}

func (s *resolver) settle(label string, voters []voter) {
	e := voters[0].Event
	x := Settled{Label: label, Of: len(voters)}
	for _, v := range voters {
		if v.label != label {
			continue
		}
		if x.Votes == 0 || v.Selection == Random && x.Selection != Random {
			x.Selection, x.SelectionProbability = v.Selection, v.SelectionProbability
		}
		x.Votes++
		x.Seqs, x.Annotators, x.Sources = append(x.Seqs, v.Seq), append(x.Annotators, v.Annotator), append(x.Sources, v.Source)
		x.Adjudicated = x.Adjudicated || v.Adjudicated
		x.Confirmed = x.Confirmed || s.confirmed[v.Seq]
		if v.Time.After(x.Time) {
			x.Time = v.Time
		}
	}
	slices.Sort(x.Annotators)
	slices.Sort(x.Sources)
	x.Sources = slices.Compact(x.Sources)
	s.row(e).Labels[e.Head] = x
}

// row returns the row of an event's text and target, which is the last one or new.
func (s *resolver) row(e *Event) *Row {
	if n := len(s.Rows); n > 0 && s.lastRow.TextID == e.TextID && s.lastRow.TargetID == e.TargetID {
		return &s.Rows[n-1]
	}
	s.lastRow = *e
	s.Rows = append(s.Rows, Row{TextID: e.TextID, Labels: map[string]Settled{}})
	s.targets = append(s.targets, e.TargetID)
	return &s.Rows[len(s.Rows)-1]
}

func (s *resolver) hold(e *Event, label string, d details) {
	s.Quarantined = append(s.Quarantined, Held{Seq: e.Seq, TextID: e.TextID, Head: e.Head, Label: label, Annotator: e.Annotator,
		Source: e.Source, Surprise: d.Surprise, Reason: d.Reason, Selection: e.Selection, Time: e.Time})
	s.heldAt = append(s.heldAt, e.TargetID)
}

func (s *resolver) tie(voters []voter) {
	c := Conflict{TextID: voters[0].TextID, Head: voters[0].Head}
	for _, v := range voters {
		c.Votes = append(c.Votes, Vote{v.Seq, v.label, v.Annotator, v.Source, v.Time})
	}
	s.Conflicts = append(s.Conflicts, c)
	s.tiedAt = append(s.tiedAt, voters[0].TargetID)
}

// name puts texts and names into what was found, and orders it.
func (s *resolver) name() error {
	names, err := s.namesAt()
	if err != nil {
		return err
	}
	first, err := s.firstSelections()
	if err != nil {
		return err
	}
	for i := range s.Rows {
		r := &s.Rows[i]
		n := names[r.TextID]
		r.Text, r.ID, r.Group, r.Target = n.text, n.id, n.group, n.targets[s.targets[i]]
		r.Selection, r.SelectionProbability = first[r.TextID].selection, first[r.TextID].probability
	}
	for i := range s.Quarantined {
		h := &s.Quarantined[i]
		n := names[h.TextID]
		h.Text, h.ID, h.Group, h.Target = n.text, n.id, n.group, n.targets[s.heldAt[i]]
	}
	for i := range s.Conflicts {
		c := &s.Conflicts[i]
		n := names[c.TextID]
		c.Text, c.ID, c.Group, c.Target = n.text, n.id, n.group, n.targets[s.tiedAt[i]]
	}
	slices.SortStableFunc(s.Rows, func(a, b Row) int { return cmp.Or(cmp.Compare(a.TextID, b.TextID), cmp.Compare(a.Target, b.Target)) })
	slices.SortFunc(s.Quarantined, func(a, b Held) int { return cmp.Compare(a.Seq, b.Seq) })
	slices.SortStableFunc(s.Conflicts, func(a, b Conflict) int {
		return cmp.Or(cmp.Compare(a.TextID, b.TextID), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Head, b.Head))
	})
	return nil
}

// namesAt reads all texts that were there at the position, and how they were named
// then.
func (s *resolver) namesAt() (map[int64]*naming, error) {
	found := map[int64]*naming{}
	named := func(set func(n *naming, name string)) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			var id int64
			var name string
			err := scan(&id, &name)
			if n := found[id]; n != nil {
				set(n, name)
			}
			return err
		}
	}
	return found, first(
		s.query(func(scan func(...any) error) error {
			var id int64
			n := &naming{targets: map[int64]string{}}
			err := scan(&id, &n.text)
			found[id] = n
			return err
		}, `SELECT id, text FROM texts WHERE seq <= ?`, s.at),
		s.query(named(func(n *naming, name string) { n.id = orElse(n.id, name) }), `SELECT text_id, name FROM ids WHERE seq <= ? ORDER BY seq, name`, s.at),
		s.query(named(func(n *naming, name string) { n.group = orElse(n.group, name) }), `SELECT text_id, name FROM groups WHERE seq <= ? ORDER BY seq, name`, s.at),
		s.query(func(scan func(...any) error) error {
			var id, number int64
			var name string
			err := scan(&id, &number, &name)
			if n := found[id]; n != nil {
				n.targets[number] = name
			}
			return err
		}, `SELECT text_id, id, target FROM targets`),
	)
}

// A chosen says how a text was.
type chosen struct {
	selection   Selection
	probability float64
}

// firstSelections reads how texts were chosen when they were first labelled.
func (s *resolver) firstSelections() (map[int64]chosen, error) {
	found := map[int64]chosen{}
	return found, s.query(func(scan func(...any) error) error {
		var id int64
		var c chosen
		err := scan(&id, &c.selection, &c.probability)
		found[id] = c
		return err
	}, `SELECT text_id, selection, probability FROM events WHERE seq IN (
			SELECT MIN(seq) FROM events WHERE kind = 'label' AND seq <= ? GROUP BY text_id)`, s.at)
}
