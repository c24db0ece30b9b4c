package prevalence

import (
	"math/rand/v2"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// A simulation is a classifier that answers texts of each label with given
// probabilities. Its levels of confidence are 0, below .5, and 1.
type simulation struct {
	labels []string
	p      [][]float64 // labels x cells
}

// threeLabels is right for 70% of the texts.
var threeLabels = simulation{
	labels: []string{"a", "b", "c"},
	p: [][]float64{
		{.15, .55, .12, .03, .10, .05},
		{.14, .06, .20, .50, .07, .03},
		{.15, .05, .08, .02, .20, .50},
	},
}

// answer draws the cell of a text.
func (s simulation) answer(rng *rand.Rand, label int) int {
	u := rng.Float64()
	for k, p := range s.p[label] {
		if u -= p; u < 0 {
			return k
		}
	}
	return len(s.p[label]) - 1
}

// head is what a cross-validation of so many texts a label tells.
func (s simulation) head(name string, rng *rand.Rand, texts int) Head {
	h := Head{Name: name, Labels: s.labels, Prior: uniform(len(s.labels))}
	var list []model.Outcome
	for l := range s.labels {
		for range texts {
			k := s.answer(rng, l)
			list = append(list, model.Outcome{Truth: uint32(l), Predicted: uint32(k / 2), Level: uint32(k % 2), Count: 1})
		}
	}
	h.Errors.Outcomes = model.Outcomes{Levels: []float64{.5}, Counts: model.SumOutcomes(list), Dispersion: 1}
	return h
}

// row draws the answer to a text.
func (s simulation) row(rng *rand.Rand, id string, label int) Row {
	k := s.answer(rng, label)
	return Row{ID: id, Heads: []Answer{{Label: s.labels[k/2], Probability: .25 + .5*float64(k%2)}}}
}

// dirichlet draws shares, all alike probable.
func dirichlet(rng *rand.Rand, n int) []float64 {
	q, sum := make([]float64, n), 0.0
	for l := range q {
		q[l] = rng.ExpFloat64()
		sum += q[l]
	}
	for l := range q {
		q[l] /= sum
	}
	return q
}

// pick draws a label.
func pick(rng *rand.Rand, q []float64) int {
	u := rng.Float64()
	for l, p := range q {
		if u -= p; u < 0 {
			return l
		}
	}
	return len(q) - 1
}

func mustAdd(t testing.TB, s *Summariser, r Row) {
	t.Helper()
	if err := s.Add(r); err != nil {
		t.Fatal(err)
	}
}

func mustReport(t testing.TB, s *Summariser) *Report {
	t.Helper()
	r, err := s.Report()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
