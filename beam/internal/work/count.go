package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/score"
	"github.com/parley-nlp/parley/internal/train"

	"github.com/parley-nlp/parley/beam/internal/cut"
)

// A Counting says what of labelled rows is counted.
type Counting struct {
	Features model.Features
	Heads    []string
	Absent   []string // heads that no first row has a label of: a later one would be an error
	Folds    int
	Sample   int  // rows that choices and calibration are made by
	SkipBad  bool // rows that cannot be read are left out
	Strings  bool // features keep what they are called
	NoForget bool // there are no marks of rows, which forgetting takes
}

// New returns statistics of no rows.
func (c *Counting) New() (*train.Statistics, error) {
	s, err := train.NewStatistics(c.Features, c.Heads, c.Folds)
	if err == nil && c.Strings {
		err = s.KeepStrings()
	}
	if err == nil && c.NoForget {
		err = s.KeepNoMarks()
	}
	return s, err
}

// The files of a job that counts.
const (
	CountsName = "counts.statistics"
	SampleName = "sample.jsonl"
)

// Counted are the exact counts of labelled rows.
type Counted struct{ Statistics *train.Statistics }

func encodeCounted(c *Counted) ([]byte, error) {
	if c.Statistics == nil {
		return nil, nil
	}
	return c.Statistics.Encode(), nil
}

func decodeCounted(b []byte) (*Counted, error) {
	if len(b) == 0 {
		return &Counted{}, nil
	}
	s, err := train.DecodeStatistics(b)
	return &Counted{s}, err
}

// mergeFn adds up counts. They are integers: the order does not matter.
type mergeFn struct{}

func (f *mergeFn) CreateAccumulator() *Counted { return &Counted{} }

// MergeAccumulators adds b to a.
func (f *mergeFn) MergeAccumulators(a, b *Counted) (*Counted, error) {
	switch {
	case b.Statistics == nil:
		return a, nil
	case a.Statistics == nil:
		return b, nil
	}
	return a, a.Statistics.Merge(b.Statistics)
}

// A Sampled is the sample of some of the rows.
type Sampled struct{ Rows []SampleRow }

// A SampleRow is a row without the name that its file has for it: it is the same
// wherever it comes from.
type SampleRow struct {
	Text   string   `json:"text"`
	Group  string   `json:"group"`
	Target string   `json:"target"`
	Labels []string `json:"labels"`
}

func encodeSampled(s *Sampled) ([]byte, error) { return json.Marshal(s.Rows) }

func decodeSampled(b []byte) (*Sampled, error) {
	s := &Sampled{}
	return s, json.Unmarshal(b, &s.Rows)
}

// sampleFn keeps the rows whose sources have the smallest hashes. A sample of
// samples is that of all rows.
type sampleFn struct{ Most int }

func (f *sampleFn) CreateAccumulator() *Sampled { return &Sampled{} }

// MergeAccumulators makes a the sample of both.
func (f *sampleFn) MergeAccumulators(a, b *Sampled) *Sampled {
	sampler := train.NewSampler(f.Most)
	for _, ex := range slices.Concat(a.examples(), b.examples()) {
		sampler.Add(ex)
	}
	return newSampled(sampler)
}

func newSampled(sampler *train.Sampler) *Sampled {
	s := &Sampled{}
	for _, ex := range sampler.Rows() {
		s.Rows = append(s.Rows, SampleRow{ex.Text, ex.Group, ex.Target, ex.Labels})
	}
	return s
}

func (s *Sampled) examples() []dataset.Example {
	var rows []dataset.Example
	for _, r := range s.Rows {
		rows = append(rows, dataset.Example{Text: r.Text, Group: r.Group, Target: r.Target, Labels: r.Labels})
	}
	return rows
}

// countFn counts the rows of pieces.
type countFn struct {
	Spec Spec

	counters map[string]beam.Counter
}

// Setup makes room for the counters.
func (f *countFn) Setup() { f.counters = map[string]beam.Counter{} }

// learnAtOnce is how many rows are held between reading and counting.
const learnAtOnce = 1000

func (f *countFn) ProcessElement(ctx context.Context, p cut.Piece, emit func(Done), counted func(*Counted), sampled func(*Sampled)) error {
	free, err := takeSlot(ctx)
	if err != nil {
		return err
	}
	defer free()
	c := f.Spec.Count
	s, err := c.New()
	if err != nil {
		return err
	}
	l := &learner{Counting: c, statistics: s, sampler: train.NewSampler(c.Sample), counter: &counter{ctx: ctx, named: f.counters, before: map[string]int64{}}}
	for ex, err := range dataset.Rows(p.Source(ctx), f.Spec.Data) {
		if err := l.take(ex, err); err != nil {
			return err
		}
	}
	if err := l.learn(); err != nil {
		return err
	}
	l.counter.add(l.summary)
	summary, err := json.Marshal(l.summary)
	if err != nil {
		return err
	}
	emit(Done{Part: p.Part, Summary: summary})
	counted(&Counted{s})
	sampled(newSampled(l.sampler))
	return nil
}

// A learner counts the rows of a piece.
type learner struct {
	*Counting
	statistics *train.Statistics
	counter    *counter
	rows       []dataset.Example // not counted yet
	sampler    *train.Sampler
	summary    score.Summary
}

// take takes a row, or the error that reading it gave. Rows without a text or a
// label are left out, as by classifier train.
func (l *learner) take(ex dataset.Example, err error) error {
	bad, isBad := err.(*dataset.RowError)
	switch {
	case isBad && !l.SkipBad:
		return fmt.Errorf("%w: mend it, or go on without such rows by --skip-bad-rows", bad)
	case err != nil && !isBad:
		return err
	case isBad:
		l.leaveOut("not readable")
		return nil
	}
	for i, label := range ex.Labels[len(l.Heads):] {
		if label != "" {
			return fmt.Errorf("%s:%d: there is a label of head %q, which the first rows of the files do not have: say which heads to count by --head", ex.File, ex.Line, l.Absent[i])
		}
	}
	ex.Labels = ex.Labels[:len(l.Heads):len(l.Heads)]
	switch {
	case strings.TrimSpace(ex.Text) == "":
		l.leaveOut("empty text")
		return nil
	case !slices.ContainsFunc(ex.Labels, func(label string) bool { return label != "" }):
		l.leaveOut("no label")
		return nil
	}
	l.rows = append(l.rows, ex)
	if len(l.rows) < learnAtOnce {
		return nil
	}
	return l.learn()
}

// leaveOut counts a row that is not learned.
func (l *learner) leaveOut(kind string) {
	l.summary.Add(score.Summary{Rows: 1, Errors: 1, Kinds: map[string]int64{kind: 1}})
}

// learn counts the rows that are waiting.
func (l *learner) learn() error {
	if len(l.rows) == 0 {
		return nil
	}
	if err := l.statistics.Learn(l.rows); err != nil {
		return err
	}
	add := score.Summary{Rows: int64(len(l.rows))}
	for h, name := range l.Heads {
		labels := map[string]int64{}
		for _, ex := range l.rows {
			if label := ex.Labels[h]; label != "" {
				labels[label]++
			}
		}
		add.Heads = append(add.Heads, score.HeadCount{Head: name, Labels: labels})
	}
	l.summary.Add(add)
	for _, ex := range l.rows {
		l.sampler.Add(ex)
	}
	l.rows = nil
	return l.counter.mark(score.State{Summary: l.summary})
}

// finishCountFn writes the counts and the sample.
type finishCountFn struct{ Spec Spec }

func (f *finishCountFn) ProcessElement(ctx context.Context, _ int, next func(*Done) bool, counted func(**Counted) bool, sampled func(**Sampled) bool) error {
	if _, err := f.Spec.Receipt(ctx); err == nil { // an earlier try has done it all
		return nil
	}
	all := &finishFn{f.Spec}
	parts, err := all.collect(next)
	if err != nil {
		return err
	}
	receipt, err := all.receipt(parts)
	if err != nil {
		return err
	}
	var c *Counted
	var s *Sampled
	if !counted(&c) || !sampled(&s) || c.Statistics == nil || c.Statistics.Rows() == 0 {
		return errors.New("no row has a text and a label")
	}
	sample, err := train.EncodeSample(f.Spec.Count.Heads, s.examples())
	if err != nil {
		return err
	}
	folder, err := f.Spec.folder(ctx)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{CountsName: c.Statistics.Encode(), SampleName: sample} {
		temp := f.Spec.temp(name)
		if err := writeAll(ctx, folder, temp, content); err != nil {
			return err
		}
		receipt.Files = append(receipt.Files, OutputFile{Name: name, Bytes: int64(len(content)), temp: temp})
	}
	slices.SortFunc(receipt.Files, func(a, b OutputFile) int { return strings.Compare(a.Name, b.Name) })
	if err := all.name(ctx, receipt); err != nil {
		return err
	}
	return f.Spec.complete(ctx, receipt)
}

// Count adds the steps of a job that counts to a pipeline.
func Count(s beam.Scope, spec Spec, chunks []cut.Chunk) {
	done, counted, sampled := beam.ParDo3(s.Scope("Count"), &countFn{Spec: spec}, Pieces(s, spec, chunks))
	counts := beam.Combine(s.Scope("Merge"), &mergeFn{}, counted)
	sample := beam.Combine(s.Scope("Sample"), &sampleFn{spec.Count.Sample}, sampled)
	all := beam.GroupByKey(s, beam.AddFixedKey(s, done))
	beam.ParDo0(s.Scope("Finish"), &finishCountFn{spec}, all, beam.SideInput{Input: counts}, beam.SideInput{Input: sample})
}
