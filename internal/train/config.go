package train

import (
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// A Config says what a training run may choose from. Every list with one
// entry pins that choice.
type Config struct {
	Features   []model.Features
	Values     []model.Value
	Estimators []Estimator
	// Alphas are the smoothings of naive Bayes, in values; Costs the strengths
	// C of linear models. Empty: those that are known to suit each value
	// function.
	Alphas, Costs []float64
	// Members is how many members a blend may have; 1 for a single estimator.
	Members int
	Folds   int // of the cross-validation; 0 means 5
	// Nested is how often the whole choice is validated by an outer
	// cross-validation, each time dealt anew; 0 for never.
	Nested int
	// Budget bounds the work of the search; 0 means DefaultBudget. See
	// candidate.work.
	Budget int64
	Prior  Prior
	// Objective is what the named label shall be best for.
	Objective Objective
	// Purposes ask for thresholds on the probability of a label.
	Purposes []string
	// MinSources is in how many sources a feature must occur to be known: with 2
	// a model holds nothing that only one has; targets then get no weights of
	// their own. 0 means 1.
	MinSources int
	// MinTexts is in how many texts a feature must occur to be known, for
	// FromStatistics alone, which knows no sources. 0 means 1.
	MinTexts int
	// Prune leaves out n-grams of few sources where that does no harm.
	Prune bool
	// Strings puts what the features are into the model.
	Strings bool
	// Coverage asks for conformal label sets that hold the true label with this
	// probability; 0 for none.
	Coverage float64
	// Recipe, when set, is what the search has chosen before: it is not made again
	// for heads that the recipe has. See Recipe.Config.
	Recipe *Recipe
	// Progress, when set, is called as the search goes on.
	Progress func(done, total int)
}

// The feature sets of the presets and of the default search.
var (
	// ShortText suits opinions, posts and paragraphs: character n-grams see
	// through spelling and endings.
	ShortText = model.Features{Words: 3, CharMin: 2, CharMax: 5}
	// LongText suits articles, whose words say enough.
	LongText = model.Features{Words: 2}

	singleWords = model.Features{Words: 1}
	wordPairs   = model.Features{Words: 2, CharMin: 2, CharMax: 5}
)

// Presets are the feature sets by what users call them.
var Presets = map[string]model.Features{"short": ShortText, "long": LongText}

// Bounds of alphas and costs.
const (
	MinStrength = 1e-6
	MaxStrength = 1e6
)

// MaxNested bounds Config.Nested.
const MaxNested = 20

// Default is the configuration of a training run without flags.
func Default() Config {
	c := Config{
		Features: []model.Features{LongText, singleWords, wordPairs, ShortText},
		Values:   []model.Value{model.Binary, model.TF, model.BinaryL2, model.TFIDF},
		Members:  maxMembers,
		Prune:    true,
		Strings:  true,
	}
	for e := range Estimator(estimators) {
		c.Estimators = append(c.Estimators, e)
	}
	return c
}

// check returns an error when c leaves no choice or a wrong one.
func (c *Config) check() error {
	if len(c.Features) == 0 || len(c.Values) == 0 || len(c.Estimators) == 0 {
		return fmt.Errorf("configuration: no features, values or estimators to choose from")
	}
	for _, s := range slices.Concat(c.Alphas, c.Costs) {
		if !(s >= MinStrength && s <= MaxStrength) {
			return fmt.Errorf("alpha or cost %v: want %v to %v", s, MinStrength, MaxStrength)
		}
	}
	switch {
	case c.Folds < 0 || c.Folds == 1 || c.Folds > 100:
		return fmt.Errorf("%d folds: want 2 to 100", c.Folds)
	case c.Members < 1 || c.Members > maxMembers:
		return fmt.Errorf("%d members: want 1 to %d", c.Members, maxMembers)
	case c.Nested < 0 || c.Nested > MaxNested:
		return fmt.Errorf("%d repeats of the nested validation: want at most %d", c.Nested, MaxNested)
	case c.Budget < 0:
		return fmt.Errorf("budget %d: want at least 0", c.Budget)
	case c.MinSources < 0 || c.MinSources > MaxMinSources:
		return fmt.Errorf("features of at least %d sources: want 1 to %d", c.MinSources, MaxMinSources)
	case c.MinTexts != 0:
		return fmt.Errorf("features of at least %d texts: that is for statistics; otherwise sources are counted", c.MinTexts)
	case c.Coverage != 0 && !(c.Coverage >= 0.5 && c.Coverage < 1):
		return fmt.Errorf("coverage %v of label sets: want 0.5 to below 1", c.Coverage)
	}
	_, err := union(c.Features)
	return err
}

// cut is that of the features that are asked for.
func (c *Config) cut() cut {
	if c.Recipe != nil {
		return c.Recipe.cut()
	}
	var all cut
	for family := range all {
		all[family] = uint8(max(c.MinSources, 1))
	}
	return all
}

// sourceLimit is how far sources have to be counted.
func (c *Config) sourceLimit() uint8 {
	if c.Recipe != nil {
		return max(uint8(c.MinSources), uint8(slices.Max(c.Recipe.Cut[:])))
	}
	if c.Prune {
		return uint8(max(c.MinSources, mostCut))
	}
	return uint8(c.MinSources)
}

// union returns features that contain all of list. Sets with character n-grams
// must agree on their lengths: a feature's id does not tell its length.
func union(list []model.Features) (model.Features, error) {
	all := list[0]
	for _, f := range list[1:] {
		if f.CharMax > 0 && all.CharMax > 0 && (f.CharMin != all.CharMin || f.CharMax != all.CharMax) {
			return all, fmt.Errorf("%s and %s: candidates with character n-grams must agree on their lengths", all, f)
		}
		all = join(all, f)
	}
	return all, nil
}

// join returns features that contain those of a and b, which agree on the
// lengths of characters.
func join(a, b model.Features) model.Features {
	a.Words = max(a.Words, b.Words)
	if b.CharMax > 0 {
		a.CharMin, a.CharMax = b.CharMin, b.CharMax
	}
	return a
}

// A candidate is one way to train a table of weights.
type candidate struct {
	Features  model.Features
	Value     model.Value
	Estimator Estimator
	Strength  float64 // alpha or C
	Balanced  bool    // see linearProblem
	tier      int     // the lower the likelier to be the best of its kind
}

func (c candidate) String() string {
	strength := "alpha"
	if c.Estimator.linear() {
		strength = "C"
	}
	s := fmt.Sprintf("%s, %s %v", c.Estimator, strength, c.Strength)
	if c.Balanced {
		s += " balanced"
	}
	return fmt.Sprintf("%s, %s values, %s", s, c.Value, c.Features)
}

// A space is how a candidate sees texts.
type space struct {
	Features model.Features
	Value    model.Value
}

func (c candidate) space() space { return space{c.Features, c.Value} }

// candidates lists the choices, preferred ones first: of two that do equally
// well the earlier one wins.
func (c *Config) candidates() []candidate {
	var list []candidate
	for _, e := range c.Estimators {
		for _, f := range c.Features {
			for _, v := range c.Values {
				strengths, tier := c.strengths(e, v)
				for _, s := range strengths {
					if e == SVM {
						list = append(list, candidate{f, v, e, s, true, tier})
						tier++
					}
					list = append(list, candidate{f, v, e, s, false, tier})
					tier++
				}
			}
		}
	}
	return list
}

// strengths are the alphas or costs to try, and the tier of the first. An
// estimator that does not suit the values is left out, unless there is no other
// choice.
func (c *Config) strengths(e Estimator, v model.Value) ([]float64, int) {
	list, tier := usual(e, v)
	switch given := c.given(e); {
	case len(given) > 0:
		return given, tier
	case len(list) > 0 || len(c.Values) > 1 && len(c.Estimators) > 1:
		return list, tier
	case e.linear():
		return []float64{0.1, 0.3, 1, 0.03}, 0
	}
	return []float64{0.1, 0.3, 1, 0.03, 0.01}, 0
}

func (c *Config) given(e Estimator) []float64 {
	if e.linear() {
		return c.Costs
	}
	return c.Alphas
}

// usual are the strengths among which the best one nearly always was, on
// training data of many kinds, likely ones first, and the tier of the first;
// none where another value function did better on all of them.
func usual(e Estimator, v model.Value) (strengths []float64, tier int) {
	switch e {
	case MultinomialNB:
		return []float64{0.1, 0.3, 1, 0.03, 0.01}, tierOf(v, model.TFIDF, model.Binary)
	case ComplementNB:
		return []float64{0.3, 0.1, 1, 3, 0.03, 0.01}, tierOf(v, model.TFIDF, model.BinaryL2)
	case TransformedCNB:
		if v == model.TFIDF {
			return []float64{0.3, 1, 0.1}, 1
		}
	case NBLogistic:
		if v == model.Binary {
			return []float64{0.1, 0.01}, 0
		}
	case NBSVM:
		switch v {
		case model.Binary:
			return []float64{0.1}, 1
		case model.BinaryL2, model.TFIDF:
			return []float64{1, 0.3}, tierOf(v, model.TFIDF)
		}
	case Logistic:
		switch v {
		case model.Binary:
			return []float64{0.1}, 2
		case model.BinaryL2, model.TFIDF:
			return []float64{3}, 2
		}
	case SVM:
		switch v {
		case model.Binary:
			return []float64{0.01}, 1
		case model.BinaryL2, model.TFIDF:
			return []float64{0.3, 1, 0.1}, tierOf(v, model.TFIDF)
		}
	}
	return nil, 0
}

// tierOf is 0 for the given values, and 1 for others.
func tierOf(v model.Value, first ...model.Value) int {
	if slices.Contains(first, v) {
		return 0
	}
	return 1
}
