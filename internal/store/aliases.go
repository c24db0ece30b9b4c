package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Aliases with a meaning of their own.
const (
	Live   = "live"   // answers unless a caller asks for another
	Shadow = "shadow" // answers beside it, unseen
)

// An Alias points to a revision.
type Alias struct {
	Name     string    `json:"alias"`
	Revision string    `json:"revision"`
	Previous string    `json:"previous,omitempty"` // the newest before that was not withdrawn; "" for none
	Time     time.Time `json:"time"`               // of the move
	Reason   string    `json:"reason,omitempty"`
}

// A State is where the aliases of a model point. It must not be changed.
type State struct {
	// Etag changes whenever an alias moves, and never comes back.
	Etag    string
	Aliases map[string]Alias // by name

	entry entry
}

// Sorted are the aliases by name.
func (s *State) Sorted() []Alias {
	list := []Alias{}
	for _, name := range slices.Sorted(maps.Keys(s.Aliases)) {
		list = append(list, s.Aliases[name])
	}
	return list
}

// NoEtag is the etag of a model of which no alias has ever moved.
const NoEtag = "0"

// State returns where the aliases of a model point: one listing of one key, and
// one read if they moved since this Store looked. A model without any has an
// empty state.
func (s *Store) State(ctx context.Context, name string) (State, error) {
	if err := checkModel(name); err != nil {
		return State{}, err
	}
	e, err := s.newest(ctx, name)
	if err != nil {
		return State{}, err
	}
	return State{e.Etag, e.Aliases, e}, nil
}

func (s *State) removing(revision string) bool {
	return slices.Contains(s.entry.Removing, revision)
}

// Alias returns where an alias points, or ErrNotFound.
func (s *Store) Alias(ctx context.Context, name, alias string) (Alias, error) {
	if err := checkAlias(alias); err != nil {
		return Alias{}, err
	}
	state, err := s.State(ctx, name)
	if err != nil {
		return Alias{}, err
	}
	return s.alias(state, name, alias)
}

func (s *Store) alias(state State, name, alias string) (Alias, error) {
	a, found := state.Aliases[alias]
	if !found {
		return Alias{}, fmt.Errorf("%s: model %s: alias %q: %w", s, name, alias, ErrNotFound)
	}
	return a, nil
}

// SetAlias points an alias to a revision and returns the state after it. Unless
// etag is empty, it must be that of the model's state: of several callers with
// the same etag one succeeds, the others have ErrEtagMismatch. To point an alias
// where it points already changes nothing. A revision that was withdrawn is
// ErrWithdrawn. After ErrUnavailable the alias may have moved.
func (s *Store) SetAlias(ctx context.Context, name, alias, revision, etag, reason string) (State, error) {
	if err := checkRevision(revision); err != nil {
		return State{}, err
	}
	return s.move(ctx, name, alias, etag, reason, func(State) (string, error) { return revision, nil })
}

// Rollback points an alias to the revision that it pointed to before its last
// move, as SetAlias does; so a second one undoes the first. If that revision was
// withdrawn, it is the newest before that was not. An alias without such a one has
// ErrNoPrevious.
func (s *Store) Rollback(ctx context.Context, name, alias, etag, reason string) (State, error) {
	return s.move(ctx, name, alias, etag, reason, func(state State) (string, error) {
		return s.RollbackTarget(ctx, state, name, alias)
	})
}

// RemoveAlias takes an alias away, as SetAlias moves it; one that is not there is
// ErrNotFound.
func (s *Store) RemoveAlias(ctx context.Context, name, alias, etag, reason string) (State, error) {
	return s.move(ctx, name, alias, etag, reason, func(state State) (string, error) {
		_, err := s.alias(state, name, alias)
		return "", err
	})
}

// move points an alias to where target says, "" for nowhere.
func (s *Store) move(ctx context.Context, name, alias, etag, reason string, target func(State) (string, error)) (State, error) {
	if err := errors.Join(checkModel(name), checkAlias(alias), checkText("reason", reason)); err != nil {
		return State{}, err
	}
	for {
		state, err := s.tryMove(ctx, name, alias, etag, reason, target)
		if !errors.Is(err, errExists) { // else another was faster: look again
			return state, err
		}
	}
}

// tryMove is move against the state of now; errExists if that has passed.
func (s *Store) tryMove(ctx context.Context, name, alias, etag, reason string, target func(State) (string, error)) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, addTimeout)
	defer cancel()
	state, err := s.State(ctx, name)
	if err != nil {
		return State{}, err
	}
	if etag != "" && etag != state.Etag {
		return State{}, fmt.Errorf("%s: model %s: %w: want %s, it is %s", s, name, ErrEtagMismatch, etag, state.Etag)
	}
	revision, err := target(state)
	if err == nil {
		err = s.errWithdrawn(name, revision, &state.entry)
	}
	if err != nil {
		return State{}, err
	}
	if revision == state.Aliases[alias].Revision {
		return state, nil
	}
	if err := s.checkTarget(ctx, name, state, alias, revision); err != nil {
		return State{}, err
	}
	next, err := s.add(ctx, name, state.entry.moved(alias, revision, reason, s.now()))
	return State{next.Etag, next.Aliases, next}, err
}

// checkTarget refuses revisions that are not there or are going.
func (s *Store) checkTarget(ctx context.Context, name string, state State, alias, revision string) error {
	if revision == "" {
		return nil
	}
	if state.removing(revision) {
		return fmt.Errorf("%s: model %s: revision %s: %w", s, name, revision, ErrBusy)
	}
	if _, has := state.Aliases[alias]; !has && len(state.Aliases) == MaxAliases {
		return fmt.Errorf("%s: model %s: %w: it has %d aliases, the limit", s, name, ErrInvalid, MaxAliases)
	}
	_, err := s.Card(ctx, name, revision)
	return err
}

// moved is the entry after e in which an alias points elsewhere.
func (e entry) moved(alias, revision, reason string, at time.Time) entry {
	next := e.next(at)
	from := e.Aliases[alias]
	next.Etag = fmt.Sprintf("%d-%s", next.Number, next.ID[:8])
	next.Aliases = maps.Clone(e.Aliases)
	if next.Aliases == nil {
		next.Aliases = map[string]Alias{}
	}
	next.Change = &Move{Alias: alias, From: from.Revision, To: revision, Time: next.Time, Reason: reason, Etag: next.Etag}
	if revision == "" {
		delete(next.Aliases, alias)
	} else {
		next.Aliases[alias] = Alias{alias, revision, e.before(from, revision), next.Time, reason}
	}
	return next
}

// before is where an alias rolls back to once it has moved to another revision.
func (e *entry) before(from Alias, to string) string {
	switch {
	case e.withdrawn(from.Revision) == nil:
		return from.Revision
	case from.Previous == to:
		return ""
	}
	return from.Previous
}

// add writes the entry that follows the newest one. It is errExists if there is
// one already that is not this one, which an answer that was lost can leave.
func (s *Store) add(ctx context.Context, name string, e entry) (entry, error) {
	data := encode(e)
	err := s.bucket.create(ctx, e.key(name), data)
	if err != nil {
		written, readErr := s.bucket.get(ctx, e.key(name), maxJSON)
		switch {
		case readErr == nil && bytes.Equal(written, data):
			err = nil
		case readErr == nil:
			err = errExists
		}
	}
	if err != nil {
		return entry{}, err
	}
	s.remember(name, e)
	return e, nil
}

// addTimeout bounds the time from reading the log to adding to it. GC removes no
// entry that is younger than MinAge, so a slow writer cannot take the place of
// one that is gone.
const addTimeout = 2 * time.Minute
