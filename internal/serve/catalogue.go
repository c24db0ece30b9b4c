package serve

import (
	"context"
	"slices"
	"time"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A catalogue is which revisions the store had when it was last listed: enough to
// tell a call that asks for one that is not in memory that there is such a one,
// without a question to the store for each such call.
type catalogue struct {
	ids  map[string]bool
	time time.Time // of the listing
	// missed says that a call asked for one that is not among them.
	missed bool
}

// maxCatalogueAge is how old the catalogue may be when a call misses something in
// it.
const maxCatalogueAge = time.Minute

// learn lists the store if it has not been listed, or a call missed something and
// that was long ago.
func (k *keeper) learn(ctx context.Context) {
	k.mu.Lock()
	c := k.known
	k.mu.Unlock()
	if c.ids != nil && (!c.missed || time.Since(c.time) < maxCatalogueAge) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	list, err := k.store.Load().IDs(ctx, k.server.cfg.ModelName)
	if err != nil {
		return // a later look will tell
	}
	ids := make(map[string]bool, len(list))
	for _, id := range list {
		ids[id] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = catalogue{ids: ids, time: time.Now()}
}

// stateOf says what a revision that is not in memory is to this server: unspecified
// if it knows of none such, and why it could not be loaded if it could not. id may
// be an alias.
func (k *keeper) stateOf(id string) (parleyv1.RevisionState, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if target, isAlias := k.state.Aliases[id]; isAlias {
		id = target.Revision
	}
	switch f := k.failures[id]; {
	case f != nil: // also while it is tried again
		return parleyv1.RevisionState_REVISION_STATE_FAILED, f.err
	case k.loading == id:
		return parleyv1.RevisionState_REVISION_STATE_LOADING, nil
	case k.known.ids[id], k.inState(id), slices.Contains(k.cfg.Pinned, id):
		return parleyv1.RevisionState_REVISION_STATE_AVAILABLE, nil
	}
	return parleyv1.RevisionState_REVISION_STATE_UNSPECIFIED, nil
}

// inState reports whether an alias points to a revision or did before. Only who
// has locked k.mu may call it.
func (k *keeper) inState(id string) bool {
	for _, a := range k.state.Aliases {
		if a.Revision == id || a.Previous == id {
			return true
		}
	}
	return false
}

// errNotHeld is the error of a call that asks for a revision or alias that is not
// in memory.
func (k *keeper) errNotHeld(parent, id string) error {
	if k == nil {
		return errRevisionNotFound(parent, revisionName(parent, id))
	}
	if w := k.withdrawal(id); w != nil {
		return errWithdrawn(parent, id, w.Reason)
	}
	state, _ := k.stateOf(id)
	if state != parleyv1.RevisionState_REVISION_STATE_UNSPECIFIED {
		return errRevisionNotReady(parent, id, state)
	}
	k.mu.Lock()
	k.known.missed = true
	k.mu.Unlock()
	return errRevisionNotFound(parent, revisionName(parent, id))
}
