package train

import (
	"context"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string // "" for none
	}{
		{"default", func(*Config) {}, ""},
		{"two folds", func(c *Config) { c.Folds = 2 }, ""},
		{"a hundred folds", func(c *Config) { c.Folds = 100 }, ""},
		{"least alpha", func(c *Config) { c.Alphas = []float64{MinStrength} }, ""},
		{"largest alpha", func(c *Config) { c.Alphas = []float64{MaxStrength} }, ""},
		{"no features", func(c *Config) { c.Features = nil }, "to choose from"},
		{"no values", func(c *Config) { c.Values = nil }, "to choose from"},
		{"no estimators", func(c *Config) { c.Estimators = nil }, "to choose from"},
		{"no alphas, which is the usual ones", func(c *Config) { c.Alphas = nil }, ""},
		{"cost 0", func(c *Config) { c.Costs = []float64{0} }, "cost 0: want"},
		{"no members", func(c *Config) { c.Members = 0 }, "0 members: want"},
		{"too many members", func(c *Config) { c.Members = maxMembers + 1 }, "members: want"},
		{"nested too often", func(c *Config) { c.Nested = MaxNested + 1 }, "nested validation: want"},
		{"fewer than no budget", func(c *Config) { c.Budget = -1 }, "budget -1: want"},
		{"coverage 0.4", func(c *Config) { c.Coverage = 0.4 }, "coverage 0.4"},
		{"coverage 1", func(c *Config) { c.Coverage = 1 }, "coverage 1"},
		{"coverage not a number", func(c *Config) { c.Coverage = math.NaN() }, "coverage NaN"},
		{"alpha 0", func(c *Config) { c.Alphas = []float64{1, 0} }, "cost 0: want"},
		{"alpha too large", func(c *Config) { c.Alphas = []float64{2 * MaxStrength} }, "2e+06: want"},
		{"alpha not a number", func(c *Config) { c.Alphas = []float64{math.NaN()} }, "NaN: want"},
		{"one fold", func(c *Config) { c.Folds = 1 }, "1 folds: want"},
		{"fewer than no folds", func(c *Config) { c.Folds = -1 }, "-1 folds: want"},
		{"too many folds", func(c *Config) { c.Folds = 101 }, "101 folds: want"},
		{"two lengths of characters", func(c *Config) {
			c.Features = []model.Features{{Words: 1, CharMin: 2, CharMax: 4}, ShortText}
		}, "must agree"},
		{"features that there are not", func(c *Config) { c.Features = []model.Features{{Words: 4}} }, "word n-grams up to 4"},
	} {
		cfg := quick()
		if c.name == "default" {
			cfg = Default()
		}
		c.change(&cfg)
		if _, _, err := Train(context.Background(), generated(1, 12), twoHeads, cfg); !says(err, c.want) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestUnion(t *testing.T) {
	chars := model.Features{Words: 1, CharMin: 2, CharMax: 4}
	for _, c := range []struct{ list, want []model.Features }{
		{[]model.Features{{Words: 2}}, []model.Features{{Words: 2}}},
		{[]model.Features{{Words: 1}, {Words: 3}}, []model.Features{{Words: 3}}},
		{[]model.Features{{Words: 2}, chars}, []model.Features{{Words: 2, CharMin: 2, CharMax: 4}}},
		{[]model.Features{chars, {Words: 2}, chars}, []model.Features{{Words: 2, CharMin: 2, CharMax: 4}}},
	} {
		if got, err := union(c.list); err != nil || got != c.want[0] {
			t.Errorf("%v: got %v, %v, want %v", c.list, got, err, c.want[0])
		}
	}
}

func TestCandidatesComeInOrderOfPreference(t *testing.T) {
	a, b := model.Features{Words: 1}, model.Features{Words: 2}
	c := Config{
		Features: []model.Features{a, b}, Values: []model.Value{model.TF},
		Estimators: []Estimator{ComplementNB, SVM}, Alphas: []float64{1, 0.5}, Costs: []float64{3},
	}
	var got []candidate
	for _, c := range c.candidates() {
		c.tier = 0
		got = append(got, c)
	}
	want := []candidate{
		{a, model.TF, ComplementNB, 1, false, 0}, {a, model.TF, ComplementNB, 0.5, false, 0},
		{b, model.TF, ComplementNB, 1, false, 0}, {b, model.TF, ComplementNB, 0.5, false, 0},
		{a, model.TF, SVM, 3, true, 0}, {a, model.TF, SVM, 3, false, 0},
		{b, model.TF, SVM, 3, true, 0}, {b, model.TF, SVM, 3, false, 0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every estimator can be pinned with every value, though the search would not
// try all.
func TestEveryPinHasACandidate(t *testing.T) {
	for e := range Estimator(estimators) {
		for _, v := range everyValue {
			c := Config{Features: []model.Features{LongText}, Values: []model.Value{v}, Estimators: []Estimator{e}}
			if len(c.candidates()) == 0 {
				t.Errorf("%s with %s values: no candidates", e, v)
			}
		}
	}
}

func TestWithinReason(t *testing.T) {
	words, chars := LongText, ShortText
	const many = charactersUpTo/512 + 1
	for _, c := range []struct {
		name   string
		list   []model.Features
		texts  int
		length int
		want   []model.Features
		warn   bool
	}{
		{"short texts", []model.Features{words, chars}, 50, 512, []model.Features{words, chars}, false},
		{"long texts", []model.Features{words, chars}, 50, charactersBelow + 1, []model.Features{words}, false},
		{"long texts, pinned", []model.Features{chars}, 50, charactersBelow + 1, []model.Features{chars}, false},
		{"many short texts", []model.Features{words, chars}, many, 512, []model.Features{words}, true},
		{"many short texts, pinned", []model.Features{chars}, many, 512, []model.Features{chars}, false},
		{"many short texts, words only", []model.Features{words}, many, 512, []model.Features{words}, false},
	} {
		examples := slices.Repeat(texts(strings.Repeat("x", c.length)), c.texts)
		var r Report
		if got := withinReason(c.list, examples, &r); !reflect.DeepEqual(got, c.want) || (len(r.Warnings) > 0) != c.warn {
			t.Errorf("%s: got %v with warnings %q, want %v, a warning: %t", c.name, got, r.Warnings, c.want, c.warn)
		}
	}
}
