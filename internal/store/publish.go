package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/parley-nlp/parley/internal/model"
)

// Publish makes m a revision of the model of that name and returns its card. One
// that is there already keeps its card; its file is repaired if it is damaged.
//
// One that was withdrawn is ErrWithdrawn. Any number of publishers may run at once. One that is killed leaves no
// revision, but maybe a file that nothing names, which GC removes.
func (s *Store) Publish(ctx context.Context, name string, m *model.Model, about Provenance) (Card, error) {
	return s.publish(ctx, name, m, about, nil)
}

// PublishTrained does what Publish does, and records what the model was trained on
// before there is a revision to be seen. A record that is there stays, as a card
// does.
func (s *Store) PublishTrained(ctx context.Context, name string, m *model.Model, about Provenance, t Training) (Card, error) {
	if err := t.check(); err != nil {
		return Card{}, err
	}
	return s.publish(ctx, name, m, about, &t)
}

// record writes the record of a training, unless there is none to write or one
// there already.
func (s *Store) record(ctx context.Context, name, revision string, t *Training) error {
	if t == nil {
		return nil
	}
	err := s.createTraining(ctx, name, revision, t)
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

func (s *Store) publish(ctx context.Context, name string, m *model.Model, about Provenance, t *Training) (Card, error) {
	if err := errors.Join(checkModel(name), about.check()); err != nil {
		return Card{}, err
	}
	card, err := s.Card(ctx, name, m.Revision())
	switch {
	case err == nil:
		return card, s.publishAgain(ctx, name, m, t)
	case !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrCorrupt):
		return Card{}, err
	}
	damaged := errors.Is(err, ErrCorrupt)
	if err := s.mark(ctx); err != nil {
		return Card{}, err
	}
	// The file is written even if there is one, so that it is new when GC looks
	// at it; and the log is read after it: see GC.
	if err := s.bucket.put(ctx, fileKey(name, m.Revision()), m.Bytes()); err != nil {
		return Card{}, err
	}
	if err := s.record(ctx, name, m.Revision(), t); err != nil {
		return Card{}, err
	}
	state, err := s.State(ctx, name)
	if err == nil {
		err = s.errWithdrawn(name, m.Revision(), &state.entry)
	}
	if err != nil {
		return Card{}, err
	}
	if state.removing(m.Revision()) {
		return Card{}, fmt.Errorf("%s: revision %s: %w: publish it again when that is done", s, m.Revision(), ErrBusy)
	}
	if about.Parent == "" {
		about.Parent = state.Aliases[Live].Revision
	}
	card = newCard(name, m, about)
	card.Published = s.now()
	return s.writeCard(ctx, card, damaged)
}

// writeCard writes a card, in place of a damaged one. If another publisher was
// faster, it returns that one's.
func (s *Store) writeCard(ctx context.Context, card Card, damaged bool) (Card, error) {
	key, data := cardKey(card.Model, card.Revision), encode(card)
	var err error
	if damaged {
		err = s.bucket.put(ctx, key, data)
	} else {
		err = s.bucket.create(ctx, key, data)
	}
	if err == nil || !errors.Is(err, errExists) {
		return card, err
	}
	return created(ctx, func() (Card, error) { return s.Card(ctx, card.Model, card.Revision) })
}

// created reads what another has just created. Some S3 servers refuse to create it
// a moment before they show it.
func created[T any](ctx context.Context, read func() (T, error)) (T, error) {
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		v, err := read()
		if !errors.Is(err, ErrNotFound) || wait > time.Second {
			return v, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}

// publishAgain repairs a revision that is there, unless it was withdrawn.
func (s *Store) publishAgain(ctx context.Context, name string, m *model.Model, t *Training) error {
	state, err := s.State(ctx, name)
	if err != nil {
		return err
	}
	if err := s.errWithdrawn(name, m.Revision(), &state.entry); err != nil {
		return err
	}
	if err := s.record(ctx, name, m.Revision(), t); err != nil {
		return err
	}
	return s.repair(ctx, name, m)
}

// repair writes the file of a revision again unless it is as it should be.
func (s *Store) repair(ctx context.Context, name string, m *model.Model) error {
	key := fileKey(name, m.Revision())
	data, err := s.bucket.get(ctx, key, MaxModelBytes)
	if err == nil && bytes.Equal(data, m.Bytes()) {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrCorrupt) {
		return err
	}
	return s.bucket.put(ctx, key, m.Bytes())
}

// Card returns the card of a revision.
func (s *Store) Card(ctx context.Context, name, revision string) (Card, error) {
	if err := errors.Join(checkModel(name), checkRevision(revision)); err != nil {
		return Card{}, err
	}
	data, err := s.bucket.get(ctx, cardKey(name, revision), maxJSON)
	if errors.Is(err, ErrNotFound) {
		return Card{}, fmt.Errorf("%s: model %s: revision %s: %w", s, name, revision, ErrNotFound)
	}
	if err != nil {
		return Card{}, err
	}
	var c Card
	if err := json.Unmarshal(data, &c); err != nil {
		return Card{}, fmt.Errorf("%s: %s: %w: %w", s, cardKey(name, revision), ErrCorrupt, err)
	}
	if c.Model != name || c.Revision != revision {
		return Card{}, fmt.Errorf("%s: %s: %w: it is about revision %q of model %q", s, cardKey(name, revision), ErrCorrupt, c.Revision, c.Model)
	}
	return c, nil
}
