package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/parley-nlp/parley/internal/model"
)

// atOnce is how many objects are read at the same time.
const atOnce = 8

// Models returns the names of the models that have revisions, ascending.
func (s *Store) Models(ctx context.Context) ([]string, error) {
	folders, err := s.bucket.list(ctx, "models/", 0)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range folders {
		name := strings.TrimSuffix(f.name, "/")
		if checkModel(name) != nil {
			continue
		}
		cards, err := s.bucket.list(ctx, modelPrefix(name)+"cards/", 1)
		if err != nil {
			return nil, err
		}
		if len(cards) > 0 {
			names = append(names, name)
		}
	}
	return names, nil
}

// Revisions returns the cards of a model's revisions, newest first. Damaged ones
// are left out and told of by an ErrCorrupt, beside those that can be read.
func (s *Store) Revisions(ctx context.Context, name string) ([]Card, error) {
	ids, err := s.revisions(ctx, name, "")
	if err != nil {
		return nil, err
	}
	cards, errs := make([]Card, len(ids)), make([]error, len(ids))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, id := range ids {
		group.Go(func() error {
			cards[i], errs[i] = s.Card(ctx, name, id)
			return nil
		})
	}
	group.Wait() // the errors are in errs
	for _, err := range errs {
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, ErrNotFound) }) // removed meanwhile
	cards = slices.DeleteFunc(cards, func(c Card) bool { return c.Revision == "" })
	slices.SortStableFunc(cards, func(a, b Card) int { return b.Published.Compare(a.Published) })
	return cards, errors.Join(errs...)
}

// IDs returns the revisions of a model, ascending, without reading their cards.
func (s *Store) IDs(ctx context.Context, name string) ([]string, error) {
	return s.revisions(ctx, name, "")
}

// revisions lists the revisions that begin with prefix, ascending.
func (s *Store) revisions(ctx context.Context, name, prefix string) ([]string, error) {
	if err := checkModel(name); err != nil {
		return nil, err
	}
	list, err := s.bucket.list(ctx, modelPrefix(name)+"cards/"+prefix, 0)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, o := range list {
		id := prefix + strings.TrimSuffix(o.name, ".json")
		if checkRevision(id) == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Resolve returns the revision that ref means: an alias, or the beginning of a
// revision, of at least four digits.
func (s *Store) Resolve(ctx context.Context, name, ref string) (string, error) {
	if err := checkModel(name); err != nil {
		return "", err
	}
	if checkRevision(ref) == nil {
		_, err := s.Card(ctx, name, ref)
		return ref, err
	}
	if checkAlias(ref) == nil {
		a, err := s.Alias(ctx, name, ref)
		if !errors.Is(err, ErrNotFound) {
			return a.Revision, err
		}
	}
	if len(ref) < 4 || len(ref) > 64 || strings.Trim(ref, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%s: model %s: alias or revision %q: %w", s, name, ref, ErrNotFound)
	}
	ids, err := s.revisions(ctx, name, ref)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", fmt.Errorf("%s: model %s: alias or revision %q: %w", s, name, ref, ErrNotFound)
	case len(ids) > 1:
		return "", fmt.Errorf("%s: model %s: revision %q: %w: %d begin so, among them %s and %s", s, name, ref, ErrAmbiguous, len(ids), ids[0], ids[1])
	}
	return ids[0], nil
}

// Load reads a revision whole, compares its SHA-256 with its name, parses it and
// runs its self-test. It is ErrNotFound if there is no such revision, ErrCorrupt
// if its file is missing or damaged, ErrIncompatible if this program cannot use
// it, and ErrUnavailable if the store is to blame.
func (s *Store) Load(ctx context.Context, name, revision string) (*model.Model, error) {
	card, err := s.Card(ctx, name, revision)
	if err != nil {
		return nil, err
	}
	key := fileKey(name, revision)
	data, err := s.bucket.get(ctx, key, MaxModelBytes)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%s: %s: %w: the file is missing", s, key, ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != card.Bytes {
		return nil, fmt.Errorf("%s: %s: %w: %d bytes: its card says %d", s, key, ErrCorrupt, len(data), card.Bytes)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != revision {
		return nil, fmt.Errorf("%s: %s: %w: its SHA-256 is %x", s, key, ErrCorrupt, sum)
	}
	m, err := model.Parse(data)
	if err != nil { // as it was written: what follows is no damage
		return nil, fmt.Errorf("%s: %s: %w: %w", s, key, ErrIncompatible, err)
	}
	return m, nil
}

// Verify does what Load does, and compares the card with the file. It returns
// the card.
func (s *Store) Verify(ctx context.Context, name, revision string) (Card, error) {
	card, err := s.Card(ctx, name, revision)
	if err != nil {
		return Card{}, err
	}
	m, err := s.Load(ctx, name, revision)
	if err != nil {
		return card, err
	}
	want := newCard(name, m, card.Provenance)
	want.Published = card.Published
	if string(encode(want)) != string(encode(card)) {
		return card, fmt.Errorf("%s: %s: %w: it says otherwise than the model file", s, cardKey(name, revision), ErrCorrupt)
	}
	return card, nil
}
