package train

import (
	"math"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// The outcomes in the file are the confusion matrix of the report, parted by
// confidence.
func TestOutcomes(t *testing.T) {
	m, report := mustTrain(t, generated(1, 300), []string{"topic", "stance"}, quick())
	for i, h := range m.Heads() {
		o, hr := &h.Evaluation.Outcomes, &report.Heads[i]
		if len(o.Levels) == 0 || o.Dispersion < 1 {
			t.Errorf("%s: levels %v, dispersion %v", h.Name, o.Levels, o.Dispersion)
		}
		confusion := make([][]int, len(h.Labels))
		for l := range confusion {
			confusion[l] = make([]int, len(h.Labels))
		}
		texts := 0.0
		for _, c := range o.Counts {
			confusion[c.Truth][c.Predicted] += int(c.Count)
			texts += float64(c.Count)
		}
		for l := range confusion {
			for p := range confusion[l] {
				if confusion[l][p] != hr.Confusion[l][p] {
					t.Errorf("%s: %d texts of %s were taken for %s, in the report %d", h.Name, confusion[l][p], h.Labels[l], h.Labels[p], hr.Confusion[l][p])
				}
			}
		}
		stated := 0.0
		for _, s := range o.Stated {
			stated += s
		}
		if want := len(h.Labels) * len(h.Labels) * (len(o.Levels) + 1); len(o.Stated) != want || math.Abs(stated-texts) > 1e-6 {
			t.Errorf("%s: %d stated sums, %v together: want %d and %v", h.Name, len(o.Stated), stated, want, texts)
		}
	}
}

// With another prior the model answers otherwise than in its cross-validation.
func TestNoOutcomesWithAnotherPrior(t *testing.T) {
	cfg := quick()
	cfg.Prior.Mode = UniformPrior
	m, _ := mustTrain(t, generated(1, 300), []string{"topic"}, cfg)
	if o := m.Heads()[0].Evaluation.Outcomes; len(o.Counts)+len(o.Levels)+len(o.Stated) > 0 || o.Dispersion != 0 {
		t.Errorf("outcomes %+v", o)
	}
}

func TestDispersion(t *testing.T) {
	var even, uneven []model.Outcome
	var folds []int
	for f := range 4 {
		for i := range 50 {
			folds = append(folds, f)
			answer := uint32(0)
			if i%5 == 0 {
				answer = 1
			}
			even = append(even, model.Outcome{Predicted: answer, Count: 1})
			answer = 0
			if i < []int{2, 18, 3, 17}[f] {
				answer = 1
			}
			uneven = append(uneven, model.Outcome{Predicted: answer, Count: 1})
		}
	}
	if got := dispersion(even, folds, 4, 2); got != 1 {
		t.Errorf("folds that are alike: %v, want 1", got)
	}
	// In each fold 10 of 50 are expected: squared differences 64, 64, 49, 49.
	if got, want := dispersion(uneven, folds, 4, 2), (226.0/10+226.0/40)/3; math.Abs(got-want) > 1e-12 {
		t.Errorf("folds that differ: %v, want %v", got, want)
	}
	if got := dispersion(even[:3], folds[:3], 4, 2); got != 1 {
		t.Errorf("three texts: %v, want 1", got)
	}
}
