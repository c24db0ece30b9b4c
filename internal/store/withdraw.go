package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Withdrawal is revisions that may no longer answer, such as those that were
// trained on a text that is to be forgotten.
type Withdrawal struct {
	Revisions []string  `json:"revisions"` // ascending
	Time      time.Time `json:"time"`
	Reason    string    `json:"reason"`
}

// MaxWithdrawn is how many withdrawn revisions of a model are remembered. Beyond
// that the store forgets first those that GC removed long ago.
const MaxWithdrawn = 10_000

// Withdrawn is the withdrawal of a revision, nil if it has not been withdrawn.
func (s *State) Withdrawn(revision string) *Withdrawal { return s.entry.withdrawn(revision) }

// Withdrawals are all of the model, oldest first.
func (s *State) Withdrawals() []Withdrawal { return slices.Clone(s.entry.Withdrawn) }

func (e *entry) withdrawn(revision string) *Withdrawal {
	for i := range e.Withdrawn {
		if _, found := slices.BinarySearch(e.Withdrawn[i].Revisions, revision); found {
			return &e.Withdrawn[i]
		}
	}
	return nil
}

// A WithdrawnError is an ErrWithdrawn about a revision.
type WithdrawnError struct{ Revision, Reason string }

func (e *WithdrawnError) Error() string {
	return fmt.Sprintf("revision %s: %v: %s", e.Revision, ErrWithdrawn, e.Reason)
}

// Is implements errors.Is.
func (e *WithdrawnError) Is(target error) bool { return target == ErrWithdrawn }

// errWithdrawn is the error of a move to a withdrawn revision, or of publishing
// it; nil if it is not.
func (s *Store) errWithdrawn(name, revision string, e *entry) error {
	if w := e.withdrawn(revision); w != nil {
		return fmt.Errorf("%s: model %s: %w", s, name, &WithdrawnError{revision, w.Reason})
	}
	return nil
}

// Withdraw takes revisions out of use for good and returns the state after it: no
// alias can be pointed to them any more, a rollback passes them over, and they
// cannot be published again, even after GC has removed them. An alias that points
// to one goes on answering until it is moved, and GC keeps it until then.
//
// It is an entry in the log of aliases: a promotion at the same time either comes
// before it, and its alias then points to a withdrawn revision, as the state
// tells, or is refused. A revision need not be in the store; one that has been
// withdrawn already keeps its first reason. Aliases do not move, so the etag stays.
func (s *Store) Withdraw(ctx context.Context, name string, revisions []string, reason string) (State, error) {
	if err := errors.Join(checkModel(name), checkText("reason", reason)); err != nil {
		return State{}, err
	}
	if reason == "" {
		return State{}, fmt.Errorf("%w: a withdrawal without a reason", ErrInvalid)
	}
	for _, r := range revisions {
		if err := checkRevision(r); err != nil {
			return State{}, err
		}
	}
	for {
		state, err := s.tryWithdraw(ctx, name, revisions, reason)
		if !errors.Is(err, errExists) { // else an alias moved meanwhile: look again
			return state, err
		}
	}
}

func (s *Store) tryWithdraw(ctx context.Context, name string, revisions []string, reason string) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, addTimeout)
	defer cancel()
	state, err := s.State(ctx, name)
	if err != nil {
		return State{}, err
	}
	fresh := slices.DeleteFunc(slices.Clone(revisions), func(r string) bool { return state.Withdrawn(r) != nil })
	if len(fresh) == 0 {
		return state, nil
	}
	if err := s.markWithdrawals(ctx); err != nil {
		return State{}, err
	}
	slices.Sort(fresh)
	next := state.entry.next(s.now())
	if next.Number == 1 {
		next.Etag = NoEtag // no alias has moved yet
	}
	next.Withdrawn = append(slices.Clip(next.Withdrawn), Withdrawal{slices.Compact(fresh), next.Time, reason})
	if err := s.passOver(ctx, name, &next); err != nil {
		return State{}, err
	}
	if next.Withdrawn, err = s.bounded(ctx, name, next.Withdrawn); err != nil {
		return State{}, err
	}
	next, err = s.add(ctx, name, next)
	return State{next.Etag, next.Aliases, next}, err
}

// passOver makes e's aliases roll back to the newest revision before that has not
// been withdrawn. Who rolls back is in a hurry: an older revision that once
// answered is of more use than a refusal, and the state says beforehand which one
// it is. What the alias says, GC keeps and servers hold.
func (s *Store) passOver(ctx context.Context, name string, e *entry) error {
	var log []entry
	there := map[string]bool{}
	for _, a := range e.Aliases {
		if a.Previous == "" || e.withdrawn(a.Previous) == nil {
			continue
		}
		if log == nil {
			var err error
			if log, err = s.entries(ctx, name); err != nil {
				return err
			}
			ids, err := s.revisions(ctx, name, "")
			if err != nil {
				return err
			}
			for _, id := range ids {
				there[id] = !slices.Contains(e.Removing, id)
			}
			e.Aliases = maps.Clone(e.Aliases)
		}
		a.Previous = e.earlier(log, a, there)
		e.Aliases[a.Name] = a
	}
	return nil
}

// earlier is the newest revision of those that are there that an alias pointed to
// before, by the log, newest first, and that has not been withdrawn; "" for none.
func (e *entry) earlier(log []entry, a Alias, there map[string]bool) string {
	for _, past := range log {
		if past.Change == nil || past.Change.Alias != a.Name {
			continue
		}
		if from := past.Change.From; there[from] && from != a.Revision && e.withdrawn(from) == nil {
			return from
		}
	}
	return ""
}

// bounded leaves out of a list that is too long the oldest revisions that are no
// longer in the store.
func (s *Store) bounded(ctx context.Context, name string, list []Withdrawal) ([]Withdrawal, error) {
	excess := -MaxWithdrawn
	for _, w := range list {
		excess += len(w.Revisions)
	}
	if excess <= 0 {
		return list, nil
	}
	ids, err := s.revisions(ctx, name, "")
	if err != nil {
		return nil, err
	}
	var kept []Withdrawal
	for i, w := range list {
		w.Revisions = slices.DeleteFunc(slices.Clone(w.Revisions), func(r string) bool {
			_, there := slices.BinarySearch(ids, r)
			gone := excess > 0 && !there && i < len(list)-1
			if gone {
				excess--
			}
			return gone
		})
		if len(w.Revisions) > 0 {
			kept = append(kept, w)
		}
	}
	if excess > 0 {
		return nil, fmt.Errorf("%s: model %s: %w: more than %d withdrawn revisions: remove those that no alias needs first", s, name, ErrInvalid, MaxWithdrawn)
	}
	return kept, nil
}

// errNoPrevious says why an alias has nothing to roll back to: it has pointed to
// one revision only, or those before have been withdrawn, which is ErrWithdrawn
// too.
func (s *Store) errNoPrevious(ctx context.Context, state *State, name, alias string) error {
	moves, err := s.History(ctx, name, alias, lastNumber)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if w := state.Withdrawn(m.From); w != nil && m.From != state.Aliases[alias].Revision {
			return fmt.Errorf("%s: model %s: alias %q: %w: %w", s, name, alias, ErrNoPrevious, &WithdrawnError{m.From, w.Reason})
		}
	}
	return fmt.Errorf("%s: model %s: alias %q: %w", s, name, alias, ErrNoPrevious)
}

// RollbackTarget is the revision that Rollback would point an alias to, in a state
// of the model, or the error that it would return.
func (s *Store) RollbackTarget(ctx context.Context, state State, name, alias string) (string, error) {
	a, err := s.alias(state, name, alias)
	if err == nil && a.Previous == "" {
		err = s.errNoPrevious(ctx, &state, name, alias)
	}
	return a.Previous, err
}
