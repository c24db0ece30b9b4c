package train

import (
	"fmt"

	"github.com/parley-nlp/parley/internal/model"
)

// A Config says what a training run may choose from. Every list with one
// entry pins that choice.
type Config struct {
	Features   []model.Features
	Values     []model.Value
	Estimators []Estimator
	Alphas     []float64 // smoothing, in counts
	Folds      int       // of the cross-validation; 0 means 5
	// Progress, when set, is called as the search goes on.
	Progress func(done, total int)
}

// The presets: feature sets that are known to do well.
var (
	// ShortText suits opinions, posts and paragraphs: character n-grams see
	// through spelling and endings.
	ShortText = model.Features{Words: 3, CharMin: 2, CharMax: 5}
	// LongText suits articles, whose words say enough.
	LongText = model.Features{Words: 2}
)

// Bounds of the smoothing.
const (
	MinAlpha = 1e-6
	MaxAlpha = 1e3
)

// Default is the configuration of a training run without flags.
func Default() Config {
	return Config{
		Features:   []model.Features{LongText, ShortText},
		Values:     []model.Value{model.Binary, model.TF},
		Estimators: []Estimator{MultinomialNB, ComplementNB},
		Alphas:     []float64{1, 0.3, 0.1, 0.03, 0.01},
	}
}

// check returns an error when c leaves no choice or a wrong one.
func (c *Config) check() error {
	if len(c.Features) == 0 || len(c.Values) == 0 || len(c.Estimators) == 0 || len(c.Alphas) == 0 {
		return fmt.Errorf("configuration: no features, values, estimators or alphas to choose from")
	}
	for _, a := range c.Alphas {
		if !(a >= MinAlpha && a <= MaxAlpha) {
			return fmt.Errorf("alpha %v: want %v to %v", a, MinAlpha, MaxAlpha)
		}
	}
	if c.Folds < 0 || c.Folds == 1 || c.Folds > 100 {
		return fmt.Errorf("%d folds: want 2 to 100", c.Folds)
	}
	_, err := union(c.Features)
	return err
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

// A candidate is one way to train a head.
type candidate struct {
	Features  model.Features
	Value     model.Value
	Estimator Estimator
	Alpha     float64
}

func (c candidate) String() string {
	return fmt.Sprintf("%s, alpha %v, %s values, %s", c.Estimator, c.Alpha, c.Value, c.Features)
}

// candidates lists the choices, preferred ones first: of two that do equally
// well the earlier one wins.
func (c *Config) candidates() []candidate {
	var list []candidate
	for _, e := range c.Estimators {
		for _, f := range c.Features {
			for _, v := range c.Values {
				for _, a := range c.Alphas {
					list = append(list, candidate{f, v, e, a})
				}
			}
		}
	}
	return list
}

// countedAlike groups the positions of candidates with equal features and
// values: they differ only in what they make of the same counts.
func countedAlike(candidates []candidate) [][]int {
	type counted struct {
		f model.Features
		v model.Value
	}
	at := map[counted]int{}
	var groups [][]int
	for i, c := range candidates {
		k := counted{c.Features, c.Value}
		if _, ok := at[k]; !ok {
			at[k] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[k]] = append(groups[at[k]], i)
	}
	return groups
}
