package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// FromStatistics fits a model to what statistics count. The weights are those of all
// rows; what is chosen, calibrated and judged is so on a sample of the rows, each
// scored by the counts without its fold. Statistics and sample say all: the bytes are
// the same however the rows were counted.
//
// The choice is among naive-Bayes estimators on binary and tf values of the features
// that were counted. Targets have no tables of their own, and nothing is pruned but what
// MinTexts asks for. The model says what its features are if the statistics do.
//
// A row's fold is a hash of its group or text. Near-duplicates that have neither in
// common may be in different folds, so without groups estimates can be too good.
func FromStatistics(ctx context.Context, s *Statistics, sample []dataset.Example, cfg Config) (*model.Model, *Report, error) {
	cfg, err := countable(cfg, s.features)
	if err != nil {
		return nil, nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, nil, err
	}
	if slices.Contains(cfg.Values, model.TF) {
		if err := s.tooOften(); err != nil {
			return nil, nil, err
		}
	}
	report := &Report{Rows: int(s.Rows()), Counted: &Counted{SampleRows: len(sample), MinTexts: max(1, cfg.MinSources)}}
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
	if slices.ContainsFunc(sample, func(ex dataset.Example) bool { return ex.Target != "" }) {
		report.warn("counts are of the texts about all targets: none gets weights of its own")
	}
	m, report, err := c.train(ctx, s.Heads(), s.dataSum(), &cfg, report)
	if report != nil {
		report.Recipe, report.MinSources = nil, cut{} // they say how rows make a model, not counts
	}
	return m, report, err
}

// countable leaves of a configuration what counts alone can make.
func countable(cfg Config, f model.Features) (Config, error) {
	cfg.Features = []model.Features{f}
	cfg.Values = slices.DeleteFunc(slices.Clone(cfg.Values), func(v model.Value) bool { return v != model.Binary && v != model.TF })
	cfg.Estimators = slices.DeleteFunc(slices.Clone(cfg.Estimators), Estimator.linear)
	cfg.Prune, cfg.Strings, cfg.Folds = false, false, 0
	switch {
	case cfg.MinSources > 1:
		return cfg, errors.New("statistics do not tell sources: no minimum of them can be asked for, only of texts")
	case cfg.MinTexts < 0 || cfg.MinTexts > MaxMinSources:
		return cfg, fmt.Errorf("features of at least %d texts: want 1 to %d", cfg.MinTexts, MaxMinSources)
	case len(cfg.Values) == 0:
		return cfg, errors.New("statistics count binary and tf values: no other can be made of them")
	case len(cfg.Estimators) == 0:
		return cfg, fmt.Errorf("of statistics only %s, %s and %s can be made", MultinomialNB, ComplementNB, TransformedCNB)
	case cfg.Nested > 0:
		return cfg, errors.New("a nested validation cannot be made of statistics")
	case cfg.Recipe != nil:
		return cfg, errors.New("a recipe cannot be followed with statistics")
	}
	cfg.MinSources, cfg.MinTexts = cfg.MinTexts, 0 // every text is a source
	return cfg, nil
}

// corpus is the sample, with all that is counted for its features. Every row of the
// sample must have been learned, which statistics without marks can tell of features
// alone.
func (s *Statistics) corpus(sample []dataset.Example) (*corpus, error) {
	sorted, _ := sortExamples(sample, s.Heads())
	left := map[rowMark]uint32{}
	for _, ex := range sorted {
		mark := markOf(contentSum(ex))
		if left[mark]++; s.rows != nil && left[mark] > s.rows[mark] {
			return nil, notCounted(ex)
		}
	}
	rows := s.number()
	c := &corpus{
		features: s.features, examples: sorted, pass: inMemory(sorted), bytes: textBytes(sorted),
		ids: rows.ids, kinds: rows.kinds, texts: rows.texts, counted: &countedRows{s, rows},
	}
	c.rows = newIDTable(c.ids)
	c.docs = make([]document, len(sorted))
	strange := make([]bool, len(sorted))
	inParallel(len(sorted), func(lo, hi int) {
		x, _ := model.NewExtractor(s.features, 0) // NewStatistics has seen the error
		for i := lo; i < hi; i++ {
			features := x.Extract(sorted[i].Text)
			if strange[i] = !s.hasCounted(sorted[i], features); !strange[i] {
				c.docs[i] = c.document(features)
			}
		}
	})
	if i := slices.Index(strange, true); i >= 0 {
		return nil, notCounted(sorted[i])
	}
	return c, nil
}

func notCounted(ex dataset.Example) error {
	return fmt.Errorf("%s:%d: the row of the sample is not among those that were counted", ex.File, ex.Line)
}

// hasCounted reports whether labels and features are among those that were counted.
func (s *Statistics) hasCounted(ex dataset.Example, features []model.Feature) bool {
	for h, label := range ex.Labels {
		if _, known := s.heads[h].number[label]; label != "" && !known {
			return false
		}
	}
	return !slices.ContainsFunc(features, func(f model.Feature) bool { return s.words.get(f.ID) == nil })
}

// countedRows are the statistics that stand for the rows of a corpus, which itself has
// only a sample of them.
type countedRows struct {
	*Statistics
	rows *statisticRows
}

// head is the number of a head.
func (c *countedRows) head(name string) int { return slices.Index(c.Heads(), name) }

// lesson is what all folds but one (-1: all) teach of a head's known features.
func (c *countedRows) lesson(t *task, sp space, known *seen, without int) *lesson {
	counts := c.counts(c.head(t.name), sp, c.rows, known, without)
	return &lesson{counts: counts, size: counts.vocabularySize(), truth: t.truth}
}

// strings returns what features are called, if the statistics keep that.
func (c *countedRows) strings(ids []model.FeatureID) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = c.words.name(id)
	}
	return list
}

// deal deals the examples of a sample as the rows were counted.
func (c *countedRows) deal(examples []dataset.Example) []int {
	fold := make([]int, len(examples))
	for i, ex := range examples {
		fold[i] = FoldOf(ex, c.Folds())
	}
	return fold
}

// spread is how many examples have others of their component in another fold.
func spread(component, fold []int) int {
	several := make(map[int]bool)
	first := make(map[int]int)
	for i, c := range component {
		if f, known := first[c]; !known {
			first[c] = fold[i]
		} else if f != fold[i] {
			several[c] = true
		}
	}
	n := 0
	for _, c := range component {
		if several[c] {
			n++
		}
	}
	return n
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
