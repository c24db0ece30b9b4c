package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
)

// A lesson is a way to train, and what its runs took.
type lesson struct {
	name        string
	one, all    []fitting // on one core and on all
	measureOnce func(ctx context.Context, cores int) (fitting, error)
	single      bool // it has no more than one thread to use
}

// The lessons that goals are about.
const (
	weightsOnly   = "Parley, weights only"
	withFolds     = "Parley, with 5-fold evaluation"
	fastTextFit   = "fastText's defaults, pairs of words"
	fastTextWhole = "the same, with start and writing the model"
	sklearnFit    = "scikit-learn, HashingVectorizer and MultinomialNB"
)

// lessons returns the ways to train on words 1-2.
func (w *workshop) lessons(chosen choice) []*lesson {
	list := []*lesson{
		{name: weightsOnly, measureOnce: w.fitOnce("--weights-only")},
		{name: withFolds, measureOnce: w.fitOnce()},
	}
	if chosen.has(fastTextPeer) {
		list = append(list, w.fastTextLessons()...)
	}
	if chosen.has(sklearnPeer) {
		list = append(list, &lesson{name: sklearnFit, measureOnce: w.sklearnOnce, single: true})
	}
	return list
}

func (w *workshop) fitOnce(more ...string) func(context.Context, int) (fitting, error) {
	return func(ctx context.Context, cores int) (fitting, error) {
		command, err := w.fit(wordsOnly, w.file("lesson.model"), w.heads[:1], more...)
		if err != nil {
			return fitting{}, err
		}
		return stated(ctx, command, cores)
	}
}

func (w *workshop) sklearnOnce(ctx context.Context, cores int) (fitting, error) {
	return stated(ctx, sklearn("train", wordsOnly, w.file("train.peers"), w.file("lesson.sklearn")), cores)
}

// stated runs a child that prints what its training took.
func stated(ctx context.Context, command []string, cores int) (f fitting, err error) {
	u, err := run(ctx, command, coresOnly(cores), true)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(u.output, &f); err != nil {
		return f, fmt.Errorf("output of a training: %w", err)
	}
	return f, nil
}

// coresOnly keeps a child to one core, or lets it have all.
func coresOnly(cores int) []string {
	if cores == 1 {
		return oneCore
	}
	return nil
}

// fastTextLessons returns fastText's training twice, as a whole and without what
// a training on one line takes: both come from the same runs.
func (w *workshop) fastTextLessons() []*lesson {
	whole := &lesson{name: fastTextWhole}
	var last fitting
	net := &lesson{name: fastTextFit, measureOnce: func(ctx context.Context, cores int) (fitting, error) {
		all, err := w.fastTextOnce(ctx, "train.peers", cores)
		if err != nil {
			return all, err
		}
		one, err := w.fastTextOnce(ctx, "one.peers", cores)
		last = all
		return fitting{all.Wall - one.Wall, all.CPU - one.CPU}, err
	}}
	whole.measureOnce = func(context.Context, int) (fitting, error) { return last, nil }
	return []*lesson{net, whole}
}

func (w *workshop) fastTextOnce(ctx context.Context, rows string, cores int) (fitting, error) {
	u, err := run(ctx, fastTextDefaults(w.file(rows), w.file("lesson"), cores), nil, false)
	return fitting{u.wall, u.cpu}, err
}

// teach runs the lessons in turns.
func teach(ctx context.Context, list []*lesson, runs int) error {
	for range runs {
		for _, l := range list {
			one, err := l.measureOnce(ctx, 1)
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			l.one = append(l.one, one)
		}
		for _, l := range list {
			if l.single || runtime.NumCPU() == 1 {
				continue
			}
			all, err := l.measureOnce(ctx, runtime.NumCPU())
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			l.all = append(l.all, all)
		}
	}
	return nil
}

func walls(list []fitting) []float64 {
	out := make([]float64, len(list))
	for i, f := range list {
		out[i] = f.Wall
	}
	return out
}

func cpus(list []fitting) []float64 {
	out := make([]float64, len(list))
	for i, f := range list {
		out[i] = f.CPU
	}
	return out
}

// trainingSection is the table of the lessons.
func trainingSection(list []*lesson) section {
	s := section{
		Title:   "Training on words 1-2, one pinned candidate",
		Columns: []column{{"one core, wall", "s", 2}, {"one core, CPU", "s", 2}, {"all cores, wall", "s", 2}, {"all cores, CPU", "s", 2}},
	}
	for _, l := range list {
		s.add(l.name, spreadOf(walls(l.one)), spreadOf(cpus(l.one)), spreadOf(walls(l.all)), spreadOf(cpus(l.all)))
	}
	return s
}

// trainingGoals compare processor seconds on one core.
func trainingGoals(list []*lesson) []goal {
	byName := map[string][]float64{}
	for _, l := range list {
		byName[l.name] = cpus(l.one)
	}
	var goals []goal
	for _, g := range []struct {
		peer, short string
		bound       float64
	}{{sklearnFit, sklearnName, 1}, {fastTextFit, fastTextName, 5}} {
		for _, own := range []string{weightsOnly, withFolds} {
			if peer, ok := byName[g.peer]; ok {
				goals = append(goals, atLeast("speed of training beside "+g.short+", "+own, g.bound, spreadOf(quotients(peer, byName[own]))))
			}
		}
	}
	return goals
}
