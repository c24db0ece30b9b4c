package serve

import (
	"context"
	"errors"

	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// stateNow returns where the aliases point now, or where they pointed when the
// store last answered.
func (k *keeper) stateNow(ctx context.Context) (store.State, error) {
	st := k.store.Load()
	k.mu.Lock()
	last := k.state
	k.mu.Unlock()
	if st == nil {
		return last, errStoreUnavailable(errNotOpen)
	}
	soon, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	state, err := st.State(soon, k.server.cfg.ModelName)
	if err != nil && last.Etag != "" && ctx.Err() == nil {
		return last, nil
	}
	return state, k.statusOf(ctx, err, "")
}

// errNotOpen is the cause before the store could be opened.
var errNotOpen = errors.New("it could not be opened yet")

// revisions describes all revisions of the store, newest first. Those whose card
// is damaged are left out and logged.
func (k *keeper) revisions(ctx context.Context) ([]*parleyv1.ModelRevision, error) {
	st := k.store.Load()
	if st == nil {
		return nil, errStoreUnavailable(errNotOpen)
	}
	soon, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cards, err := st.Revisions(soon, k.server.cfg.ModelName)
	if err != nil && (len(cards) == 0 || !errors.Is(err, store.ErrCorrupt)) {
		return nil, k.statusOf(ctx, err, "")
	}
	if err != nil {
		k.server.cfg.Log.Warn().Err(err).Msg("revisions with damaged cards are not listed")
	}
	list := make([]*parleyv1.ModelRevision, len(cards))
	for i := range cards {
		list[i] = k.describe(&cards[i])
	}
	return list, nil
}

// revision describes a revision, or that of an alias, that is not in memory.
func (k *keeper) revision(ctx context.Context, id string) (*parleyv1.ModelRevision, error) {
	st := k.store.Load()
	if st == nil {
		return nil, errStoreUnavailable(errNotOpen)
	}
	soon, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	target, err := k.target(soon, st, id)
	if err != nil {
		return nil, k.statusOf(ctx, err, id)
	}
	card, err := st.Card(soon, k.server.cfg.ModelName, target)
	if err != nil {
		return nil, k.statusOf(ctx, err, target)
	}
	return k.describe(&card), nil
}

// target is the id that id means, which may be an alias.
func (k *keeper) target(ctx context.Context, st *store.Store, id string) (string, error) {
	if revisionID.MatchString(id) {
		return id, nil
	}
	if !aliasName.MatchString(id) {
		return "", store.ErrNotFound
	}
	alias, err := st.Alias(ctx, k.server.cfg.ModelName, id)
	return alias.Revision, err
}

// describe describes a revision of which the store has a card.
func (k *keeper) describe(card *store.Card) *parleyv1.ModelRevision {
	if h := k.server.held.Load(); h != nil && h.byID[card.Revision] != nil {
		return k.server.describeHeld(h.byID[card.Revision])
	}
	out := &parleyv1.ModelRevision{
		Name:               revisionName(k.server.parent(), card.Revision),
		ArtifactSha256:     card.Revision,
		TrainingDataSha256: card.TrainingData,
		ArtifactBytes:      card.Bytes,
		FeatureCount:       int64(card.FeatureCount),
		State:              parleyv1.RevisionState_REVISION_STATE_AVAILABLE,
	}
	describeOrigin(out, card)
	k.describeWithdrawal(out, card.Revision)
	for _, h := range card.Heads {
		if e := h.Evaluation; e.Examples > 0 {
			out.Evaluations = append(out.Evaluations, describeEvaluation(h.Head, &model.Evaluation{
				Examples: e.Examples, Accuracy: e.Accuracy, MacroF1: e.MacroF1, MajorityAccuracy: e.MajorityAccuracy,
				ECE: h.Calibration.ECE, PerfectECE: h.Calibration.PerfectECE, NLL: e.NLL, Brier: e.Brier,
			}))
		}
	}
	if state, cause := k.stateOf(card.Revision); state == parleyv1.RevisionState_REVISION_STATE_LOADING || cause != nil {
		out.State = state
		if cause != nil {
			out.Error = status.Convert(k.statusOf(context.Background(), cause, card.Revision)).Proto()
		}
	}
	return out
}

// statusOf is what a caller of ModelService gets for an error of the store about a
// revision or alias. It says what is wrong in the store's words: who may call
// ModelService may know.
func (k *keeper) statusOf(ctx context.Context, err error, id string) error {
	parent := k.server.parent()
	if w, ok := errors.AsType[*store.WithdrawnError](err); ok {
		return errWithdrawn(parent, w.Revision, w.Reason)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case errors.Is(err, store.ErrNotFound):
		return errRevisionNotFound(parent, revisionName(parent, id))
	case errors.Is(err, store.ErrCorrupt), errors.Is(err, store.ErrIncompatible), errors.Is(err, store.ErrBusy):
		return errNotLoadable(parent, id, err)
	case errors.Is(err, store.ErrEtagMismatch):
		return errEtagMismatch("")
	case errors.Is(err, store.ErrInvalid):
		return errInvalidFields([]violation{{"alias_id", err.Error()}})
	}
	return errStoreUnavailable(err)
}
