package train

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

// noise returns examples whose labels have nothing to do with their texts.
func noise(seed uint64, n, labels int) []dataset.Example {
	rng := rand.New(rand.NewPCG(seed, 4))
	examples := generated(seed, n)
	for i := range examples {
		examples[i].Labels = []string{fmt.Sprint("label", rng.IntN(labels))}
	}
	return examples
}

// Where there is nothing to learn the nested figures are at chance, and the
// figures of the chosen candidate, being those of the best of many, are on
// average no lower.
func TestNestedFiguresOfNoiseAreAtChance(t *testing.T) {
	cfg := quick()
	cfg.Nested, cfg.Features = 1, cfg.Features[:1]
	const runs = 8
	nested, plain := 0.0, 0.0
	for seed := range uint64(runs) {
		_, r := mustTrain(t, noise(seed, 200, 2), []string{"topic"}, cfg)
		h := r.Heads[0]
		if len(h.Nested) != 1 || h.Nested[0].Examples != 200 {
			t.Fatalf("got %d repeats", len(h.Nested))
		}
		best := 0.0
		for _, c := range h.Candidates {
			if c.Folds == r.Folds {
				best = max(best, c.Accuracy)
			}
		}
		nested, plain = nested+h.Nested[0].Accuracy/runs, plain+best/runs
		if h.Nested[0].NLL > 1.15*h.BaseNLL {
			t.Errorf("seed %d: nested NLL %.3f, of the shares %.3f", seed, h.Nested[0].NLL, h.BaseNLL)
		}
	}
	within(t, "nested accuracy", nested, 0.5, 0.04)
	if plain < nested {
		t.Errorf("the best candidates have accuracy %.3f, nested it is %.3f", plain, nested)
	}
}

// Where there is something to learn the nested figures show it.
func TestNestedFiguresAreNearThePlainOnes(t *testing.T) {
	cfg := quick()
	cfg.Nested = 2
	_, r := mustTrain(t, generated(3, 240), twoHeads, cfg)
	for _, h := range r.Heads {
		if len(h.Nested) != 2 || h.Nested[0].NLL == h.Nested[1].NLL {
			t.Fatalf("%s: want two repeats that differ", h.Head)
		}
		for _, n := range h.Nested {
			within(t, h.Head+": nested accuracy", n.Accuracy, h.Accuracy, 0.08)
		}
	}
}

// What is kept out of sight changes nothing: neither texts nor labels of the
// outer fold reach the choice.
func TestHeldOutFoldDoesNotReachTheChoice(t *testing.T) {
	cfg := quick()
	task := prepared(t, generated(4, 90), twoHeads, ShortText, 3)[0]
	other := *task
	other.truth = append([]int(nil), task.truth...)
	for i, f := range task.fold {
		if f == 1 {
			other.truth[i] = (task.truth[i] + 1) % len(task.labels)
		}
	}
	cfg.Features = cfg.Features[:1]
	a, _, _ := task.without(1).choose(t.Context(), &cfg, func() {})
	b, _, _ := other.without(1).choose(t.Context(), &cfg, func() {})
	if got, want := fmt.Sprint(b.pooledBlend, b.pooled[0].candidate), fmt.Sprint(a.pooledBlend, a.pooled[0].candidate); got != want {
		t.Errorf("with other labels in the held out fold: %s, want %s", got, want)
	}
}
