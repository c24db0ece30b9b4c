package main

import (
	"fmt"
	"io"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsVerifyCmd is "classifier models verify".
type modelsVerifyCmd struct {
	Revisions     []string `arg:"" optional:"" name:"revision" help:"Revisions or aliases. Default: live."`
	All           bool     `help:"Verify all revisions of the model."`
	AgainstLedger string   `placeholder:"URL" help:"Prove by the ledger of labels what revisions were trained on: a file or postgres://..."`
	Base          []string `placeholder:"FILE" help:"With --against-ledger: labelled files that revisions were trained on beside the ledger, known again by their SHA-256."`
	Retrain       bool     `help:"With --against-ledger: train each revision again, which must give the same bytes."`
	labelFlags    `group:"How base files are read:"`
}

// Help says what is proved.
func (c *modelsVerifyCmd) Help() string {
	return `With --against-ledger each revision has more checks:

  forgotten  no text that the ledger was told to forget is among those that the
             revision was trained on, by its record in the store
  rows       the rows that the ledger had at the position in the record, and the
             base files, without the hold-out, have the hash of training data that
             the model file carries
  retrain    training on them again makes the same file (with --retrain)

A check that cannot be made, as there is no record or a base file is missing, is
unknown. The exit code is 1 if a check fails; what is unknown does not fail.`
}

// A verified is the outcome of one revision.
type verified struct {
	Revision string  `json:"revision"`
	OK       bool    `json:"ok"` // no check failed
	Error    string  `json:"error,omitempty"`
	Checks   []check `json:"checks,omitempty"` // against the ledger
}

// Run verifies revisions; that one is bad does not stop the others.
func (c *modelsVerifyCmd) Run(e *env, m *modelsCmd) error {
	if err := c.check(); err != nil {
		return err
	}
	return m.with(e, func(s *store.Store) error {
		ids, err := c.revisions(e, m, s)
		if err != nil {
			return err
		}
		proof, err := c.proof(e, m, s)
		if err != nil {
			return err
		}
		defer proof.close()
		list, bad := []verified{}, 0
		for _, id := range ids {
			v := verified{Revision: id, OK: true}
			if _, err := s.Verify(e.ctx, m.name(), id); err != nil {
				v.OK, v.Error = false, err.Error()
			}
			if err := proof.add(&v); err != nil {
				return err
			}
			if e.ctx.Err() != nil {
				return e.ctx.Err()
			}
			if list = append(list, v); !v.OK {
				bad++
			}
		}
		err = m.write(e, list, func(w io.Writer) {
			for _, v := range list {
				v.text(w)
			}
		})
		if err == nil && bad > 0 {
			err = fmt.Errorf("%d of %d revisions %s", bad, len(list), c.verdict())
		}
		return err
	})
}

// verdict is what to say of revisions of which a check failed.
func (c *modelsVerifyCmd) verdict() string {
	if c.AgainstLedger != "" {
		return "failed"
	}
	return "cannot be used"
}

func (c *modelsVerifyCmd) check() error {
	switch {
	case c.All && len(c.Revisions) > 0:
		return usagef("--all: want no revision beside it")
	case c.AgainstLedger == "" && (c.Retrain || len(c.Base) > 0):
		return usagef("--retrain and --base: want --against-ledger beside them")
	}
	return nil
}

func (v *verified) text(w io.Writer) {
	outcome := v.Error
	if outcome == "" {
		outcome = "ok"
	}
	fmt.Fprintf(w, "%s\t%s\n", short(v.Revision), outcome)
	for _, c := range v.Checks {
		fmt.Fprintf(w, "  %s\t%s: %s\n", c.Check, c.Outcome, c.Detail)
	}
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
	if len(c.Revisions) == 0 {
		c.Revisions = []string{store.Live}
	}
	var ids []string
	for _, ref := range c.Revisions {
		id, err := s.Resolve(e.ctx, m.name(), ref)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
