package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/suggest"
	"github.com/parley-nlp/parley/internal/train"
)

// randomShare is that of "classifier labels suggest".
const randomShare = .15

// A point is how good a model of so many labels is.
type point struct {
	labels            int
	macroF1, accuracy float64
}

// A result is the curves of a task: by seed, then by number of labels.
type result struct {
	task           *task
	noise          float64
	chosen, random [][]point
}

// curves runs all seeds, two at a time.
func (c *cli) curves(ctx context.Context, t *task, noise float64) (*result, error) {
	r := &result{t, noise, make([][]point, c.Seeds), make([][]point, c.Seeds)}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for seed := range c.Seeds {
		g.Go(func() (err error) {
			x := newTrial(t, seed, noise)
			if r.chosen[seed], err = x.chosen(ctx, c.Batch, c.Chosen); err == nil {
				r.random[seed], err = x.random(ctx, c.Batch, c.Random)
			}
			return err
		})
	}
	return r, g.Wait()
}

// A trial is one seed: a pool in random order, and what a labeller would say.
type trial struct {
	task   *task
	pool   []dataset.Example
	says   map[string]string // by text
	labels []string
}

func newTrial(t *task, seed int, noise float64) *trial {
	x := &trial{task: t, pool: slices.Clone(t.pool), says: map[string]string{}, labels: t.labels()}
	rng := rand.New(rand.NewPCG(uint64(seed), 0x616374697665))
	rng.Shuffle(len(x.pool), func(i, j int) { x.pool[i], x.pool[j] = x.pool[j], x.pool[i] })
	x.pool = x.pool[:len(x.pool)*9/10]
	for _, ex := range x.pool {
		label := ex.Labels[0]
		if rng.Float64() < noise {
			others := slices.DeleteFunc(slices.Clone(x.labels), func(l string) bool { return l == label })
			label = others[rng.IntN(len(others))]
		}
		x.says[ex.Text] = label
	}
	return x
}

// chosen labels what is suggested, batch by batch.
func (x *trial) chosen(ctx context.Context, batch, most int) (curve []point, err error) {
	var labelled []dataset.Example
	var m *model.Model
	for len(labelled) < most {
		p, err := suggest.NewPool(suggest.Config{
			Model: m, Heads: []string{x.task.head}, N: min(batch, most-len(labelled)), RandomShare: randomShare, Labelled: labelled,
		})
		if err != nil {
			return nil, err
		}
		for _, ex := range x.pool {
			p.Add(suggest.Row{Text: ex.Text, Target: ex.Target, Group: ex.Group})
		}
		items := p.Batch().Items
		if len(items) == 0 {
			return nil, fmt.Errorf("nothing is left to be labelled after %d texts", len(labelled))
		}
		for _, i := range items {
			labelled = append(labelled, dataset.Example{Text: i.Text, Target: i.Target, Group: i.Group, Labels: []string{x.says[i.Text]}})
		}
		if m, err = x.fit(ctx, labelled); err != nil {
			return nil, err
		}
		curve = append(curve, x.score(m, len(labelled)))
	}
	return curve, nil
}

// random labels texts in the order of the pool.
func (x *trial) random(ctx context.Context, batch, most int) (curve []point, err error) {
	var labelled []dataset.Example
	for n := batch; n <= most; n += batch {
		for _, ex := range x.pool[len(labelled):n] {
			labelled = append(labelled, dataset.Example{Text: ex.Text, Target: ex.Target, Group: ex.Group, Labels: []string{x.says[ex.Text]}})
		}
		m, err := x.fit(ctx, labelled)
		if err != nil {
			return nil, err
		}
		curve = append(curve, x.score(m, n))
	}
	return curve, nil
}

// fit trains a model; none when all labels are the same.
func (x *trial) fit(ctx context.Context, labelled []dataset.Example) (*model.Model, error) {
	if len(dataset.LabelsOf(labelled, 0)) < 2 {
		return nil, nil
	}
	m, _, err := train.Train(ctx, labelled, []string{x.task.head}, suggest.QuickConfig())
	return m, err
}
