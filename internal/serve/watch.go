package serve

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// background starts what runs beside the calls until ctx ends: the look at the
// store and the ledger, and the shadow. What it returns ends all and waits for them.
func (s *Server) background(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.shadow.run(ctx) })
	if s.keeper != nil {
		running.Go(func() { s.keeper.run(ctx) })
	}
	if s.clerk != nil {
		running.Go(func() { s.clerk.run(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
		s.holding.Lock()
		defer s.holding.Unlock()
		s.shadow.setBusy(false)
		if s.keeper != nil {
			s.keeper.close()
		}
		if s.clerk != nil {
			s.clerk.close()
		}
	}
}

// CheckStore has the server look at its store now, not only after its poll time.
func (s *Server) CheckStore() {
	if s.keeper != nil {
		s.keeper.hurry()
	}
}

// hurry ends the wait for the next look, and for the next try of what failed.
func (k *keeper) hurry() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.failures {
		f.next = time.Time{}
	}
	select {
	case k.wake <- struct{}{}:
	default: // woken already
	}
}

// run looks at the store again and again until ctx ends.
func (k *keeper) run(ctx context.Context) {
	failed := 0
	for ctx.Err() == nil {
		err := k.look(ctx)
		if err == nil {
			k.learn(ctx)
		}
		wait := spread(k.cfg.Poll)
		failed++
		if err == nil {
			failed = 0
		} else if wait = k.cfg.retry(failed); ctx.Err() == nil {
			k.server.cfg.Log.Error().Err(err).Int("try", failed).Float64("retry_s", wait.Seconds()).Msg("store not read; what answers goes on answering")
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-k.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// look reads the aliases and follows them. Its error is that of reading them, or
// that no revision is live yet.
func (k *keeper) look(ctx context.Context) error {
	if err := k.take(ctx); err != nil {
		return err
	}
	defer k.give()
	state, err := k.read(ctx)
	if err != nil {
		return err
	}
	err = k.follow(ctx, state)
	k.noteWithdrawal()
	if errors.Is(err, errNoLive) {
		return err
	}
	return nil
}

// close closes the store.
func (k *keeper) close() {
	if st := k.store.Load(); st != nil {
		if err := st.Close(); err != nil {
			k.server.cfg.Log.Warn().Err(err).Msg("store not closed")
		}
	}
}

// retry is how long to wait after so many failures in a row.
func (c Revisions) retry(failures int) time.Duration {
	wait := c.Poll
	for i := 1; i < failures && wait < c.MaxRetry; i++ {
		wait *= 2
	}
	return spread(min(wait, c.MaxRetry))
}

// spread returns d give or take a fifth, so that many servers do not ask the store
// at the same time.
func spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// logChange tells what is held now.
func (k *keeper) logChange(before, now *held) {
	e := k.server.cfg.Log.Info().Str("revision", now.live.id)
	message := "revisions in memory changed"
	switch {
	case before == nil:
		message = "the first revision is live"
	case before.live != now.live:
		e, message = e.Str("before", before.live.id), "another revision is live"
	}
	if now.previous != nil {
		e.Str("previous", now.previous.id)
	}
	if now.pair != nil {
		e.Str("shadow", now.pair.shadow.id)
	}
	e.Int("in_memory", len(now.byID)).Msg(message)
}
