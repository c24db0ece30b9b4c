package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/retrain"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// checkRows makes the rows of a training again, compares them with what the model
// file and the record say, and with --retrain trains on them. An error is one of
// the ledger, the store or a base file.
func (p *proof) checkRows(v *verified, t *store.Training) ([]check, error) {
	rows, examples, err := p.rows(v.Revision, t)
	if err != nil || !p.cmd.Retrain {
		return []check{rows}, err
	}
	if rows.Outcome != passed {
		return []check{rows, {"retrain", unknown, "its rows could not be made again"}}, nil
	}
	again, err := p.retrain(v.Revision, t, examples)
	return []check{rows, again}, err
}

// rows makes the rows of a training again. They are good for training only if the
// check passed.
func (p *proof) rows(revision string, t *store.Training) (check, []dataset.Example, error) {
	if n := t.Holds(p.forgotten); n > 0 {
		return check{"rows", unknown, fmt.Sprintf("%d of its texts are forgotten: its rows cannot be made again", n)}, nil, nil
	}
	base, why, err := p.baseOf(t)
	if err != nil || why != "" {
		return check{"rows", unknown, why}, nil, err
	}
	card, err := p.store.Card(p.env.ctx, p.model, revision)
	if err != nil {
		return check{"rows", failed, err.Error()}, nil, nil
	}
	examples, heads, err := retrain.Rebuild(p.env.ctx, p.ledger, base, *t)
	if err != nil {
		return check{}, nil, fmt.Errorf("rows of %s: %w", short(revision), err)
	}
	c := p.compareRows(t, card.TrainingData, train.DataSum(examples, heads), p.digests(examples))
	return c, examples, nil
}

// digests are those of the texts, ascending and once each.
func (p *proof) digests(examples []dataset.Example) [][16]byte {
	list := make([][16]byte, len(examples))
	for i := range examples {
		list[i] = p.tombstones.Digest(examples[i].Text)
	}
	slices.SortFunc(list, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(list)
}

// compareRows says whether the rows made again, with that hash and those digests,
// are the rows of the training. Texts that were forgotten after it may have decided
// what was held out, though nothing was trained on them: then they cannot be.
func (p *proof) compareRows(t *store.Training, want, got string, digests [][16]byte) check {
	rebuilt := store.Training{Digests: digests}
	missing, more := len(t.Digests)-rebuilt.Holds(t.Digests), len(digests)-t.Holds(digests)
	if want == got && missing+more == 0 {
		return check{"rows", passed, fmt.Sprintf("ledger and base files give its training data %.12s, %d texts", got, len(digests))}
	}
	detail := fmt.Sprintf("ledger and base files give training data %.12s, the model has %.12s; of its %d texts %d are missing, and %d are there that it does not have",
		got, want, len(t.Digests), missing, more)
	if n := p.forgottenSince(t.Position); n > 0 {
		return check{"rows", unknown, fmt.Sprintf("%s; %d texts that it was not trained on were forgotten since and may have decided what was held out", detail, n)}
	}
	return check{"rows", failed, detail}
}

// forgottenSince counts the texts that were forgotten after an event of the ledger.
func (p *proof) forgottenSince(position int64) int {
	n := 0
	for _, t := range p.tombstones.List() {
		if t.Seq > position {
			n++
		}
	}
	return n
}

// baseOf reads the base files of a training, nil if it had none; or says why they
// cannot be read.
func (p *proof) baseOf(t *store.Training) (set *dataset.Set, why string, err error) {
	if len(t.Base) == 0 {
		return nil, "", nil
	}
	var paths []string
	for _, want := range t.Base {
		i := slices.IndexFunc(p.base, func(f store.BaseFile) bool { return f.SHA256 == want.SHA256 })
		if i < 0 {
			return nil, fmt.Sprintf("its base file %s with SHA-256 %s is not among those given by --base", want.Name, want.SHA256), nil
		}
		paths = append(paths, p.base[i].Name)
	}
	flags := p.cmd.labelFlags
	if len(flags.Head) == 0 {
		flags.Head = t.Heads
	}
	set, _, err = flags.read(p.env, paths)
	if column, ok := errors.AsType[*dataset.ColumnError](err); ok {
		return nil, "", fmt.Errorf("--base: %w; name the columns by --head", column)
	}
	if err != nil {
		return nil, "", fmt.Errorf("--base: %w", err)
	}
	return set, "", nil
}

// retrain trains on the rows again, as the record says.
func (p *proof) retrain(revision string, t *store.Training, examples []dataset.Example) (check, error) {
	var c struct {
		Recipe json.RawMessage `json:"recipe"`
	}
	if json.Unmarshal(t.Configuration, &c) != nil || len(c.Recipe) == 0 {
		return check{"retrain", unknown, "its record has no recipe"}, nil
	}
	recipe, err := train.ParseRecipe(c.Recipe)
	if err != nil {
		return check{"retrain", unknown, err.Error()}, nil
	}
	cfg := train.Default()
	cfg.Recipe = recipe
	m, _, err := train.Train(p.env.ctx, examples, t.Heads, cfg)
	switch {
	case p.env.ctx.Err() != nil:
		return check{}, p.env.ctx.Err()
	case err != nil:
		return check{"retrain", failed, err.Error()}, nil
	case m.Revision() != revision:
		return check{"retrain", failed, fmt.Sprintf("training again gives %s", short(m.Revision()))}, nil
	}
	return check{"retrain", passed, "training again gives the same " + fmt.Sprint(len(m.Bytes())) + " bytes"}, nil
}
