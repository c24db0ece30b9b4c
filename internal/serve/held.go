package serve

import (
	"errors"
	"strings"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/parley-nlp/parley/internal/model"
)

// A held is what a server holds at one moment: the revisions in memory, and the
// names by which calls ask for them. It never changes: another state of affairs
// is another held. So one load of the pointer to it tells a call, and a whole
// batch, which revision answers, and the garbage collector frees a revision after
// its last call.
type held struct {
	parent   string // models/{model}
	live     *revision
	previous *revision   // that which was live before, for a rollback; nil without one
	pair     *shadowPair // live with its shadow; nil without one
	byID     map[string]*revision
	aliases  map[string]*revision // those whose revision is in memory
}

// resolve returns the revision of that name: models/{model}, optionally with
// /revisions/{revision or alias}; "" is the live one.
func (h *held) resolve(name string) (*revision, error) {
	if name == "" {
		return h.live, nil
	}
	parent, id, found := strings.Cut(name, "/revisions/")
	if parent != h.parent {
		return nil, errModelNotFound(parent)
	}
	if !found {
		return h.live, nil
	}
	if r := h.aliases[id]; r != nil {
		return r, nil
	}
	if r := h.byID[id]; r != nil {
		return r, nil
	}
	return nil, &notHeldError{parent, id}
}

// A notHeldError is about a revision or alias that is not in memory.
type notHeldError struct{ parent, id string }

func (e *notHeldError) Error() string { return revisionName(e.parent, e.id) + " is not held" }

// holds returns what the server holds now, or an error until it is ready.
func (s *Server) holds() (*held, error) {
	if h := s.held.Load(); h != nil {
		return h, nil
	}
	return nil, errNotReady()
}

// find returns the revision of that name in h. Of one that is not there the store
// may know more.
func (s *Server) find(h *held, name string) (*revision, error) {
	r, err := h.resolve(name)
	if missing, ok := errors.AsType[*notHeldError](err); ok {
		return nil, s.keeper.errNotHeld(missing.parent, missing.id)
	}
	return r, err
}

// Use answers all calls from now on with m, and reports health. The model before
// stays in memory under its id. It is for servers without a store.
func (s *Server) Use(m *model.Model) {
	s.holding.Lock()
	defer s.holding.Unlock()
	r, before := newRevision(s.cfg.ModelName, m), s.held.Load()
	next := &held{live: r, byID: map[string]*revision{r.id: r}, aliases: map[string]*revision{liveAlias: r}}
	if before != nil {
		next.previous = before.live
		if before.live.id == r.id {
			next.previous = before.previous
		}
	}
	if p := next.previous; p != nil && p.id != r.id {
		next.byID[p.id] = p
	}
	s.hold(next)
}

// Reload answers by the model that read returns, from now on; if it fails, what
// answers goes on answering. It is for servers without a store.
func (s *Server) Reload(read func() (*model.Model, error)) {
	spare.take()
	defer spare.give()
	start := time.Now()
	m, err := read()
	result := loadResult(err)
	s.counters.loaded(result, time.Since(start))
	if err != nil {
		s.cfg.Log.Error().Stringer("result", result).Err(err).Msg("model not loaded; what answers goes on answering")
		return
	}
	before := s.Live()
	s.Use(m)
	s.cfg.Log.Info().Str("revision", m.Revision()).Str("before", before).Msg("model loaded")
}

// parent is the name of the model: models/{model}.
func (s *Server) parent() string { return "models/" + s.cfg.ModelName }

// hold makes next what the server holds. Calls that run go on with what they
// found. The first time, health says so; later nothing changes that.
func (s *Server) hold(next *held) {
	next.parent = s.parent()
	before := s.held.Swap(next)
	if before == nil {
		for _, name := range services {
			s.health.SetServingStatus(name, grpc_health_v1.HealthCheckResponse_SERVING)
		}
		close(s.loaded)
	}
	s.shadow.setBusy(next.pair != nil)
	if before != nil && before.pair != nil && before.pair != next.pair {
		before.pair.logEnd(s.cfg.Log)
	}
	if before != nil && before.live.id != next.live.id {
		s.counters.Swaps.Add(1)
	}
}

// Loaded is closed once the server has a live revision.
func (s *Server) Loaded() <-chan struct{} { return s.loaded }

// Live is the id of the revision that answers; empty until there is one.
func (s *Server) Live() string {
	if h := s.held.Load(); h != nil {
		return h.live.id
	}
	return ""
}
