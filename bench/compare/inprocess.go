package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/parley-nlp/parley/bench"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// An inProcessCmd is "compare in-process".
type inProcessCmd struct {
	Model   string `required:""`
	File    string `arg:""`
	Learn   string // training rows for the plain naive Bayes, none without
	Head    string
	Seconds float64 `default:"1"`
}

// An inProcess is what classifying takes in one process on one core, in seconds
// for all texts of a file once.
type inProcess struct {
	Documents, Bytes int
	Classify         float64
	Split            float64
	Bayes            float64 // 0 when it was not asked for
	Allocations      float64 // of a Classify
}

// Run prints an inProcess.
func (c *inProcessCmd) Run(e *env) error {
	m, err := loadModel(c.Model)
	if err != nil {
		return err
	}
	lines, err := readLines(c.File)
	if err != nil {
		return err
	}
	p := inProcess{Documents: len(lines), Bytes: lengthOf(lines)}
	classifier := m.NewClassifier()
	classify := func() {
		for _, text := range lines {
			classifier.Classify(text, "")
		}
	}
	p.Classify = pass(classify, c.Seconds)
	p.Split = pass(func() { countWords(lines) }, c.Seconds)
	p.Allocations = allocations(m, lines)
	if c.Learn != "" {
		b, err := learnedFrom(c.Learn, c.Head, m)
		if err != nil {
			return err
		}
		p.Bayes = pass(func() {
			for _, text := range lines {
				b.classify(text)
			}
		}, c.Seconds)
	}
	return json.NewEncoder(e.stdout).Encode(p)
}

// pass returns the processor seconds of f, which it calls for so many seconds.
func pass(f func(), seconds float64) float64 {
	f() // memory grows to its size
	start, n := bench.CPUSeconds(), 0
	for {
		f()
		n++
		if took := bench.CPUSeconds() - start; took >= seconds {
			return took / float64(n)
		}
	}
}

// countWords splits texts where there are neither letters nor digits.
func countWords(texts []string) int {
	n := 0
	for _, text := range texts {
		for range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			n++
		}
	}
	return n
}

// allocations is how often a Classify takes memory once it has seen the texts.
func allocations(m *model.Model, texts []string) float64 {
	c := m.NewClassifier()
	all := func() {
		for _, text := range texts {
			c.Classify(text, "")
		}
	}
	all()
	return testing.AllocsPerRun(5, all) / float64(len(texts))
}

// learnedFrom trains the plain naive Bayes on rows with the labels that the
// model's first head has.
func learnedFrom(path, head string, m *model.Model) (*bayes, error) {
	srcs, err := dataset.Files([]string{path}, nil)
	if err != nil {
		return nil, err
	}
	set, err := dataset.ReadAll(srcs, dataset.Options{Heads: []string{head}})
	if err != nil {
		return nil, err
	}
	position := map[string]int{}
	for i, l := range m.Heads()[0].Labels {
		position[l] = i
	}
	b := newBayes(len(position))
	for _, ex := range set.Examples {
		b.learn(position[ex.Labels[0]], strings.Fields(ex.Text))
	}
	return b, nil
}

// inProcessRuns measures a model on texts in a child, a few times.
func (w *workshop) inProcessRuns(ctx context.Context, s *system, runs int, seconds float64) ([]inProcess, error) {
	path, err := w.copies(1)
	if err != nil {
		return nil, err
	}
	var list []inProcess
	for range runs {
		var p inProcess
		err := runJSON(ctx, &p, "in-process", "--model", s.model, "--learn", w.file("train.jsonl"), "--head", w.heads[0],
			"--seconds", number(seconds), "--", path)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// each takes a figure of each run.
func each(list []inProcess, of func(inProcess) float64) []float64 {
	out := make([]float64, len(list))
	for i, p := range list {
		out[i] = of(p)
	}
	return out
}

func (p inProcess) classifyRate() float64  { return float64(p.Bytes) / p.Classify }
func (p inProcess) splitRate() float64     { return float64(p.Bytes) / p.Split }
func (p inProcess) classifyTime() float64  { return p.Classify / float64(p.Documents) }
func (p inProcess) bayesTime() float64     { return p.Bayes / float64(p.Documents) }
func (p inProcess) allocations() float64   { return p.Allocations }
func (p inProcess) overSplitting() float64 { return p.Split / p.Classify }
func (p inProcess) overBayes() float64     { return p.Bayes / p.Classify }

// inProcessSection is the table of a model and the plain ways.
func inProcessSection(s *system, list []inProcess) section {
	t := section{
		Title:   "In one process, on one core: " + s.name,
		Columns: []column{{"throughput", "MB/s", 1}, {"a text", "us", 2}, {"allocations a text", "", 0}},
	}
	t.add("Classify", spreadOf(times(each(list, inProcess.classifyRate), 1e-6)), spreadOf(times(each(list, inProcess.classifyTime), 1e6)), spreadOf(each(list, inProcess.allocations)))
	t.add("strings.FieldsFuncSeq, counting words", spreadOf(times(each(list, inProcess.splitRate), 1e-6)))
	t.add("a map look-up and a logarithm per word and class", spread{}, spreadOf(times(each(list, inProcess.bayesTime), 1e6)))
	return t
}

// inProcessGoals are those of words 1-2.
func inProcessGoals(list []inProcess) []goal {
	return []goal{
		atLeast("Classify beside strings.FieldsFuncSeq, MB/s", 1.0/3, spreadOf(each(list, inProcess.overSplitting))),
		atMost("allocations of a Classify", 0, spreadOf(each(list, inProcess.allocations))),
		atLeast("docs/s beside the ways of navossoc/bayesian", 100, spreadOf(each(list, inProcess.overBayes))),
	}
}
