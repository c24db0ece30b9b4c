package train

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// judged is the model that the tests evaluate.
var judged = sync.OnceValue(func() *model.Model {
	m, _, err := Train(context.Background(), generated(1, 320), twoHeads, quick())
	if err != nil {
		panic(err)
	}
	return m
})

func mustEvaluate(t testing.TB, examples []dataset.Example, heads ...string) *Report {
	t.Helper()
	r, err := Evaluate(judged(), examples, heads)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEvaluateKnowsTheTrainingData(t *testing.T) {
	training := shuffled(generated(1, 320), 1)
	for _, c := range []struct {
		name     string
		examples []dataset.Example
		trained  bool
	}{
		{"the training rows", training, true},
		{"all but one of them", training[1:], false},
		{"other rows", generated(2, 60), false},
	} {
		r := mustEvaluate(t, c.examples, twoHeads...)
		warned := slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "the model was trained on") })
		if r.TrainedOn != c.trained || warned != c.trained {
			t.Errorf("%s: trained on %t, warned %t; want %t", c.name, r.TrainedOn, warned, c.trained)
		}
	}
}

func TestEvaluateJudgesOtherRows(t *testing.T) {
	r := mustEvaluate(t, generated(2, 90), twoHeads...)
	for i, name := range twoHeads {
		h := r.Heads[i]
		if h.Head != name || h.Accuracy < h.MajorityAccuracy+0.15 || h.Accuracy == 1 {
			t.Errorf("%s: got head %s, accuracy %.3f, majority %.3f", name, h.Head, h.Accuracy, h.MajorityAccuracy)
		}
	}
	if r.Rows != 90 || r.Sources != 45 || r.Folds != 0 {
		t.Errorf("got %d rows, %d sources, %d folds, want 90, 45, 0", r.Rows, r.Sources, r.Folds)
	}
}

func TestEvaluateDoesNotDependOnOrder(t *testing.T) {
	examples := generated(2, 60)
	examples[3].Labels[0], examples[9].Labels[0] = "new", "newer"
	want := asJSON(t, mustEvaluate(t, examples, twoHeads...))
	for seed := range uint64(5) {
		if got := asJSON(t, mustEvaluate(t, shuffled(examples, seed), twoHeads...)); !bytes.Equal(got, want) {
			t.Errorf("seed %d: got %s, want %s", seed, got, want)
		}
	}
}

func TestEvaluateCountsUnknownLabelsAsMistakes(t *testing.T) {
	examples := generated(1, 30)
	for i := range 10 {
		examples[i].Labels[0] = []string{"new", "newer"}[i%2]
	}
	r := mustEvaluate(t, examples, "topic")
	h := r.Heads[0]
	if h.Examples != 30 || h.Accuracy > 20./30 || h.Accuracy < 19./30 {
		t.Errorf("%d examples, accuracy %.3f; want 30, two thirds at most", h.Examples, h.Accuracy)
	}
	var labels []string
	for _, l := range h.Labels {
		labels = append(labels, l.Label)
		if strings.HasPrefix(l.Label, "new") && (l.Examples != 5 || l.Predicted != 0 || l.Recall != 0) {
			t.Errorf("got %+v, want 5 examples, all missed", l)
		}
	}
	if slices.Sort(labels); !slices.Equal(labels, []string{"economy", "new", "newer", "people", "summit"}) {
		t.Errorf("got labels %q", labels)
	}
	if len(r.Warnings) != 2 {
		t.Errorf("got warnings %q, want one a label", r.Warnings)
	}
}

func TestEvaluateCountsAbstentions(t *testing.T) {
	examples := generated(1, 20)
	for i := range 5 {
		examples[i].Text = "qwrtz" // not one known word
	}
	r := mustEvaluate(t, examples, "topic")
	if got := r.Heads[0].Answered; got != 15 {
		t.Errorf("%d rows answered, want 15", got)
	}
	if want := "answered     0.750    of 20 rows"; !strings.Contains(asText(t, r), want) {
		t.Errorf("no %q in\n%s", want, asText(t, r))
	}
	for i := range examples {
		examples[i].Text = "qwrtz"
	}
	if got, want := asText(t, mustEvaluate(t, examples, "topic")), "answered     0.000    of 20 rows"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

func TestEvaluateTakesHeadsByName(t *testing.T) {
	examples := generated(1, 20)
	for i := range examples {
		slices.Reverse(examples[i].Labels)
	}
	r := mustEvaluate(t, examples, "stance", "topic")
	if r.Heads[0].Head != "stance" || len(r.Heads[0].Labels) != 2 || r.Heads[1].Head != "topic" || len(r.Heads[1].Labels) != 3 {
		t.Errorf("got %+v", r.Heads)
	}
	m, _ := mustTrain(t, generated(1, 20), twoHeads, quick())
	if _, err := Evaluate(m, examples, []string{"tone", "topic"}); !says(err, `the model has no head "tone": it has topic, stance`) {
		t.Errorf("got error %v", err)
	}
}

func TestEvaluateWithoutLabels(t *testing.T) {
	examples := generated(1, 4)
	for i := range examples {
		examples[i].Labels = []string{""}
	}
	r := mustEvaluate(t, examples, "topic")
	if got := r.Heads[0].Examples; got != 0 || !strings.Contains(asText(t, r), "not evaluated") {
		t.Errorf("got %d examples and\n%s", got, asText(t, r))
	}
}
