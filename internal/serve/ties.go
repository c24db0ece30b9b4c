package serve

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/parley-nlp/parley/internal/ledger"
)

// ties are the conflicts of a ledger at one position, kept for the next page: to find
// them the whole ledger must be read.
type ties struct {
	turn     chan struct{} // whoever fills it may find and change what is kept
	position int64         // that they are of
	seen     int64         // up to where nothing was forgotten since
	list     []ledger.Conflict
	used     time.Time // zero: nothing is kept
}

// maxTiesAge is how long conflicts are kept for another page.
const maxTiesAge = time.Minute

func newTies() ties { return ties{turn: make(chan struct{}, 1)} }

// at returns the conflicts at a position, by the number of their first vote. One call
// at a time reads the ledger for it.
func (t *ties) at(ctx context.Context, l *ledger.Ledger, position int64) ([]ledger.Conflict, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-t.turn }()
	if keep, err := t.isFresh(ctx, l, position); err != nil {
		return nil, err
	} else if keep {
		t.used = time.Now()
		return t.list, nil
	}
	now, err := l.Position(ctx)
	if err != nil {
		return nil, err
	}
	if position == 0 {
		return nil, nil // an empty ledger; to Resolve it would mean "now"
	}
	r, err := l.Resolve(ctx, position)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(r.Conflicts, func(a, b ledger.Conflict) int { return cmp.Compare(a.Votes[0].Seq, b.Votes[0].Seq) })
	t.position, t.seen, t.list, t.used = position, now, r.Conflicts, time.Now()
	return t.list, nil
}

// isFresh reports whether what is kept is of that position, and none of its texts was
// forgotten since.
func (t *ties) isFresh(ctx context.Context, l *ledger.Ledger, position int64) (bool, error) {
	if t.used.IsZero() || t.position != position {
		return false, nil
	}
	forgotten, err := l.Events(ctx, ledger.Query{Kind: ledger.KindForget, After: t.seen, Limit: 1})
	return len(forgotten) == 0, err
}

// dropOld lets go of what nobody has asked for lately, and of forgotten texts with it.
func (t *ties) dropOld() {
	select {
	case t.turn <- struct{}{}:
	default:
		return // in use
	}
	defer func() { <-t.turn }()
	if time.Since(t.used) > maxTiesAge {
		t.drop()
	}
}

// forget lets go of everything, once a call that reads it is through. If ctx ends
// first, what is kept goes later: it is not fresh any more.
func (t *ties) forget(ctx context.Context) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-t.turn }()
	t.drop()
}

func (t *ties) drop() { t.list, t.used = nil, time.Time{} }
