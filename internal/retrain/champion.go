package retrain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// A champion is the revision that answers.
type champion struct {
	revision string
	card     store.Card
	model    *model.Model
	training *store.Training // what it was trained on; nil: nothing says
	position int64           // of the ledger, as far as it was trained; 0: not on it
	recipe   *train.Recipe   // nil: nothing says
}

// A configuration is what a card keeps of how a revision was made.
type configuration struct {
	Recipe    json.RawMessage `json:"recipe,omitempty"`
	SourceCap int             `json:"source_cap"`
}

// readChampion reads what is live, and the etag that a move must find unchanged.
func (r *run) readChampion(ctx context.Context) error {
	var err error
	if r.state, err = r.store.State(ctx, r.Model); err != nil {
		return err
	}
	r.report.Etag = r.state.Etag
	live, set := r.state.Aliases[store.Live]
	if !set {
		return nil
	}
	c := &champion{revision: live.Revision}
	if c.card, err = r.store.Card(ctx, r.Model, c.revision); err != nil {
		return err
	}
	if c.model, err = r.store.Load(ctx, r.Model, c.revision); err != nil {
		return fmt.Errorf("champion: %w", err)
	}
	if err := c.readTraining(ctx, r); err != nil {
		return err
	}
	made := configurationOf(c.card.Configuration)
	c.recipe = made.recipe()
	if r.SourceCap == 0 {
		r.SourceCap = made.SourceCap
	}
	r.champion = c
	r.report.Champion = &Revision{Revision: c.revision, TrainingData: c.card.TrainingData, Position: c.position}
	return nil
}

// readTraining reads what the champion was trained on.
func (c *champion) readTraining(ctx context.Context, r *run) error {
	t, err := r.store.Training(ctx, r.Model, c.revision)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	case t.LedgerID != r.ledger.ID():
		r.warn("the champion was trained on another ledger: nothing of this one counts as known to it")
		return nil
	}
	c.training, c.position = &t, t.Position
	return nil
}

// configurationOf is what a card says, nothing if that is not from here.
func configurationOf(data json.RawMessage) configuration {
	var c configuration
	if json.Unmarshal(data, &c) != nil {
		return configuration{}
	}
	return c
}

// recipe is that of the configuration, or nil.
func (c *configuration) recipe() *train.Recipe {
	if len(c.Recipe) == 0 {
		return nil
	}
	recipe, err := train.ParseRecipe(c.Recipe)
	if err != nil {
		return nil
	}
	return recipe
}

// trainedOn reports whether the training record has a text of this digest.
func (c *champion) trainedOn(digest [16]byte) bool {
	_, found := slices.BinarySearchFunc(c.training.Digests, digest, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return found
}

// renaming is what happened to the names of labels since the champion.
func (c *champion) renaming(r *run) *renaming { return newRenaming(r.resolution.Remaps, c.position) }

// answers are the champion's, called as labels are called now.
func (c *champion) answers(r *run) answers { return newModelAnswers(c.model, c.renaming(r)) }

// knows reports whether the champion has a label.
func (c *champion) knows(head, label string) bool {
	h := c.model.Head(head)
	return h >= 0 && slices.Contains(c.model.Heads()[h].Labels, label)
}

// holdout is what was held out when the champion was trained.
func (c *champion) holdout() Holdout {
	return Holdout{c.training.Holdout.Epoch, c.training.Holdout.Share}
}
