package suggest

import (
	"context"

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
// texts of other sources lead to expect, the most surprising first. A text may come
// once for each head. Labels are in the order of heads.
func Suspects(ctx context.Context, labelled []dataset.Example, heads []string, n int) ([]Item, error) {
	doubts, err := train.Doubts(ctx, labelled, heads, QuickConfig())
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, d := range doubts[:min(n, len(doubts))] {
		ex := d.Example
		items = append(items, Item{
			Row:       Row{Text: ex.Text, ID: ex.ID, Group: ex.Group, Target: ex.Target, File: ex.File, Line: ex.Line},
			Selection: Suspect, Doubt: &Doubt{Head: d.Head, Given: d.Given, Expected: d.Expected, Surprise: d.Surprise},
		})
	}
	return items, nil
}
