package main

import (
	"bufio"
	"encoding/json"
	"os"
	"time"
	"unsafe"

	"github.com/parley-nlp/parley/bench"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// The features that are compared.
const (
	wordsOnly      = "words"
	withCharacters = "characters"
)

var features = map[string]model.Features{
	wordsOnly:      train.LongText,
	withCharacters: {Words: 2, CharMin: 2, CharMax: 5},
}

// pinned is one candidate: there is nothing to choose.
func pinned(f model.Features) train.Config {
	return train.Config{
		Features:   []model.Features{f},
		Values:     []model.Value{model.Binary},
		Estimators: []train.Estimator{train.MultinomialNB},
		Alphas:     []float64{0.3},
		Members:    1,
		Objective:  train.Accuracy,
	}
}

// A fitCmd is "compare fit".
type fitCmd struct {
	File        string   `arg:""`
	Out         string   `required:""`
	Head        []string `sep:"none"`
	Features    string   `enum:"words,characters" default:"words"`
	WeightsOnly bool
}

// A fitting is what a training took, in seconds, apart from reading the data.
type fitting struct{ Wall, CPU float64 }

// Run trains, writes the model and prints the fitting.
func (c *fitCmd) Run(e *env) error {
	srcs, err := dataset.Files([]string{c.File}, nil)
	if err != nil {
		return err
	}
	set, err := dataset.ReadAll(srcs, dataset.Options{Heads: c.Head})
	if err != nil {
		return err
	}
	if c.WeightsOnly {
		joinSources(set.Examples)
	}
	start, before := time.Now(), bench.CPUSeconds()
	m, _, err := train.Train(e.ctx, set.Examples, c.Head, pinned(features[c.Features]))
	if err != nil {
		return err
	}
	took := fitting{time.Since(start).Seconds(), bench.CPUSeconds() - before}
	if err := os.WriteFile(c.Out, m.Bytes(), 0o600); err != nil {
		return err
	}
	return json.NewEncoder(e.stdout).Encode(took)
}

// joinSources puts all examples in one group: nothing can then be held out, so
// that the training counts and weighs and does no more.
func joinSources(examples []dataset.Example) {
	for i := range examples {
		examples[i].Group = "all"
	}
}

// loadModel reads a model file.
func loadModel(path string) (*model.Model, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return model.Parse(b)
}

// A labelCmd is "compare label": what a program does that classifies a file.
type labelCmd struct {
	Model string `required:""`
	File  string `arg:""`
}

// Run prints for each line the label of each head, separated by tabs, and then
// on standard error how much memory that took.
func (c *labelCmd) Run(e *env) error {
	m, err := loadModel(c.Model)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), model.MaxTextBytes)
	out := bufio.NewWriter(e.stdout)
	classifier := m.NewClassifier()
	for lines.Scan() {
		// No copy: the line stays where it is until it has its labels.
		line := lines.Bytes()
		text := unsafe.String(unsafe.SliceData(line), len(line))
		for h, p := range classifier.Classify(text, "").Predictions {
			if h > 0 {
				out.WriteByte('\t')
			}
			out.WriteString(m.Heads()[h].Labels[p.Best])
		}
		out.WriteByte('\n')
	}
	if err := lines.Err(); err != nil {
		return err
	}
	statePeak(e.stderr)
	return out.Flush()
}
