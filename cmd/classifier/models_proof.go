package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/store"
)

// A check is one of a revision against the ledger.
type check struct {
	Check   string `json:"check"`
	Outcome string `json:"outcome"`
	Detail  string `json:"detail"`
}

// Outcomes of a check.
const (
	passed  = "passed"
	failed  = "failed"
	unknown = "unknown"
)

// A proof checks revisions against a ledger. A nil one checks nothing.
type proof struct {
	env        *env
	cmd        *modelsVerifyCmd
	store      *store.Store
	model      string
	ledger     *ledger.Ledger
	tombstones *ledger.Tombstones
	forgotten  [][16]byte // their digests, ascending
	base       []store.BaseFile
}

// proof opens the ledger, which must be there, and hashes the base files.
func (c *modelsVerifyCmd) proof(e *env, m *modelsCmd, s *store.Store) (*proof, error) {
	if c.AgainstLedger == "" {
		return nil, nil
	}
	base, err := c.baseFiles()
	if err != nil {
		return nil, fmt.Errorf("--base: %w", err)
	}
	l, err := openLedger(e, c.AgainstLedger)
	if err != nil {
		return nil, err
	}
	p := &proof{env: e, cmd: c, store: s, model: m.name(), ledger: l, base: base}
	if p.tombstones, err = l.Tombstones(e.ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	for _, t := range p.tombstones.List() {
		p.forgotten = append(p.forgotten, t.Digest)
	}
	slices.SortFunc(p.forgotten, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return p, nil
}

// baseFiles hashes the base files.
func (c *modelsVerifyCmd) baseFiles() ([]store.BaseFile, error) {
	if len(c.Base) == 0 {
		return nil, nil
	}
	return baseFiles(c.Base)
}

// openLedger opens a ledger that is there: a proof must not make one.
func openLedger(e *env, url string) (*ledger.Ledger, error) {
	if err := ledgerIsThere(url); err != nil {
		return nil, err
	}
	l, err := ledger.Open(e.ctx, url)
	if errors.Is(err, ledger.ErrInvalid) {
		return nil, usagef("--against-ledger: %w", err)
	}
	return l, err
}

func (p *proof) close() {
	if p != nil {
		_ = p.ledger.Close() // nothing was written
	}
}

// add checks a revision. An error is one of the ledger or the store, and says
// nothing of the revision.
func (p *proof) add(v *verified) error {
	if p == nil {
		return nil
	}
	t, outcome, why, err := p.training(v.Revision)
	if err != nil {
		return err
	}
	if t == nil {
		v.Checks = p.alike(outcome, why)
	} else {
		rows, err := p.checkRows(v, t)
		if err != nil {
			return err
		}
		v.Checks = append([]check{p.checkForgotten(t)}, rows...)
	}
	for _, c := range v.Checks {
		v.OK = v.OK && c.Outcome != failed
	}
	return nil
}

// alike are all checks with one outcome.
func (p *proof) alike(outcome, why string) []check {
	list := []check{{"forgotten", outcome, why}, {"rows", outcome, why}}
	if p.cmd.Retrain {
		list = append(list, check{"retrain", outcome, why})
	}
	return list
}

// training reads what a revision was trained on; nil, with the outcome of all checks
// and why, if that says nothing about this ledger.
func (p *proof) training(revision string) (t *store.Training, outcome, why string, err error) {
	record, err := p.store.Training(p.env.ctx, p.model, revision)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, unknown, "nobody recorded what it was trained on", nil
	case errors.Is(err, store.ErrCorrupt):
		return nil, failed, err.Error(), nil
	case err != nil:
		return nil, "", "", err
	case record.LedgerID != p.ledger.ID():
		return nil, unknown, fmt.Sprintf("it was trained on ledger %q, this is %s", record.LedgerID, p.ledger.ID()), nil
	}
	return &record, "", "", nil
}

// checkForgotten looks for forgotten texts among those of the training.
func (p *proof) checkForgotten(t *store.Training) check {
	if n := t.Holds(p.forgotten); n > 0 {
		return check{"forgotten", failed, fmt.Sprintf("%d of its %d texts are forgotten", n, len(t.Digests))}
	}
	return check{"forgotten", passed, fmt.Sprintf("none of the %d forgotten texts is among its %d", len(p.forgotten), len(t.Digests))}
}
