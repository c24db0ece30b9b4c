package suggest

import (
	"cmp"
	"context"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// QuickConfig is a training configuration without a search: of the estimators that
// were tried on 60 to 400 labelled texts, the one with the best macro-F1 on most.
func QuickConfig() train.Config {
	return train.Config{
		Features: []model.Features{{Words: 1}}, Values: []model.Value{model.TFIDF},
		Estimators: []train.Estimator{train.ComplementNB}, Alphas: []float64{0.3},
		Members: 1, Folds: 5, Objective: train.Accuracy,
	}
}

// Suspects returns at most n labelled texts whose label is likely wrong: other than
// all texts of other sources lead to expect, the most surprising first. A text may come
// once for each head. Labels are in the order of heads.
func Suspects(ctx context.Context, labelled []dataset.Example, heads []string, n int) ([]Item, error) {
	surprises, err := train.Surprises(ctx, labelled, heads, train.Default())
	if err != nil {
		return nil, err
	}
	var items []Item
	for h, head := range heads {
		for i, s := range surprises[h] {
			ex := &labelled[i]
			if !s.Known || s.Expected == ex.Labels[h] {
				continue
			}
			items = append(items, Item{
				Row:       Row{Text: ex.Text, ID: ex.ID, Group: ex.Group, Target: ex.Target, File: ex.File, Line: ex.Line},
				Selection: Suspect, Doubt: &Doubt{Head: head, Given: ex.Labels[h], Expected: s.Expected, Surprise: s.Nats},
			})
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(b.Doubt.Surprise, a.Doubt.Surprise) })
	return items[:min(n, len(items))], nil
}
