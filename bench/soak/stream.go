package main

import (
	"context"
	"sync"
	"time"

	"github.com/parley-nlp/parley/internal/load"
)

// A stream is a load that goes on until it is stopped, and what is seen of it
// meanwhile.
type stream struct {
	stop   context.CancelFunc
	done   chan struct{}
	result *load.Result
	err    error

	mu       sync.Mutex
	answered map[string]time.Time // by server, when it last answered
	watch    func(load.Call)      // nil: nobody
}

// forever is longer than any soak.
const forever = 24 * time.Hour

// stream starts a load. Watch, if not nil, is called with every call.
func (w *workshop) stream(target *load.Target, c load.Config, watch func(load.Call)) *stream {
	ctx, stop := context.WithCancel(w.ctx)
	s := &stream{stop: stop, done: make(chan struct{}), answered: map[string]time.Time{}, watch: watch}
	c.Duration, c.Observe = forever, s.observe
	go func() {
		defer close(s.done)
		s.result, s.err = target.Run(ctx, w.documents, c)
	}()
	return s
}

func (s *stream) observe(c load.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Failure == nil {
		s.answered[c.Server()] = c.Ended
	}
	if s.watch != nil {
		s.watch(c)
	}
}

// answeredSince reports whether a server has answered since t.
func (s *stream) answeredSince(address string, t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered[address].After(t)
}

// end stops the load and returns what came of it.
func (s *stream) end() (*load.Result, error) {
	s.stop()
	<-s.done
	return s.result, s.err
}
