package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
)

// A keeper holds the revisions that the store's aliases name: it loads another
// revision beside those in memory, and only when that has been verified and has
// passed its self-test does it answer. Whatever fails, what answers goes on
// answering.
type keeper struct {
	server *Server
	cfg    Revisions
	store  atomic.Pointer[store.Store] // nil until it could be opened
	turn   chan struct{}               // whoever fills it may load and change what is held
	wake   chan struct{}               // look at the store now

	warned string // the live revision whose withdrawal was logged; for who has the turn

	mu       sync.Mutex
	state    store.State         // as last read
	failures map[string]*failure // by revision, of the last attempt to load it
	loading  string              // the revision that is being loaded
	cards    map[string]store.Card
	memory   map[string]int64 // by revision, once it has been loaded
	known    catalogue
}

// A failure is a revision that could not be loaded.
type failure struct {
	err   error
	tries int
	next  time.Time // of the next one
}

// newKeeper returns the keeper of s, nil without a store.
func newKeeper(s *Server) *keeper {
	if s.cfg.Revisions.Open == nil {
		return nil
	}
	return &keeper{
		server: s, cfg: s.cfg.Revisions, turn: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		failures: map[string]*failure{}, cards: map[string]store.Card{}, memory: map[string]int64{},
	}
}

// take waits for the turn to load and change what is held.
func (k *keeper) take(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *keeper) give() { <-k.turn }

// askTimeout is how long the store has to answer a short question, loadTimeout
// how long a revision may take to read.
const (
	askTimeout  = 30 * time.Second
	loadTimeout = 10 * time.Minute
)

// read reads where the aliases point, and opens the store if need be. Only who
// has the turn may call it.
func (k *keeper) read(ctx context.Context) (store.State, error) {
	soon, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	counters := &k.server.counters
	counters.Checks.Add(1)
	state, err := k.ask(soon)
	if err != nil {
		if ctx.Err() == nil { // else it was the caller who gave up
			counters.CheckFailures.Add(1)
		}
		return state, err
	}
	counters.LastCheck.Store(time.Now().UnixNano())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state = state
	return state, nil
}

func (k *keeper) ask(ctx context.Context) (store.State, error) {
	if k.store.Load() == nil {
		opened, err := k.cfg.Open(ctx)
		if err != nil {
			return store.State{}, err
		}
		k.store.Store(opened)
	}
	return k.store.Load().State(ctx, k.server.cfg.ModelName)
}

// errNoLive is the error when no revision is live yet.
var errNoLive = errors.New("the alias points nowhere")

// follow brings what is held in line with state. Its error is that of the live
// revision; others that fail are tried again later, too. Only who has the turn may
// call it.
func (k *keeper) follow(ctx context.Context, state store.State) error {
	target := state.Aliases[k.cfg.Alias]
	live := target.Revision
	if live == "" && k.server.held.Load() == nil {
		return fmt.Errorf("model %s: alias %q: %w", k.server.cfg.ModelName, k.cfg.Alias, errNoLive)
	}
	var failed error
	if live != "" && !k.holds(live) && k.due(live) {
		r, err := k.load(ctx, live)
		if failed = err; err == nil {
			k.settle(state, r)
		}
	}
	if k.server.held.Load() == nil && k.unusable(live) && target.Previous != "" && k.due(target.Previous) {
		if r, err := k.load(ctx, target.Previous); err == nil {
			k.settle(state, r)
		}
	}
	if k.server.held.Load() == nil {
		return failed
	}
	for _, id := range k.wanted(state) {
		if ctx.Err() == nil && !k.holds(id) && id != live && k.due(id) && k.fits(ctx, state, id) {
			if r, err := k.load(ctx, id); err == nil {
				k.settle(state, r)
			}
		}
	}
	k.settle(state, nil)
	return failed
}

// load reads a revision from the store, verifies and tests it. Only who has the
// turn may call it.
func (k *keeper) load(ctx context.Context, id string) (*revision, error) {
	k.setLoading(id)
	defer k.setLoading("")
	spare.take()
	defer spare.give()
	start := time.Now()
	r, err := k.fetch(ctx, id)
	took := time.Since(start)
	if err != nil && ctx.Err() != nil {
		return nil, err // nobody waits for it any more: that says nothing about the revision
	}
	result := loadResult(err)
	k.server.counters.loaded(result, took)
	log := k.server.cfg.Log
	if err != nil {
		tries, wait := k.fail(id, err)
		log.Error().Str("revision", id).Stringer("result", result).Err(err).Int("try", tries).
			Float64("retry_s", wait.Seconds()).Msg("revision not loaded; what answers goes on answering")
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.failures, id)
	k.memory[id] = r.memory
	log.Info().Str("revision", id).Int64("bytes", r.memory).Float64("ms", float64(took.Microseconds())/1000).Msg("revision loaded")
	return r, nil
}

// fetch is load without the book-keeping. What the store holds must not bring the
// server down, so a panic is one more error.
func (k *keeper) fetch(ctx context.Context, id string) (r *revision, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, fmt.Errorf("%w: panic: %v", store.ErrIncompatible, p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	name := k.server.cfg.ModelName
	card, err := k.store.Load().Card(ctx, name, id)
	if err != nil {
		return nil, err
	}
	m, err := k.store.Load().Load(ctx, name, id)
	if err != nil {
		return nil, err
	}
	r = newRevision(name, m)
	r.card = &card
	return r, nil
}

func (k *keeper) setLoading(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.loading = id
}

// loadResult says what err means.
func loadResult(err error) LoadResult {
	switch {
	case err == nil:
		return LoadOK
	case errors.Is(err, store.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return LoadMissing
	case errors.Is(err, store.ErrIncompatible), errors.Is(err, model.ErrVersion), errors.Is(err, model.ErrSelfTest):
		return LoadIncompatible
	case errors.Is(err, store.ErrCorrupt), errors.Is(err, model.ErrFormat):
		return LoadCorrupt
	}
	return LoadUnavailable
}

// fail notes that a revision could not be loaded, how often that was so, and how
// long it is until the next try.
func (k *keeper) fail(id string, err error) (tries int, wait time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.failures[id]
	if f == nil {
		f = &failure{}
		k.failures[id] = f
	}
	f.tries++
	wait = k.cfg.retry(f.tries)
	f.err, f.next = err, time.Now().Add(wait)
	return f.tries, wait
}

// due reports whether it is time to try to load a revision.
func (k *keeper) due(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.failures[id]
	return f == nil || !time.Now().Before(f.next)
}
