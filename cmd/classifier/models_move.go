package main

import (
	"fmt"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsPromoteCmd is "classifier models promote".
type modelsPromoteCmd struct {
	Revision string `arg:"" help:"Revision or alias to point to."`
	moveFlags
	ValidateOnly bool `help:"Verify the revision and the etag, but leave the alias."`
}

// Run verifies a revision and points an alias to it.
func (c *modelsPromoteCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		id, err := s.Resolve(e.ctx, m.name(), c.Revision)
		if err != nil {
			return err
		}
		return c.move(e, m, s, id, c.ValidateOnly)
	})
}

// move verifies a revision and points the alias to it.
func (f *moveFlags) move(e *env, m *modelsCmd, s *store.Store, revision string, dry bool) error {
	state, err := s.State(e.ctx, m.name())
	if err != nil {
		return err
	}
	if f.Etag != "" && f.Etag != state.Etag {
		return fmt.Errorf("%s: model %s: %w: want %s, it is %s", s, m.name(), store.ErrEtagMismatch, f.Etag, state.Etag)
	}
	if w := state.Withdrawn(revision); w != nil {
		return fmt.Errorf("%s: model %s: %w", s, m.name(), &store.WithdrawnError{Revision: revision, Reason: w.Reason})
	}
	if _, err := s.Verify(e.ctx, m.name(), revision); err != nil {
		return err
	}
	previous := state.Aliases[f.Alias].Revision
	if !dry {
		if state, err = s.SetAlias(e.ctx, m.name(), f.Alias, revision, f.Etag, f.Reason); err != nil {
			return err
		}
		if a := state.Aliases[f.Alias]; previous != revision && state.Withdrawn(previous) == nil {
			previous = a.Previous
		}
	}
	v := moved{m.name(), f.Alias, previous, revision, state.Etag, dry}
	return m.write(e, v, v.text)
}

// A modelsRollbackCmd is "classifier models rollback".
type modelsRollbackCmd struct {
	moveFlags
	ValidateOnly bool `help:"Verify the revision and the etag, but leave the alias."`
}

// Run verifies the revision before and points the alias to it.
func (c *modelsRollbackCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		state, err := s.State(e.ctx, m.name())
		if err != nil {
			return err
		}
		target, err := s.RollbackTarget(e.ctx, state, m.name(), c.Alias)
		if err != nil {
			return err
		}
		if c.Etag == "" {
			c.Etag = state.Etag // what is verified is what it goes back to
		}
		if c.Reason == "" {
			c.Reason = "rollback"
		}
		return c.move(e, m, s, target, c.ValidateOnly)
	})
}

// A modelsUnaliasCmd is "classifier models unalias".
type modelsUnaliasCmd struct {
	Alias  string `arg:"" help:"Alias to take away."`
	Etag   string `placeholder:"ETAG" help:"Take it away only if no alias of the model has moved since its etag was this."`
	Reason string `placeholder:"TEXT" help:"Why; history shows it."`
}

// Run takes an alias away.
func (c *modelsUnaliasCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		before, err := s.Alias(e.ctx, m.name(), c.Alias)
		if err != nil {
			return err
		}
		state, err := s.RemoveAlias(e.ctx, m.name(), c.Alias, c.Etag, c.Reason)
		if err != nil {
			return err
		}
		v := moved{Model: m.name(), Alias: c.Alias, Previous: before.Revision, Etag: state.Etag}
		return m.write(e, v, v.text)
	})
}
