package main

import (
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// choiceFlags pin what a training run otherwise chooses.
type choiceFlags struct {
	Preset     string   `enum:"auto,short,long" default:"auto" help:"Features: short (words 1-3 and characters 2-5), long (words 1-2), or auto."`
	Estimator  string   `enum:"auto,mnb,cnb,twcnb,nblr,nbsvm,lr,svm" default:"auto" help:"Naive Bayes: mnb (multinomial), cnb (complement), twcnb (the same with normalised weights); logistic regression: nblr (on naive-Bayes features), lr; linear support vectors: nbsvm (on naive-Bayes features), svm; or auto."`
	Value      string   `enum:"auto,binary,tf,binary-l2,tfidf" default:"auto" help:"What a feature counts for: binary, tf (its occurrences), binary-l2 (normalised), tfidf (normalised), or auto."`
	Alpha      *float64 `placeholder:"A" help:"Smoothing of naive Bayes, in counts. Default: the best of a few."`
	Cost       *float64 `placeholder:"C" help:"Strength C of linear models: the weight of mistakes against that of large weights. Default: the best of a few."`
	Members    int      `default:"${members}" placeholder:"N" help:"Most estimators to blend; 1 for a single one. Default: ${default}."`
	Objective  string   `enum:"macro-f1,accuracy" default:"macro-f1" help:"What the named label shall be best for: macro-f1 may favour rare labels over more probable ones; accuracy names the most probable."`
	MinSources int      `default:"1" placeholder:"K" help:"Keep only words and n-grams that occur in at least K sources (near-copies count as one): with 2 the model holds nothing that a single source has. Targets then get no weights of their own. Default: ${default}."`
	NoPrune    bool     `help:"Keep n-grams of few sources too. By default those are left out that the loss does not need."`
	NoStrings  bool     `help:"Leave out what the features are called: the model is smaller and holds no word of the texts. Evidence stays, as it comes from the text that is classified."`
	Budget     int64    `default:"${budget}" placeholder:"WORK" help:"Most work of the search, in visits of a weight of a feature; beyond it the dearest candidates are not tried. Default: ${default}, about a minute of one core."`
}

var objectives = map[string]train.Objective{"macro-f1": train.MacroF1, "accuracy": train.Accuracy}

// apply pins the choices in cfg.
func (f choiceFlags) apply(cfg *train.Config) error {
	if features, pinned := train.Presets[f.Preset]; pinned {
		cfg.Features = []model.Features{features}
	}
	if f.Value != "auto" {
		value, err := model.ParseValue(f.Value)
		if err != nil {
			return usagef("--value: %w", err)
		}
		cfg.Values = []model.Value{value}
	}
	switch {
	case f.Members < 1 || f.Members > cfg.Members:
		return usagef("--members %d: want 1 to %d", f.Members, cfg.Members)
	case f.Budget < 1:
		return usagef("--budget %d: want at least 1", f.Budget)
	}
	if f.MinSources < 1 || f.MinSources > train.MaxMinSources {
		return usagef("--min-sources %d: want 1 to %d", f.MinSources, train.MaxMinSources)
	}
	cfg.Members, cfg.Objective, cfg.Budget = f.Members, objectives[f.Objective], f.Budget
	cfg.MinSources, cfg.Prune, cfg.Strings = f.MinSources, !f.NoPrune, !f.NoStrings
	return f.applyEstimator(cfg)
}

// applyEstimator pins the estimator and the strengths.
func (f choiceFlags) applyEstimator(cfg *train.Config) (err error) {
	if f.Estimator != "auto" {
		e, err := train.ParseEstimator(f.Estimator)
		if err != nil {
			return usagef("--estimator: %w", err)
		}
		switch {
		case f.Alpha != nil && !naiveBayes(e):
			return usagef("--alpha is for naive Bayes: the strength of --estimator %v is --cost", e)
		case f.Cost != nil && naiveBayes(e):
			return usagef("--cost is for linear models: the smoothing of --estimator %v is --alpha", e)
		}
		cfg.Estimators = []train.Estimator{e}
	}
	if cfg.Alphas, err = pinnedStrength("--alpha", f.Alpha); err != nil {
		return err
	}
	cfg.Costs, err = pinnedStrength("--cost", f.Cost)
	return err
}

func naiveBayes(e train.Estimator) bool {
	switch e {
	case train.MultinomialNB, train.ComplementNB, train.TransformedCNB:
		return true
	}
	return false
}

func pinnedStrength(flag string, value *float64) ([]float64, error) {
	if value == nil {
		return nil, nil
	}
	if !(*value >= train.MinStrength && *value <= train.MaxStrength) {
		return nil, usagef("%s %v: want %v to %v", flag, *value, train.MinStrength, train.MaxStrength)
	}
	return []float64{*value}, nil
}

// judgingFlags say how the choice is judged.
type judgingFlags struct {
	Folds   int  `default:"5" placeholder:"N" help:"Folds of the cross-validation. Default: ${default}."`
	Nested  bool `help:"Judge the choice itself too: each fold by what is chosen and trained without it. Takes as much longer as there are folds."`
	Repeats *int `placeholder:"N" help:"Repeats of --nested, each with other folds. Default: 1."`
}

const maxFolds = 100

func (f judgingFlags) apply(cfg *train.Config) error {
	repeats := 1
	if f.Repeats != nil {
		repeats = *f.Repeats
	}
	switch {
	case f.Folds < 2 || f.Folds > maxFolds:
		return usagef("--folds %d: want 2 to %d", f.Folds, maxFolds)
	case f.Repeats != nil && !f.Nested:
		return usagef("--repeats is for --nested")
	case repeats < 1 || repeats > train.MaxNested:
		return usagef("--repeats %d: want 1 to %d", repeats, train.MaxNested)
	case f.Nested && f.Folds < 3:
		return usagef("--nested: want --folds of at least 3, since the choice is made on all folds but one")
	}
	cfg.Folds = f.Folds
	if f.Nested {
		cfg.Nested = repeats
	}
	return nil
}
