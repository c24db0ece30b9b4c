package train

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// opposedOrders returns texts in which the order of two words tells the label:
// of one target the opposite of what it tells of the other.
func opposedOrders(n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(5, 5))
	var list []dataset.Example
	for i := range n {
		target, label := rng.IntN(2), rng.IntN(2)
		var words []string
		for range 6 {
			a := rng.IntN(12)
			x, y := fmt.Sprint("left", a), fmt.Sprint("right", a)
			if label != target {
				x, y = y, x
			}
			words = append(words, x, y, fmt.Sprint("word", rng.IntN(40)))
		}
		list = append(list, dataset.Example{
			Text: strings.Join(words, " "), Target: []string{"oil", "wind power"}[target], Labels: []string{[]string{"con", "pro"}[label]},
			Group: fmt.Sprint("source", i), File: "orders", Line: i + 1,
		})
	}
	return list
}

// The weights of a target are looked up for features that the model knows: those
// that say nothing of texts in general must stay for them.
func TestTargetWeightsAreReached(t *testing.T) {
	examples := opposedOrders(600)
	for _, e := range []Estimator{MultinomialNB, NBLogistic, SVM} {
		m, r := mustTrain(t, examples, []string{"stance"}, Config{
			Features: []model.Features{{Words: 1}, {Words: 2}}, Values: []model.Value{model.Binary}, Estimators: []Estimator{e}, Members: 3, Folds: 3,
		})
		c, right := m.NewClassifier(), 0
		for _, ex := range examples {
			if m.Heads()[0].Labels[c.Classify(ex.Text, ex.Target).Predictions[0].Best] == ex.Labels[0] {
				right++
			}
		}
		if judged := r.Heads[0].Accuracy; judged < 0.95 || float64(right) < 0.95*float64(len(examples)) {
			t.Errorf("%v: accuracy %.3f out of fold, %d of %d right as served", e, judged, right, len(examples))
		}
	}
}

// A stream that changes or ends while the strings are read is an error, not a
// model without them.
func TestStringsOfAFailingStream(t *testing.T) {
	examples := generated(61, 120)
	cfg := counted(MultinomialNB, model.Binary, 0.3)
	cfg.Strings = true
	source := &rereadable{examples: examples}
	if _, _, err := Stream(t.Context(), source.rows, twoHeads, cfg); err != nil {
		t.Fatal(err)
	}
	last := source.passes
	for _, row := range []int{0, 119} {
		changing := &rereadable{examples: examples, changeIn: last, changeRow: row}
		_, _, err := Stream(t.Context(), changing.rows, twoHeads, cfg)
		if err == nil || !strings.Contains(err.Error(), "the file changed while it was read") {
			t.Errorf("row %d changed in pass %d: error %v", row, last, err)
		}
	}
}

// A rereadable gives examples again and again, one of them changed in one pass.
type rereadable struct {
	examples            []dataset.Example
	changeIn, changeRow int
	passes              int
}

func (r *rereadable) rows() iter.Seq2[dataset.Example, error] {
	r.passes++
	pass := r.passes
	return func(yield func(dataset.Example, error) bool) {
		for i, ex := range r.examples {
			if pass == r.changeIn && i == r.changeRow {
				ex.Text += " changed"
			}
			if !yield(ex, nil) {
				return
			}
		}
	}
}
