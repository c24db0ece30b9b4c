package train

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

// TestRecipeMakesTheSameBytes: what a search chose, chosen without a search.
func TestRecipeMakesTheSameBytes(t *testing.T) {
	cases := map[string]struct {
		examples []dataset.Example
		heads    []string
	}{
		"two heads": {generated(1, 400), twoHeads},
		"targets":   {opposed(2, 500), []string{"stance"}},
		"too few":   {generated(3, 12), twoHeads},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := quick()
			searched, report, err := Train(t.Context(), c.examples, c.heads, cfg)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(report.Recipe)
			if err != nil {
				t.Fatal(err)
			}
			r, err := ParseRecipe(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			cooked, again, err := Train(t.Context(), c.examples, c.heads, r.Config())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(searched.Bytes(), cooked.Bytes()) {
				t.Errorf("recipe %s: another model", text)
			}
			if second, _ := json.Marshal(again.Recipe); !bytes.Equal(text, second) {
				t.Errorf("its recipe is %s, was %s", second, text)
			}
		})
	}
}

// TestRecipeSearchesForNewHeads: a head that the recipe does not have.
func TestRecipeSearchesForNewHeads(t *testing.T) {
	examples := generated(1, 200)
	var topics []dataset.Example
	for _, ex := range examples {
		ex.Labels = ex.Labels[:1]
		topics = append(topics, ex)
	}
	_, report, err := Train(t.Context(), topics, twoHeads[:1], quick())
	if err != nil {
		t.Fatal(err)
	}
	cfg := quick()
	cfg.Recipe, cfg.Prune = report.Recipe, false
	m, report, err := Train(t.Context(), examples, twoHeads, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if m.Head("topic") < 0 || m.Head("stance") < 0 || len(report.Recipe.Heads) != 2 {
		t.Errorf("recipe %+v", report.Recipe)
	}
}

func TestParseRecipeRefuses(t *testing.T) {
	good := `{"format":1,"objective":"macro-f1","folds":5,"cut":[1,1,1,1],"min_sources":1,"strings":true,` +
		`"heads":[{"head":"topic","members":[{"words":1,"value":"binary","estimator":"mnb","strength":1}]}]}`
	if _, err := ParseRecipe([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"format":1`, `"format":2`, "format 2"},
		{`"folds":5`, `"folds":1`, "1 folds"},
		{`macro-f1`, `f2`, `objective "f2"`},
		{`[1,1,1,1]`, `[1,0,1,1]`, "single words of at least 0 sources"},
		{`"mnb"`, `"gpt"`, `estimator "gpt"`},
		{`"binary"`, `"ternary"`, "ternary"},
		{`"strength":1`, `"strength":-1`, "strength -1"},
		{`"words":1`, `"words":9`, "9"},
		{`"strings":true`, `"strung":true`, "strung"},
		{`"members":[`, `"members":[],"target_members":[`, "no members"},
	} {
		_, err := ParseRecipe([]byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.new, err, c.want)
		}
	}
	if _, err := ParseRecipe([]byte(good + "{}")); err == nil {
		t.Error("two objects are taken")
	}
}

func TestDataSumIsThatOfTheModel(t *testing.T) {
	examples := generated(1, 60)
	m, _, err := Train(t.Context(), examples, twoHeads, quick())
	if err != nil {
		t.Fatal(err)
	}
	shuffled := slices.Clone(examples)
	slices.Reverse(shuffled)
	if got := DataSum(shuffled, twoHeads); got != m.TrainingData() {
		t.Errorf("sum %s, the model says %s", got, m.TrainingData())
	}
	if DataSum(examples[1:], twoHeads) == m.TrainingData() {
		t.Error("a row less has the same sum")
	}
}
