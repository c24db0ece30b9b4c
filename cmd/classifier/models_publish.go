package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsPublishCmd is "classifier models publish".
type modelsPublishCmd struct {
	File           string `arg:"" help:"Model file, as train writes it."`
	Alias          string `placeholder:"NAME" help:"Then point this alias to it, such as live."`
	Note           string `placeholder:"TEXT" help:"What to say of it in its card."`
	TrainerVersion string `placeholder:"TEXT" help:"Version of the program that trained it."`
	Configuration  string `placeholder:"FILE" help:"What the trainer was told, a JSON object, to keep in the card."`
}

// A published is what publish did.
type published struct {
	Card  store.Card   `json:"card"`
	Alias *store.Alias `json:"alias,omitempty"`
	Etag  string       `json:"etag"`
}

// Run publishes the file. To do it again changes nothing.
func (c *modelsPublishCmd) Run(e *env, m *modelsCmd) error {
	about, err := c.provenance()
	if err != nil {
		return err
	}
	file, err := readModel(c.File)
	if err != nil {
		return err
	}
	return m.with(e, func(s *store.Store) error {
		card, err := s.Publish(e.ctx, m.name(), file, about)
		if err != nil {
			return err
		}
		p := published{Card: card}
		var state store.State
		if c.Alias == "" {
			state, err = s.State(e.ctx, m.name())
		} else {
			state, err = s.SetAlias(e.ctx, m.name(), c.Alias, card.Revision, "", c.Note)
		}
		if err != nil {
			return err
		}
		p.Etag = state.Etag
		if a, set := state.Aliases[c.Alias]; set {
			p.Alias = &a
		}
		return m.write(e, p, p.text)
	})
}

func (p *published) text(w io.Writer) {
	fmt.Fprintf(w, "revision\t%s\nmodel\t%s\n", p.Card.Revision, p.Card.Model)
	if p.Alias != nil {
		fmt.Fprintf(w, "alias\t%s (before: %s)\n", p.Alias.Name, short(p.Alias.Previous))
	}
	fmt.Fprintf(w, "etag\t%s\n", p.Etag)
}

// provenance is what the flags and the file's time say of the model.
func (c *modelsPublishCmd) provenance() (store.Provenance, error) {
	about := store.Provenance{TrainerVersion: c.TrainerVersion, Note: c.Note}
	if info, err := os.Stat(c.File); err == nil { // else reading it says what is wrong
		about.Trained = info.ModTime().UTC().Truncate(time.Second)
	}
	if c.Configuration == "" {
		return about, nil
	}
	data, err := os.ReadFile(c.Configuration)
	if err != nil {
		return about, fmt.Errorf("configuration: %w", err)
	}
	if !json.Valid(data) {
		return about, fmt.Errorf("configuration: %s: not JSON", c.Configuration)
	}
	about.Configuration = data
	return about, nil
}
