package train

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// Sample chooses rows by which a training from statistics is judged: the most of them
// whose sources have the smallest hashes. It depends on the rows alone, not on their
// order, and a sample of samples of parts is that of the whole. The result is sorted by
// content.
func Sample(rows []dataset.Example, most int) []dataset.Example {
	type ranked struct {
		source []byte
		sum    contentHash
		row    dataset.Example
	}
	list := make([]ranked, len(rows))
	for i, ex := range rows {
		list[i] = ranked{sourceHash(ex), contentSum(ex), ex}
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		return cmp.Or(bytes.Compare(a.source, b.source), bytes.Compare(a.sum[:], b.sum[:]))
	})
	list = list[:min(len(list), most)]
	slices.SortStableFunc(list, func(a, b ranked) int { return bytes.Compare(a.sum[:], b.sum[:]) })
	out := make([]dataset.Example, len(list))
	for i, r := range list {
		out[i] = r.row
	}
	return out
}

// FromStatistics fits a model to what statistics count. The weights are those of all
// rows; what is chosen, calibrated and judged is so on a sample of the rows, each
// scored by the counts without its fold. Statistics and sample say all: the bytes are
// the same however the rows were counted.
//
// The choice is among naive-Bayes estimators on binary and tf values of the features
// that were counted. Nothing is pruned, targets have no tables of their own, and the
// model does not say what its features are: all that takes texts.
func FromStatistics(ctx context.Context, s *Statistics, sample []dataset.Example, cfg Config) (*model.Model, *Report, error) {
	cfg, err := countable(cfg, s.features)
	if err != nil {
		return nil, nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, nil, err
	}
	report := &Report{Rows: int(s.Rows())}
	if len(sample) == 0 {
		return nil, nil, errNoRows
	}
	c, err := s.corpus(sample)
	if err != nil {
		return nil, nil, err
	}
	if len(sample) < int(s.Rows()) {
		report.warn("chosen, calibrated and judged on a sample of %d of %d rows", len(sample), s.Rows())
	}
	return c.train(ctx, s.Heads(), s.dataSum(), &cfg, report)
}

// countable leaves of a configuration what counts alone can make.
func countable(cfg Config, f model.Features) (Config, error) {
	cfg.Features = []model.Features{f}
	cfg.Values = slices.DeleteFunc(slices.Clone(cfg.Values), func(v model.Value) bool { return v != model.Binary && v != model.TF })
	cfg.Estimators = slices.DeleteFunc(slices.Clone(cfg.Estimators), Estimator.linear)
	cfg.Prune, cfg.Strings, cfg.Folds = false, false, 0
	switch {
	case len(cfg.Values) == 0:
		return cfg, errors.New("statistics count binary and tf values: no other can be made of them")
	case len(cfg.Estimators) == 0:
		return cfg, fmt.Errorf("of statistics only %s, %s and %s can be made", MultinomialNB, ComplementNB, TransformedCNB)
	case cfg.MinSources > 1:
		return cfg, errors.New("statistics do not tell sources: no minimum of them can be asked for")
	case cfg.Nested > 0:
		return cfg, errors.New("a nested validation cannot be made of statistics")
	case cfg.Recipe != nil:
		return cfg, errors.New("a recipe cannot be followed with statistics")
	}
	return cfg, nil
}

// corpus is the sample, with all that is counted for its features. Every row of the
// sample must have been learned.
func (s *Statistics) corpus(sample []dataset.Example) (*corpus, error) {
	sorted, _ := sortExamples(sample, s.Heads())
	left := map[rowMark]uint32{}
	for _, ex := range sorted {
		sum := contentSum(ex)
		mark := rowMark(sum[:16])
		if left[mark]++; left[mark] > s.rows[mark] {
			return nil, fmt.Errorf("%s:%d: the row of the sample is not among those that were counted", ex.File, ex.Line)
		}
	}
	rows := s.number()
	c := &corpus{
		features: s.features, examples: sorted, pass: inMemory(sorted), bytes: textBytes(sorted),
		ids: rows.ids, kinds: rows.kinds, texts: rows.texts, counted: &countedRows{s, rows},
	}
	c.rows = newIDTable(c.ids)
	c.docs = make([]document, len(sorted))
	inParallel(len(sorted), func(lo, hi int) {
		x, _ := model.NewExtractor(s.features, 0) // NewStatistics has seen the error
		for i := lo; i < hi; i++ {
			c.docs[i] = c.document(x.Extract(sorted[i].Text))
		}
	})
	return c, nil
}

// countedRows are the statistics that stand for the rows of a corpus, which itself has
// only a sample of them.
type countedRows struct {
	*Statistics
	rows *statisticRows
}

// head is the number of a head.
func (c *countedRows) head(name string) int { return slices.Index(c.Heads(), name) }

// lesson is what all folds but one (-1: all) teach of a head.
func (c *countedRows) lesson(t *task, sp space, without int) *lesson {
	counts := c.counts(c.head(t.name), sp.Value, sp.Features, c.rows, without)
	return &lesson{counts: counts, size: counts.vocabularySize(), truth: t.truth}
}

// folds deals the examples of a sample as the rows were counted.
func (c *countedRows) deal(examples []dataset.Example) []int {
	fold := make([]int, len(examples))
	for i, ex := range examples {
		fold[i] = FoldOf(ex, c.Folds())
	}
	return fold
}

// seenByOthers is what each fold's others know.
func (c *countedRows) seenByOthers() []*seen {
	var list []*seen
	for f := range c.Folds() {
		list = append(list, c.seen(c.rows, f))
	}
	return list
}

// docCounts are the rows of each label of a head.
func (c *countedRows) docCounts(name string) []uint64 {
	t := &c.heads[c.head(name)]
	_, numbers := t.sorted()
	docs := make([]uint64, len(numbers))
	for at, n := range numbers {
		for _, k := range t.docs[n] {
			docs[at] += k
		}
	}
	return docs
}
