package main

import (
	"fmt"
	"io"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsWithdrawCmd is "classifier models withdraw".
type modelsWithdrawCmd struct {
	Revisions []string `arg:"" name:"revision" help:"Revisions or aliases."`
	Reason    string   `required:"" placeholder:"TEXT" help:"Why; whoever is refused the revision reads it."`
}

// Help says what becomes of revisions in use.
func (c *modelsWithdrawCmd) Help() string {
	return `A withdrawn revision can neither be promoted nor rolled back to, on any alias,
nor published again. There is no taking it back. Where an alias points to it, it goes
on answering until the alias is moved; gc then removes it at once, whatever its flags
keep. A rollback passes over it.`
}

// A withdrawn is what withdraw did with a revision.
type withdrawn struct {
	Revision string    `json:"revision"`
	Time     time.Time `json:"time"`
	Reason   string    `json:"reason"`
	Aliases  string    `json:"aliases,omitempty"` // that point to it still
}

// Run withdraws revisions. To do it again changes nothing.
func (c *modelsWithdrawCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		var ids []string
		for _, ref := range c.Revisions {
			id, err := s.Resolve(e.ctx, m.name(), ref)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		state, err := s.Withdraw(e.ctx, m.name(), ids, c.Reason)
		if err != nil {
			return err
		}
		list := []withdrawn{}
		for _, id := range ids {
			w := state.Withdrawn(id)
			list = append(list, withdrawn{id, w.Time, w.Reason, aliasesOf(state, id)})
		}
		return m.write(e, list, func(w io.Writer) {
			for _, r := range list {
				fmt.Fprintf(w, "withdrawn %s: %s\n", short(r.Revision), r.Reason)
				if r.Aliases != "" {
					fmt.Fprintf(w, "it answers until these are moved: %s\n", r.Aliases)
				}
			}
		})
	})
}

// withdrawal says in one line that a revision was withdrawn, "" if it was not.
func withdrawal(w *store.Withdrawal) string {
	if w == nil {
		return ""
	}
	return fmt.Sprintf("withdrawn %s: %s", w.Time.Format(time.RFC3339), w.Reason)
}
