package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsListCmd is "classifier models list".
type modelsListCmd struct{}

// A listedModel is a model of the list.
type listedModel struct {
	Model     string        `json:"model"`
	Etag      string        `json:"etag"`
	Aliases   []store.Alias `json:"aliases"`
	Revisions []store.Card  `json:"revisions"`
	Withdrawn []withdrawn   `json:"withdrawn,omitempty"`
	state     store.State
}

// Run lists the revisions of a model, or of all. Damaged cards are an error after
// the list of the others.
func (c *modelsListCmd) Run(e *env, m *modelsCmd) error {
	return m.with(e, func(s *store.Store) error {
		names := []string{m.Model}
		if m.Model == "" {
			var err error
			if names, err = s.Models(e.ctx); err != nil {
				return err
			}
		}
		list := []listedModel{}
		var damaged error
		for _, name := range names {
			l, err := listModel(e, s, name)
			if err != nil && l == nil {
				return err
			}
			list, damaged = append(list, *l), errors.Join(damaged, err)
		}
		err := m.write(e, list, func(w io.Writer) {
			for i := range list {
				list[i].text(w, i)
			}
		})
		return errors.Join(err, damaged)
	})
}

// listModel lists a model. With an error beside it, part of it is damaged.
func listModel(e *env, s *store.Store, name string) (*listedModel, error) {
	state, err := s.State(e.ctx, name)
	if err != nil {
		return nil, err
	}
	cards, err := s.Revisions(e.ctx, name)
	if err != nil && cards == nil {
		return nil, err
	}
	if len(cards) == 0 && err == nil {
		return nil, fmt.Errorf("%s: model %s: %w", s, name, store.ErrNotFound)
	}
	l := &listedModel{Model: name, Etag: state.Etag, Aliases: state.Sorted(), Revisions: cards, state: state}
	for _, c := range cards {
		if w := state.Withdrawn(c.Revision); w != nil {
			l.Withdrawn = append(l.Withdrawn, withdrawn{c.Revision, w.Time, w.Reason, aliasesOf(state, c.Revision)})
		}
	}
	return l, err
}

func (l *listedModel) text(w io.Writer, i int) {
	if i > 0 {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "model %s, etag %s\n", l.Model, l.Etag)
	fmt.Fprint(w, "revision\tpublished\tbytes\tmacro-F1\taliases\tnote\n")
	for _, c := range l.Revisions {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", short(c.Revision), c.Published.Format(time.RFC3339), c.Bytes,
			macroF1s(c), dash(aliasesOf(l.state, c.Revision)), dash(joined(withdrawal(l.state.Withdrawn(c.Revision)), c.Note)))
	}
}

// macroF1s are the macro-F1s of the heads.
func macroF1s(c store.Card) string {
	var list []string
	for _, h := range c.Heads {
		list = append(list, fmt.Sprintf("%s %.3f", h.Head, h.Evaluation.MacroF1))
	}
	return strings.Join(list, ", ")
}

// joined is what there is of two notes.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// A modelsHistoryCmd is "classifier models history".
type modelsHistoryCmd struct {
	Alias string `default:"live" placeholder:"NAME" help:"Alias whose moves are listed. Default: ${default}."`
	Limit int    `default:"20" placeholder:"N" help:"Most moves to list. Default: ${default}."`
}

// A listedMove is a move, and whether what it moved to was withdrawn since.
type listedMove struct {
	store.Move
	Withdrawn *withdrawn `json:"to_withdrawn,omitempty"`
}

// listedMoves are moves with what the state says of them.
func listedMoves(moves []store.Move, state store.State) []listedMove {
	var list []listedMove
	for _, m := range moves {
		l := listedMove{Move: m}
		if w := state.Withdrawn(m.To); w != nil {
			l.Withdrawn = &withdrawn{m.To, w.Time, w.Reason, aliasesOf(state, m.To)}
		}
		list = append(list, l)
	}
	return list
}

// Run lists the moves of an alias.
func (c *modelsHistoryCmd) Run(e *env, m *modelsCmd) error {
	if c.Limit < 1 {
		return usagef("--limit %d: want 1 or more", c.Limit)
	}
	return m.with(e, func(s *store.Store) error {
		moves, err := s.History(e.ctx, m.name(), c.Alias, c.Limit)
		if err != nil {
			return err
		}
		if len(moves) == 0 {
			return fmt.Errorf("%s: model %s: alias %q has not moved: %w", s, m.name(), c.Alias, store.ErrNotFound)
		}
		state, err := s.State(e.ctx, m.name())
		if err != nil {
			return err
		}
		list := listedMoves(moves, state)
		return m.write(e, list, func(w io.Writer) {
			fmt.Fprint(w, "time\tfrom\tto\tetag\treason\n")
			for _, v := range list {
				reason := joined(v.Reason, withdrawal(state.Withdrawn(v.To)))
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Time.Format(time.RFC3339), short(v.From), short(v.To), v.Etag, dash(reason))
			}
		})
	})
}
