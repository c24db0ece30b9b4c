package main

import (
	"fmt"
	"io"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsVerifyCmd is "classifier models verify".
type modelsVerifyCmd struct {
	Revision string `arg:"" optional:"" help:"Revision or alias. Default: live."`
	All      bool   `help:"Verify all revisions of the model."`
}

// A verified is the outcome of one revision.
type verified struct {
	Revision string `json:"revision"`
	OK       bool   `json:"ok"`
	Error    string `json:"error,omitempty"`
}

// Run verifies revisions; that one is bad does not stop the others.
func (c *modelsVerifyCmd) Run(e *env, m *modelsCmd) error {
	if c.All && c.Revision != "" {
		return usagef("--all: want no revision beside it")
	}
	return m.with(e, func(s *store.Store) error {
		ids, err := c.revisions(e, m, s)
		if err != nil {
			return err
		}
		list, bad := []verified{}, 0
		for _, id := range ids {
			v := verified{Revision: id, OK: true}
			if _, err := s.Verify(e.ctx, m.name(), id); err != nil {
				v, bad = verified{id, false, err.Error()}, bad+1
			}
			if e.ctx.Err() != nil {
				return e.ctx.Err()
			}
			list = append(list, v)
		}
		err = m.write(e, list, func(w io.Writer) {
			for _, v := range list {
				if v.OK {
					v.Error = "ok"
				}
				fmt.Fprintf(w, "%s\t%s\n", short(v.Revision), v.Error)
			}
		})
		if err == nil && bad > 0 {
			err = fmt.Errorf("%d of %d revisions cannot be used", bad, len(list))
		}
		return err
	})
}

// revisions are those to verify.
func (c *modelsVerifyCmd) revisions(e *env, m *modelsCmd, s *store.Store) ([]string, error) {
	if c.All {
		ids, err := s.IDs(e.ctx, m.name())
		if err == nil && len(ids) == 0 {
			err = fmt.Errorf("%s: model %s: %w", s, m.name(), store.ErrNotFound)
		}
		return ids, err
	}
	if c.Revision == "" {
		c.Revision = store.Live
	}
	id, err := s.Resolve(e.ctx, m.name(), c.Revision)
	return []string{id}, err
}

// A modelsGCCmd is "classifier models gc".
type modelsGCCmd struct {
	Keep      int           `default:"10" placeholder:"N" help:"Newest revisions to keep, whatever points to them. Default: ${default}."`
	KeepMoves int           `default:"10" placeholder:"N" help:"Moves to keep of each alias, with the revisions that they name. Default: ${default}."`
	OlderThan time.Duration `default:"168h" placeholder:"DURATION" help:"Remove only what is older; at least 1h. Default: ${default}."`
	DryRun    bool          `help:"Only tell what would be removed."`
}

// Run removes what nothing keeps.
func (c *modelsGCCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		r, err := s.GC(e.ctx, m.name(), store.Keep{Newest: c.Keep, Moves: c.KeepMoves, Age: c.OlderThan}, c.DryRun)
		if err != nil {
			return err
		}
		return m.write(e, r, func(w io.Writer) {
			verb := "removed"
			if c.DryRun {
				verb = "would remove"
			}
			for _, id := range r.Revisions {
				fmt.Fprintf(w, "%s revision %s\n", verb, short(id))
			}
			for _, id := range r.Files {
				fmt.Fprintf(w, "%s the file of %s, which was never published whole\n", verb, short(id))
			}
			fmt.Fprintf(w, "%s %d revisions, %d lone files, %d temporary files, %d log entries: %d bytes\n",
				verb, len(r.Revisions), len(r.Files), r.Temporary, r.Entries, r.Bytes)
		})
	})
}
