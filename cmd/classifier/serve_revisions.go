package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/store"
)

// servedFlags say where "serve" takes its models from, unless from a file.
type servedFlags struct {
	Store          string        `placeholder:"URL" help:"Serve the revisions of a store: a directory, s3://BUCKET or gs://BUCKET."`
	Alias          string        `default:"live" placeholder:"NAME" help:"Alias of the revision that answers. Default: ${default}."`
	ShadowAlias    string        `default:"shadow" placeholder:"NAME" help:"Alias of the revision that classifies the same texts, off the path of the calls, to be compared; \"\" for none. Default: ${default}."`
	ShadowShare    float64       `default:"1" placeholder:"SHARE" help:"Share of the texts that the shadow classifies. Default: ${default}."`
	Pin            []string      `placeholder:"REVISION" help:"Keep this revision in memory whatever the aliases say; repeat for several."`
	RevisionMemory int64         `default:"1073741824" placeholder:"BYTES" help:"Memory for revisions beside the live one: the previous one, the shadow, pinned ones, other aliases, in this order. Default: ${default}."`
	Poll           time.Duration `default:"5s" help:"Time between two looks at the store. Default: ${default}."`
}

// revisions is what the flags say to a server; without a store nothing. modelFile is
// the other place that models can come from.
func (f servedFlags) revisions(ctx context.Context, modelFile string) (serve.Revisions, error) {
	if f.Store == "" {
		return serve.Revisions{}, nil
	}
	if modelFile != "" {
		return serve.Revisions{}, usagef("--model and --store: want one of them")
	}
	if f.RevisionMemory < 1 || f.Poll <= 0 {
		return serve.Revisions{}, usagef("--revision-memory and --poll: want more than 0")
	}
	open := func(ctx context.Context) (*store.Store, error) { return store.Open(ctx, f.Store) }
	if err := checkStore(ctx, open); err != nil {
		return serve.Revisions{}, err
	}
	return serve.Revisions{
		Open: open, Alias: f.Alias, ShadowAlias: f.ShadowAlias, Pinned: f.Pin,
		MemoryBytes: f.RevisionMemory, Poll: f.Poll, Shadow: serve.Shadow{Share: f.ShadowShare},
	}, nil
}

// firstLook is how long the start waits for a store that may not answer.
const firstLook = 2 * time.Second

// checkStore finds the mistakes that no waiting mends. A store that does not
// answer is none: the server waits for it.
func checkStore(ctx context.Context, open func(context.Context) (*store.Store, error)) error {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	s, err := open(ctx)
	switch {
	case err == nil:
		return s.Close()
	case errors.Is(err, store.ErrInvalid):
		return usagef("--store: %w", err)
	case errors.Is(err, store.ErrIncompatible):
		return err
	}
	return nil
}

// reloadOnHangup looks at the store, or reads the model file again, on every
// SIGHUP until ctx ends.
func (c *serveCmd) reloadOnHangup(ctx context.Context, s *serve.Server) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-hangup:
				s.CheckStore()
				if c.Model != "" {
					s.Reload(func() (*model.Model, error) { return readModel(c.Model) })
				}
			case <-ctx.Done():
				return
			}
		}
	}()
}
