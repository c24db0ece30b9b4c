package ledger

import (
	"context"
	"time"
)

// Tombstones are what is left of forgotten texts, and how to recognise them.
type Tombstones struct {
	salt []byte
	list []Tombstone
	seqs map[Digest]int64
}

// A Tombstone is what is left of a text.
type Tombstone struct {
	Digest Digest
	Seq    int64     // the event that forgot it
	Time   time.Time // when
	Reason string
}

// Tombstones returns those of all texts that were forgotten.
func (l *Ledger) Tombstones(ctx context.Context) (*Tombstones, error) {
	s := &Tombstones{seqs: map[Digest]int64{}}
	err := l.read(ctx, func(t *tx) error {
		m, err := t.meta()
		if err != nil {
			return err
		}
		s.salt = m.salt
		return t.query(s.scan, `SELECT t.digest, t.seq, e.recorded, e.details FROM tombstones t JOIN events e ON e.seq = t.seq ORDER BY t.seq`)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Tombstones) scan(scan func(...any) error) error {
	var d []byte
	var at int64
	var kept string
	x := Tombstone{}
	if err := scan(&d, &x.Seq, &at, &kept); err != nil {
		return err
	}
	about, err := parseDetails(kept)
	x.Digest, x.Time, x.Reason = Digest(d), fromMicros(at), about.Reason
	s.list = append(s.list, x)
	s.seqs[x.Digest] = x.Seq
	return err
}

// Has reports whether a text was forgotten.
func (s *Tombstones) Has(text string) bool { return s.HasDigest(s.Digest(text)) }

// HasDigest reports whether the text behind a digest was forgotten.
func (s *Tombstones) HasDigest(d Digest) bool {
	_, has := s.seqs[d]
	return has
}

// Digest is that of a text, forgotten or not, under the ledger's salt.
func (s *Tombstones) Digest(text string) Digest { return digest(s.salt, text) }

// List are all, in the order in which texts were forgotten. It must not be changed.
func (s *Tombstones) List() []Tombstone { return s.list }
