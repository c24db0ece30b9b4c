package main

import (
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/score"
	"github.com/parley-nlp/parley/internal/train"
)

// countedFlags are about training from counts.
type countedFlags struct {
	Counted    bool     `help:"Count the rows in one pass over the files, as count does, and train on the counts: memory holds features and a sample, not the texts. The bytes are those of --from-counts if both have names of features (count --strings) or neither (--no-strings). Wants --preset; naive Bayes on binary or tf values."`
	FromCounts []string `placeholder:"FILE" help:"Train on files of counts, which are added up, instead of labelled files; wants --sample."`
	Sample     []string `sep:"none" placeholder:"FILE" help:"With --from-counts: the sample that count wrote; repeat for those of parts."`
	MinTexts   int      `default:"1" placeholder:"K" help:"With --counted or --from-counts: keep only features that occur in at least K texts. Default: ${default}."`
	sampleFlag
}

// on reports whether the model is made of counts.
func (f *countedFlags) on() bool { return f.Counted || len(f.FromCounts) > 0 }

// checkCounted refuses what counts cannot do, and leaves of the choice what they can.
func (c *trainCmd) checkCounted(cfg *train.Config) error {
	if err := c.checkSources(); err != nil || !c.on() {
		return err
	}
	cfg.MinTexts, cfg.Prune = c.MinTexts, false
	switch {
	case c.MinTexts < 1 || c.MinTexts > train.MaxMinSources:
		return usagef("--min-texts %d: want 1 to %d", c.MinTexts, train.MaxMinSources)
	case c.MinSources > 1:
		return usagef("--min-sources: counts do not tell sources; --min-texts asks for texts")
	case c.Nested:
		return usagef("--nested: counts are of all rows, so the choice cannot be made again without some of them")
	case c.Estimator != "auto" && !naiveBayes(cfg.Estimators[0]):
		return usagef("--estimator %s: of counts can be made mnb, cnb and twcnb", c.Estimator)
	case c.Value != "auto" && c.Value != "binary" && c.Value != "tf":
		return usagef("--value %s: it depends on all texts; counts have binary and tf", c.Value)
	}
	return c.sampleFlag.check()
}

// checkSources wants labelled files or counts.
func (c *trainCmd) checkSources() error {
	switch {
	case len(c.FromCounts) == 0 && len(c.Files) == 0:
		return usagef(`expected "<file> ..."`)
	case len(c.FromCounts) > 0 && len(c.Files) > 0:
		return usagef("--from-counts: the counts are in place of labelled files, %s is one", c.Files[0])
	case len(c.FromCounts) > 0 && (c.Counted || c.Stream), c.Counted && c.Stream:
		return usagef("--counted, --from-counts and --stream: want one of them")
	case len(c.FromCounts) > 0 && len(c.Sample) == 0:
		return usagef("--from-counts: want the sample that count wrote, by --sample")
	case len(c.FromCounts) == 0 && len(c.Sample) > 0:
		return usagef("--sample is for --from-counts")
	case len(c.FromCounts) > 0 && len(c.Head) > 0:
		return usagef("--head: the heads are those of the counts")
	case len(c.FromCounts) > 0 && c.Preset != "auto":
		return usagef("--preset: the features are those of the counts")
	case c.Counted && c.Preset == "auto":
		return usagef("--counted: want the features pinned, by --preset short or long")
	case !c.on() && c.MinTexts != 1:
		return usagef("--min-texts is for --counted and --from-counts; otherwise --min-sources counts sources")
	}
	return nil
}

// counted is data for a training from counts.
func (c *trainCmd) counted(e *env) (*dataset.Set, fit, []string, error) {
	statistics, sample, warnings, err := c.countsAndSample(e)
	if err != nil {
		return nil, nil, nil, err
	}
	return countedLabels(statistics), func(cfg train.Config) (*model.Model, *train.Report, error) {
		return train.FromStatistics(e.ctx, statistics, sample, cfg)
	}, warnings, nil
}

// countsAndSample counts the files, or reads what count wrote.
func (c *trainCmd) countsAndSample(e *env) (*train.Statistics, []dataset.Example, []string, error) {
	if c.Counted {
		r, err := c.count(e, c.Files, countPlan{
			features: train.Presets[c.Preset], folds: c.Folds, sample: c.SampleRows, strings: !c.NoStrings, shard: score.Shard{Of: 1},
		})
		if err != nil {
			return nil, nil, nil, err
		}
		return r.statistics, r.sampler.Rows(), r.warnings, nil
	}
	s, err := readCounts(c.FromCounts)
	if err != nil {
		return nil, nil, nil, err
	}
	const usualFolds = 5
	if c.Folds != usualFolds && c.Folds != s.Folds() {
		return nil, nil, nil, usagef("--folds %d: the counts have %d", c.Folds, s.Folds())
	}
	if c.NoStrings {
		s.DropStrings()
	}
	f := c.labelFlags
	f.Head = s.Heads()
	f.TextField, f.IDField, f.GroupField, f.TargetField = "", "", "", "" // count names the columns of samples
	set, warnings, err := f.read(e, c.Sample)
	if err != nil {
		return nil, nil, nil, err
	}
	sampler := train.NewSampler(c.SampleRows)
	for _, ex := range set.Examples {
		sampler.Add(ex)
	}
	return s, sampler.Rows(), warnings, nil
}

// countedLabels is a set that has of the rows only what labels there are.
func countedLabels(s *train.Statistics) *dataset.Set {
	set := &dataset.Set{Heads: s.Heads()}
	for h := range set.Heads {
		labels, _ := s.Labels(h)
		for _, label := range labels {
			ex := dataset.Example{Labels: make([]string, len(set.Heads))}
			ex.Labels[h] = label
			set.Examples = append(set.Examples, ex)
		}
	}
	return set
}
