package train

import (
	"cmp"
	"context"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/exact"
)

// A Doubt is a label other than the one that texts of other sources lead to expect.
type Doubt struct {
	Example         dataset.Example
	Head            string
	Given, Expected string
	Surprise        float64 // -ln of the out-of-fold probability of Given
}

// Doubts returns the labels that cross-validation would not have given, the most
// surprising first. It is the beginning of a training run: what is chosen by cfg is
// judged, but not trained on everything. Where all rows are of one source nothing can
// be held out, and there are none.
func Doubts(ctx context.Context, examples []dataset.Example, heads []string, cfg Config) ([]Doubt, error) {
	tasks, err := dealtTasks(ctx, examples, heads, &cfg)
	if err != nil {
		return nil, err
	}
	var list []Doubt
	for _, t := range tasks {
		if t.folds == 0 {
			continue
		}
		h, err := t.choice(ctx, &cfg, func() {})
		if err != nil {
			return nil, err
		}
		list = append(list, h.doubts()...)
	}
	slices.SortStableFunc(list, func(a, b Doubt) int { return cmp.Compare(b.Surprise, a.Surprise) })
	return list, nil
}

// dealtTasks returns a task per head, its examples dealt to folds.
func dealtTasks(ctx context.Context, examples []dataset.Example, heads []string, cfg *Config) ([]*task, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	features, err := union(cfg.Features)
	if err != nil {
		return nil, err
	}
	if len(examples) == 0 {
		return nil, errNoRows
	}
	sorted, _ := sortExamples(examples, heads)
	c, err := newCorpus(ctx, sorted, features)
	if err != nil {
		return nil, err
	}
	var warnings Report // nobody asked for a report
	tasks, err := newTasks(c, heads, &warnings)
	if err != nil {
		return nil, err
	}
	if err := c.countSources(cfg, &warnings); err != nil {
		return nil, err
	}
	for _, t := range tasks {
		t.cut = cfg.cut()
	}
	deal(c, tasks, cfg.Folds, &warnings)
	return tasks, nil
}

// doubts are those about a head's labels.
func (h *trainedHead) doubts() []Doubt {
	var list []Doubt
	judged := h.judge()
	for k, i := range h.judged() {
		j := &judged[k]
		if j.Predicted != j.Truth && h.known[i] {
			list = append(list, Doubt{
				Example: h.examples[i], Head: h.name, Given: h.labels[j.Truth], Expected: h.labels[j.Predicted],
				Surprise: -exact.Log(max(leastProbability, j.Probabilities[j.Truth])),
			})
		}
	}
	return list
}
