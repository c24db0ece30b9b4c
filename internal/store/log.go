package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// An entry of the log of a model's aliases says where all of them point. Entries
// are numbered from 1; the zero entry stands before them.
type entry struct {
	Number uint64    `json:"number"`
	ID     string    `json:"id"` // random: tells entries of the same number apart
	Time   time.Time `json:"time"`
	Etag   string    `json:"etag"`
	// Change is the move that made the entry.
	Change  *Move            `json:"change,omitempty"`
	Aliases map[string]Alias `json:"aliases"`
	// Removing are the revisions that GC has begun to remove.
	Removing      []string  `json:"removing,omitempty"`
	RemovingSince time.Time `json:"removing_since,omitzero"`
	// Withdrawn are the revisions that may no longer answer.
	Withdrawn []Withdrawal `json:"withdrawn,omitempty"`
}

// A Move is one move of an alias.
type Move struct {
	Alias  string    `json:"alias"`
	From   string    `json:"from,omitempty"` // "": it was new
	To     string    `json:"to,omitempty"`   // "": it was removed
	Time   time.Time `json:"time"`
	Reason string    `json:"reason,omitempty"`
	Etag   string    `json:"etag"` // of the model after it
}

// next is the entry after e, in which nothing but the time has changed yet.
func (e entry) next(at time.Time) entry {
	next := e
	next.Number, next.ID, next.Time, next.Change = e.Number+1, rand.Text(), at, nil
	return next
}

func logPrefix(name string) string { return modelPrefix(name) + "aliases/" }

func (e entry) key(name string) string { return logPrefix(name) + entryName(e.Number) }

// lastNumber is the highest number of an entry.
const lastNumber = 999_999_999_999

// entryName counts down, so that the newest entry is listed first.
func entryName(number uint64) string { return fmt.Sprintf("%012d.json", lastNumber-number) }

// entryNumber is the inverse of entryName.
func entryNumber(name string) (uint64, error) {
	digits, found := strings.CutSuffix(name, ".json")
	n, err := strconv.ParseUint(digits, 10, 64)
	if !found || err != nil || n >= lastNumber || entryName(lastNumber-n) != name {
		return 0, errors.New("not an entry of the log")
	}
	return lastNumber - n, nil
}

// newest returns the newest entry.
func (s *Store) newest(ctx context.Context, name string) (entry, error) {
	list, err := s.bucket.list(ctx, logPrefix(name), 1)
	if err != nil {
		return entry{}, err
	}
	if len(list) == 0 {
		return entry{Etag: NoEtag}, nil
	}
	number, err := entryNumber(list[0].name)
	if err != nil {
		return entry{}, fmt.Errorf("%s: %s%s: %w: %w", s, logPrefix(name), list[0].name, ErrCorrupt, err)
	}
	s.mu.Lock()
	e := s.logs[name]
	s.mu.Unlock()
	if e.Number == number {
		return e, nil
	}
	e, err = s.entry(ctx, name, number)
	if err == nil {
		s.remember(name, e)
	}
	return e, err
}

// entry reads an entry.
func (s *Store) entry(ctx context.Context, name string, number uint64) (entry, error) {
	key := entry{Number: number}.key(name)
	data, err := s.bucket.get(ctx, key, maxJSON)
	if err != nil {
		return entry{}, err
	}
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return entry{}, fmt.Errorf("%s: %s: %w: %w", s, key, ErrCorrupt, err)
	}
	if err := e.check(number); err != nil {
		return entry{}, fmt.Errorf("%s: %s: %w: %w", s, key, ErrCorrupt, err)
	}
	return e, nil
}

func (e *entry) check(number uint64) error {
	if e.Number != number || e.ID == "" || e.Etag == "" {
		return fmt.Errorf("it is numbered %d, with etag %q", e.Number, e.Etag)
	}
	for name, a := range e.Aliases {
		if err := errors.Join(checkAlias(name), checkRevision(a.Revision)); err != nil || a.Name != name {
			return fmt.Errorf("alias %q points to %q", name, a.Revision)
		}
	}
	for _, w := range e.Withdrawn {
		if !slices.IsSorted(w.Revisions) {
			return errors.New("its withdrawn revisions have no order")
		}
	}
	return nil
}

// remember keeps the newest entry that was read.
func (s *Store) remember(name string, e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Number > s.logs[name].Number {
		s.logs[name] = e
	}
}

// History returns the last moves of an alias, newest first, at most limit of
// them. Moves that GC has removed from the log are gone.
func (s *Store) History(ctx context.Context, name, alias string, limit int) ([]Move, error) {
	if err := errors.Join(checkModel(name), checkAlias(alias)); err != nil {
		return nil, err
	}
	entries, err := s.entries(ctx, name)
	if err != nil {
		return nil, err
	}
	var moves []Move
	for _, e := range entries {
		if e.Change != nil && e.Change.Alias == alias && len(moves) < limit {
			moves = append(moves, *e.Change)
		}
	}
	return moves, nil
}

// entries reads the log, newest first.
func (s *Store) entries(ctx context.Context, name string) ([]entry, error) {
	list, err := s.bucket.list(ctx, logPrefix(name), 0)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, len(list))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, o := range list {
		group.Go(func() error {
			number, err := entryNumber(o.name)
			if err != nil {
				return fmt.Errorf("%s: %s%s: %w: %w", s, logPrefix(name), o.name, ErrCorrupt, err)
			}
			entries[i], err = s.entry(ctx, name, number)
			if errors.Is(err, ErrNotFound) {
				return nil // GC removed it meanwhile
			}
			return err
		})
	}
	err = group.Wait()
	return slices.DeleteFunc(entries, func(e entry) bool { return e.Number == 0 }), err
}
