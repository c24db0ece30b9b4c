package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/parley-nlp/parley/bench"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// A run is one training and what the model answers on the test rows.
type run struct {
	Labels       []string // of the model
	Answers      []answer // one a test row, in order
	TrainingRows int
	Chosen       string // the configuration that the training settled on
	ModelBytes   int
	CPUSeconds   float64 // of the training; 0 where the system does not tell
	PeakBytes    int64   // of the process up to the end of the training; 0 likewise
	Warnings     []string
}

// An answer is what a model says of a row.
type answer struct {
	ID, Group, Target string
	Truth             string
	Predicted         int       // position in the run's Labels
	Probabilities     []float64 // one for each of the run's Labels
}

// A runSetCmd is "accuracy run-set", which the benchmark starts for each run.
type runSetCmd struct {
	Dir     string `arg:"" help:"Folder of the set."`
	Fold    int    `help:"Fold to test on."`
	WithDev bool   `help:"Train on the dev part too."`
}

// Run prints the run as JSON.
func (c *runSetCmd) Run(e *env) error {
	s, ok := openSet(c.Dir)
	if !ok || c.Fold < 0 || c.Fold >= s.runs() {
		return fmt.Errorf("%s: no set with a fold %d", c.Dir, c.Fold)
	}
	r, err := trainAndTest(e.ctx, s, c.Fold, c.WithDev)
	if err != nil {
		return err
	}
	return json.NewEncoder(e.stdout).Encode(r)
}

// trainAndTest trains on all but one fold of a set and classifies that one.
func trainAndTest(ctx context.Context, s set, fold int, withDev bool) (*run, error) {
	training, test, err := s.split(fold, withDev)
	if err != nil {
		return nil, err
	}
	examples := withText(training)
	before := bench.CPUSeconds()
	m, report, err := train.Train(ctx, examples, []string{head}, train.Default())
	if err != nil {
		return nil, err
	}
	spent, peak := bench.CPUSeconds()-before, bench.PeakBytes()
	return &run{
		Labels:       m.Heads()[0].Labels,
		Answers:      classify(m, test),
		TrainingRows: len(examples),
		Chosen:       report.Heads[0].Chosen(),
		ModelBytes:   report.ModelBytes,
		CPUSeconds:   spent,
		PeakBytes:    peak,
		Warnings:     report.Warnings,
	}, nil
}

// classify answers every test row.
func classify(m *model.Model, test []dataset.Example) []answer {
	c := m.NewClassifier()
	var answers []answer
	for _, ex := range test {
		p := predict(c, ex)
		answers = append(answers, answer{
			ID: ex.ID, Group: ex.Group, Target: ex.Target,
			Truth:         ex.Labels[0],
			Predicted:     p.Best,
			Probabilities: append([]float64(nil), p.Probabilities...), // c keeps its own
		})
	}
	return answers
}

// predict returns what the model's only head says of a row.
func predict(c *model.Classifier, ex dataset.Example) model.Prediction {
	return c.Classify(ex.Text, ex.Target).Predictions[0]
}
