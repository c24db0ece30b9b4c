package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/parley-nlp/parley/internal/model"
)

// The size of the synthetic model.
const (
	syntheticFeatures = 1_000_000
	syntheticLabels   = 15
)

// A syntheticCmd is "compare synthetic".
type syntheticCmd struct {
	Out string `required:""`
}

// Run writes a model.
func (c *syntheticCmd) Run(*env) error {
	m, err := synthetic(syntheticFeatures)
	if err != nil {
		return err
	}
	return os.WriteFile(c.Out, m.Bytes(), 0o600)
}

// synthetic returns a model of words 1-2 with random ids and weights, always
// the same.
func synthetic(rows int) (*model.Model, error) {
	rng := rand.New(rand.NewPCG(0x6c6f6164, 1))
	head := model.Head{
		Name:               "label",
		Blocks:             []model.Block{{Value: model.Binary, WeightBits: 11}},
		InverseTemperature: 1, TargetInverseTemperature: 1,
	}
	for l := range syntheticLabels {
		head.Labels = append(head.Labels, fmt.Sprintf("label%02d", l))
		head.DocCounts = append(head.DocCounts, 1000)
		head.Prior = append(head.Prior, 1.0/syntheticLabels)
		head.Bias = append(head.Bias, 0)
	}
	s := model.Spec{Features: features[wordsOnly], Heads: []model.Head{head}, Weights: make([]int16, rows*syntheticLabels)}
	for range rows {
		s.IDs = append(s.IDs, model.FeatureID(rng.Uint64()|1))
	}
	slices.Sort(s.IDs)
	for i := range s.Weights {
		s.Weights[i] = int16(rng.IntN(1<<13) - 1<<12)
	}
	return model.New(s)
}

// A loadCmd is "compare load".
type loadCmd struct {
	File string `arg:""`
	Hash bool
}

// Run prints the seconds that reading and verifying the model takes or, with
// Hash, reading and hashing the file.
func (c *loadCmd) Run(e *env) error {
	start := time.Now()
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	if c.Hash {
		sha256.Sum256(b)
	} else if _, err := model.Parse(b); err != nil {
		return err
	}
	return json.NewEncoder(e.stdout).Encode(time.Since(start).Seconds())
}

// A loading is what runs with the synthetic model took, in seconds.
type loading struct {
	bytes             int64
	load, hash, first []float64
}

// loadRuns measures the synthetic model in turns.
func (w *workshop) loadRuns(ctx context.Context, runs int) (*loading, error) {
	path := w.file("synthetic.model")
	write, err := self("synthetic", "--out", path)
	if err != nil {
		return nil, err
	}
	if _, err := run(ctx, write, nil, false); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	label, err := self("label", "--model", path, w.file("one.txt"))
	if err != nil {
		return nil, err
	}
	l := &loading{bytes: info.Size()}
	for range max(runs, minStarts) {
		var load, hash float64
		if err := runJSON(ctx, &hash, "load", "--hash", path); err != nil {
			return nil, err
		}
		if err := runJSON(ctx, &load, "load", path); err != nil {
			return nil, err
		}
		u, err := run(ctx, label, oneCore, true)
		if err != nil {
			return nil, err
		}
		l.load, l.hash, l.first = append(l.load, load), append(l.hash, hash), append(l.first, u.first)
	}
	return l, nil
}

func (l *loading) section() section {
	s := section{
		Title:   fmt.Sprintf("A model of %d features and %d labels, %.1f MB", syntheticFeatures, syntheticLabels, float64(l.bytes)/1e6),
		Columns: []column{{"wall", "ms", 1}},
	}
	s.add("os.ReadFile and sha256.Sum256", spreadOf(times(l.hash, 1e3)))
	s.add("os.ReadFile and model.Parse", spreadOf(times(l.load, 1e3)))
	s.add("start of the process to first answer", spreadOf(times(l.first, 1e3)))
	return s
}

func (l *loading) goals() []goal {
	return []goal{
		atMost("loading beside reading and hashing, 1,000,000 features", 1.5, spreadOf(quotients(l.load, l.hash))),
		atMost("first answer beyond loading, ms", 150, spreadOf(times(differences(l.first, l.load), 1e3))),
	}
}
