package serve

import (
	"context"
	"errors"
	"strings"

	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// AliasModelRevision points an alias at a revision that this server has loaded and
// tested.
func (s *Server) AliasModelRevision(ctx context.Context, req *parleyv1.AliasModelRevisionRequest) (*parleyv1.AliasModelRevisionResponse, error) {
	parent, id, _ := strings.Cut(req.GetName(), "/revisions/")
	m := move{parent: parent, alias: req.GetAliasId(), etag: req.GetEtag(), validateOnly: req.GetValidateOnly(), to: id}
	if err := s.move(ctx, &m); err != nil {
		return nil, err
	}
	return &parleyv1.AliasModelRevisionResponse{Model: s.modelOf(m.after), PreviousRevision: m.from}, nil
}

// RollbackModel points an alias at the revision before.
func (s *Server) RollbackModel(ctx context.Context, req *parleyv1.RollbackModelRequest) (*parleyv1.RollbackModelResponse, error) {
	m := move{parent: req.GetName(), alias: req.GetAliasId(), etag: req.GetEtag(), validateOnly: req.GetValidateOnly(), back: true}
	if err := s.move(ctx, &m); err != nil {
		return nil, err
	}
	return &parleyv1.RollbackModelResponse{Model: s.modelOf(m.after), Revision: m.to}, nil
}

// A move is that of an alias.
type move struct {
	parent, alias, etag string
	validateOnly        bool
	back                bool // to the revision before
	// to is the revision or alias to point at, at last the id of the revision.
	to    string
	from  string      // the id of the revision before
	after store.State // of the aliases
}

// move carries out m in the order that keeps every server answering: load and test
// the revision, move the alias in the store, and then answer by it.
func (s *Server) move(ctx context.Context, m *move) error {
	if err := s.checkParent(m.parent); err != nil {
		return err
	}
	k := s.keeper
	if k == nil {
		return errNoStore(m.parent)
	}
	if err := k.take(ctx); err != nil {
		return k.statusOf(ctx, err, m.alias)
	}
	defer k.give()
	r, state, err := k.prepare(ctx, m)
	if err != nil {
		return err
	}
	callOf(ctx).revision = m.to
	m.after = state
	if m.validateOnly {
		return nil
	}
	if err := k.write(ctx, m, state); err != nil {
		k.hurry() // it may have moved all the same
		return err
	}
	s.cfg.Log.Info().Str("request_id", callOf(ctx).id).Str("alias", m.alias).Str("from", m.from).Str("to", m.to).Msg("alias moved")
	k.settle(m.after, r)
	k.hurry() // the other revisions follow
	return nil
}

// prepare finds out what m means, loads the revision unless it is in memory, and
// returns it with the aliases as they are.
func (k *keeper) prepare(ctx context.Context, m *move) (*revision, store.State, error) {
	state, err := k.read(ctx)
	if err != nil {
		return nil, state, k.statusOf(ctx, err, m.alias)
	}
	if m.etag != "" && m.etag != state.Etag {
		return nil, state, errEtagMismatch(state.Etag)
	}
	alias, exists := state.Aliases[m.alias]
	m.from = alias.Revision
	target, isAlias := state.Aliases[m.to]
	switch {
	case m.back && !exists:
		return nil, state, errRevisionNotFound(m.parent, revisionName(m.parent, m.alias))
	case m.back && alias.Previous == "":
		return nil, state, k.errNoTarget(ctx, m, state)
	case m.back:
		m.to = alias.Previous
	case isAlias:
		m.to = target.Revision
	case !revisionID.MatchString(m.to):
		return nil, state, errRevisionNotFound(m.parent, revisionName(m.parent, m.to))
	}
	if w := state.Withdrawn(m.to); w != nil {
		return nil, state, errWithdrawn(m.parent, m.to, w.Reason)
	}
	if h := k.server.held.Load(); h != nil && h.byID[m.to] != nil {
		return h.byID[m.to], state, nil
	}
	r, err := k.load(ctx, m.to)
	return r, state, k.statusOf(ctx, err, m.to)
}

// errNoTarget says why an alias cannot be rolled back.
func (k *keeper) errNoTarget(ctx context.Context, m *move, state store.State) error {
	soon, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	_, err := k.store.Load().RollbackTarget(soon, state, k.server.cfg.ModelName, m.alias)
	if w, ok := errors.AsType[*store.WithdrawnError](err); ok {
		return errWithdrawn(m.parent, w.Revision, w.Reason)
	}
	if err != nil && !errors.Is(err, store.ErrNoPrevious) {
		return k.statusOf(ctx, err, m.alias)
	}
	return errNoPrevious(m.parent, m.alias)
}

// maxMoves is how often a move that depends on no etag is tried when others move
// aliases at the same time.
const maxMoves = 5

// write moves the alias in the store. Whoever gave an etag gets an error when
// another was faster; a rollback also when the same alias moved, as it would go
// elsewhere now.
func (k *keeper) write(ctx context.Context, m *move, state store.State) error {
	st, name := k.store.Load(), k.server.cfg.ModelName
	for range maxMoves {
		after, err := st.SetAlias(ctx, name, m.alias, m.to, state.Etag, "by RPC, request "+callOf(ctx).id)
		if !errors.Is(err, store.ErrEtagMismatch) {
			m.after = after
			return k.statusOf(ctx, err, m.to)
		}
		if state, err = k.read(ctx); err != nil {
			return k.statusOf(ctx, err, m.alias)
		}
		from := state.Aliases[m.alias].Revision
		if m.etag != "" || m.back && from != m.from {
			break
		}
		m.from = from
	}
	return errEtagMismatch(state.Etag)
}
