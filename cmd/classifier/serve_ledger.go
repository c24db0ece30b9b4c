package main

import (
	"context"
	"errors"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/serve"
)

// A ledgerFlag says where "serve" puts labels.
type ledgerFlag struct {
	Ledger string `placeholder:"URL" help:"Take labels, by LabelService, into this ledger: a file of SQLite, which is made if need be, or postgres://... Servers on several machines need PostgreSQL. While the ledger is away, texts are classified all the same."`
}

// labels is what the flag says to a server.
func (f ledgerFlag) labels(ctx context.Context) (serve.Labels, error) {
	if f.Ledger == "" {
		return serve.Labels{}, nil
	}
	open := func(ctx context.Context) (*ledger.Ledger, error) { return ledger.Open(ctx, f.Ledger) }
	return serve.Labels{Open: open}, checkLedger(ctx, open)
}

// checkLedger finds the mistakes that no waiting mends. A ledger that does not answer
// is none: the server waits for it.
func checkLedger(ctx context.Context, open func(context.Context) (*ledger.Ledger, error)) error {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	l, err := open(ctx)
	switch {
	case err == nil:
		return l.Close()
	case errors.Is(err, ledger.ErrInvalid):
		return usagef("--ledger: %w", err)
	case errors.Is(err, ledger.ErrNotLedger), errors.Is(err, ledger.ErrNewer):
		return err
	}
	return nil
}
