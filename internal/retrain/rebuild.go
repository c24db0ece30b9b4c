package retrain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// Rebuild returns the examples that a revision with this training record was
// trained on, as base files and ledger have them: what the ledger said at the
// record's position, without what was forgotten since, in the order of heads.
// They are those of the training if train.DataSum says so.
func Rebuild(ctx context.Context, l *ledger.Ledger, base *dataset.Set, t store.Training) (examples []dataset.Example, heads []string, err error) {
	if t.LedgerID != l.ID() {
		return nil, nil, fmt.Errorf("the revision was trained on ledger %s: this is %s", t.LedgerID, l.ID())
	}
	var c configuration
	if len(t.Configuration) > 0 {
		if err := json.Unmarshal(t.Configuration, &c); err != nil {
			return nil, nil, fmt.Errorf("configuration: %w", err)
		}
	}
	in := Input{Heads: t.Heads, SourceCap: c.SourceCap, Resolution: &ledger.Resolution{}}
	if base != nil {
		in.Base, in.BaseHeads = base.Examples, base.Heads
	}
	if t.Position > 0 {
		if in.Resolution, err = l.Resolve(ctx, t.Position); err != nil {
			return nil, nil, err
		}
	}
	if in.Tombstones, err = l.Tombstones(ctx); err != nil {
		return nil, nil, err
	}
	rows, err := Gather(in)
	if err != nil {
		return nil, nil, err
	}
	return rows.Split(Holdout{t.Holdout.Epoch, t.Holdout.Share}).Training(), rows.Heads, nil
}

// Config makes a revision with this training record anew, of the rows that Rebuild
// returns.
func Config(t store.Training) (train.Config, error) {
	made := configurationOf(t.Configuration)
	recipe := made.recipe()
	if recipe == nil {
		return train.Config{}, errors.New("its record has no recipe")
	}
	return recipe.Config(), nil
}
