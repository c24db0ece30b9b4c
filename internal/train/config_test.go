package train

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
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
		{"least alpha", func(c *Config) { c.Alphas = []float64{MinAlpha} }, ""},
		{"largest alpha", func(c *Config) { c.Alphas = []float64{MaxAlpha} }, ""},
		{"no features", func(c *Config) { c.Features = nil }, "to choose from"},
		{"no values", func(c *Config) { c.Values = nil }, "to choose from"},
		{"no estimators", func(c *Config) { c.Estimators = nil }, "to choose from"},
		{"no alphas", func(c *Config) { c.Alphas = nil }, "to choose from"},
		{"alpha 0", func(c *Config) { c.Alphas = []float64{1, 0} }, "alpha 0: want"},
		{"alpha too large", func(c *Config) { c.Alphas = []float64{1001} }, "alpha 1001: want"},
		{"alpha not a number", func(c *Config) { c.Alphas = []float64{math.NaN()} }, "alpha NaN: want"},
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

// says reports whether err has want in its text, or is nil when want is empty.
func says(err error, want string) bool {
	return err == nil && want == "" || err != nil && want != "" && strings.Contains(err.Error(), want)
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
		Estimators: []Estimator{ComplementNB, MultinomialNB}, Alphas: []float64{1, 0.5},
	}
	got := c.candidates()
	want := []candidate{
		{a, model.TF, ComplementNB, 1}, {a, model.TF, ComplementNB, 0.5},
		{b, model.TF, ComplementNB, 1}, {b, model.TF, ComplementNB, 0.5},
		{a, model.TF, MultinomialNB, 1}, {a, model.TF, MultinomialNB, 0.5},
		{b, model.TF, MultinomialNB, 1}, {b, model.TF, MultinomialNB, 0.5},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := countedAlike(got), [][]int{{0, 1, 4, 5}, {2, 3, 6, 7}}; !reflect.DeepEqual(got, want) {
		t.Errorf("counted alike: got %v, want %v", got, want)
	}
}

func TestBestIsTheFirstOfEqualTrials(t *testing.T) {
	trials := []trial{{candidate{Alpha: 1}, 0.2, 0.9}, {candidate{Alpha: 2}, 0.5, 0.1}, {candidate{Alpha: 3}, 0.5, 0.8}}
	if got := best(trials); got.Alpha != 2 {
		t.Errorf("got alpha %v, want 2", got.Alpha)
	}
}

func TestAffordable(t *testing.T) {
	words, chars := LongText, ShortText
	mb := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name string
		list []model.Features
		mb   int
		want []model.Features
		warn bool
	}{
		{"little text", []model.Features{words, chars}, 32, []model.Features{words, chars}, false},
		{"much text", []model.Features{words, chars}, 33, []model.Features{words}, true},
		{"much text, pinned", []model.Features{chars}, 33, []model.Features{chars}, false},
		{"much text, words only", []model.Features{words}, 33, []model.Features{words}, false},
	} {
		var examples []dataset.Example
		for range c.mb {
			examples = append(examples, dataset.Example{Text: mb})
		}
		var r Report
		if got := affordable(c.list, examples, &r); !reflect.DeepEqual(got, c.want) || (len(r.Warnings) > 0) != c.warn {
			t.Errorf("%s: got %v with warnings %q, want %v, a warning: %t", c.name, got, r.Warnings, c.want, c.warn)
		}
	}
}
