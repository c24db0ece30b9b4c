// Package modeltest makes small models for tests.
package modeltest

import (
	"context"
	"sync"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// plain is a training run without a search.
var plain = train.Config{
	Features: []model.Features{train.LongText}, Values: []model.Value{model.Binary},
	Estimators: []train.Estimator{train.MultinomialNB}, Alphas: []float64{1}, Members: 1,
}

var topics = sync.OnceValues(func() (*model.Model, error) {
	var examples []dataset.Example
	for _, text := range []string{"goal goal match", "late goal", "the match", "a goal"} {
		examples = append(examples, dataset.Example{Text: text, Labels: []string{"sport"}})
	}
	for _, text := range []string{"shares fell", "oil shares", "the oil price", "a price"} {
		examples = append(examples, dataset.Example{Text: text, Labels: []string{"money"}})
	}
	m, _, err := train.Train(context.Background(), examples, []string{"topic"}, plain)
	return m, err
})

// Topics returns a trained model with the topics sport and money.
func Topics(t testing.TB) *model.Model {
	t.Helper()
	m, err := topics()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Stance returns a model that takes "great" for praise, but not of the oil
// price. It has label sets for 90% of the texts.
func Stance(t testing.TB) *model.Model {
	t.Helper()
	f := model.Features{Words: 1}
	x, err := model.NewExtractor(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	great := x.Extract("great")[0].ID
	even := []float64{0.5, 0.5}
	m, err := model.New(model.Spec{Features: f, IDs: []model.FeatureID{great}, Weights: []int16{-2, 2}, Heads: []model.Head{{
		Name: "stance", Labels: []string{"con", "pro"}, DocCounts: []uint64{1, 1}, Prior: even, Bias: []int64{0, 0},
		Blocks: []model.Block{{Value: model.Binary, Targets: true}}, InverseTemperature: 1, TargetInverseTemperature: 0.5,
		TargetIDs: []model.FeatureID{model.Cross(great, "oil price")}, TargetWeights: []int16{4, -4},
		Targets: []model.Target{{Name: "oil price", DocCounts: []uint64{1, 1}, Prior: even, Bias: []int64{0, 0}}},
		Sets:    model.LabelSets{Coverage: 0.9, Thresholds: []float64{0.1, 0.9}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
