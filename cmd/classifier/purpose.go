package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/quote"
	"github.com/parley-nlp/parley/internal/train"
)

// purposeFlags say what the answers shall be good for.
type purposeFlags struct {
	Threshold []string `sep:"none" placeholder:"[LABEL:]precision>=P" help:"Abstain below the probability from which on so large a share of the answers is right, or of those that name LABEL, in every head that has it; repeat for several. A training that cannot show the precision fails."`
	LabelSets *float64 `placeholder:"P" help:"Give with each answer the set of labels that holds the right one for about this share of the texts, 0.5 to below 1."`
}

// apply adds the purposes to cfg.
func (f purposeFlags) apply(cfg *train.Config) error {
	purposes, err := f.purposes()
	if err != nil {
		return err
	}
	for i, p := range purposes {
		if slices.ContainsFunc(purposes[:i], func(q judge.Purpose) bool { return q.Label == p.Label }) {
			return usagef("--threshold: two are given for %s", nameOr(p.Label, "all labels"))
		}
	}
	cfg.Purposes = f.Threshold
	if f.LabelSets == nil {
		return nil
	}
	if !(*f.LabelSets >= 0.5 && *f.LabelSets < 1) {
		return usagef("--label-sets %v: want 0.5 to below 1", *f.LabelSets)
	}
	cfg.Coverage = *f.LabelSets
	return nil
}

// checkJudged refuses a model that could not be given what was asked for.
func (f purposeFlags) checkJudged(report *train.Report) error {
	if report.Folds == 0 && (len(f.Threshold) > 0 || f.LabelSets != nil) {
		return errors.New("--threshold and --label-sets are found on rows held out: all rows are of one source or near-duplicates, so none could be")
	}
	return nil
}

func (f purposeFlags) purposes() ([]judge.Purpose, error) {
	var list []judge.Purpose
	for _, text := range f.Threshold {
		p, err := judge.ParsePurpose(text)
		if err != nil {
			return nil, usagef("--threshold: %w", err)
		}
		list = append(list, p)
	}
	return list, nil
}

// checkLabels wants the label of every purpose in a head of set: one that is
// misspelt must not go unnoticed.
func (f purposeFlags) checkLabels(set *dataset.Set) error {
	purposes, err := f.purposes()
	if err != nil {
		return err
	}
	var known []string
	for h := range set.Heads {
		known = append(known, dataset.LabelsOf(set.Examples, h)...)
	}
	for i, p := range purposes {
		if p.Label != "" && !slices.Contains(known, p.Label) {
			return fmt.Errorf("--threshold %s: no head has the label %q: the labels are %s", f.Threshold[i], p.Label, quote.List(known))
		}
	}
	return nil
}

func nameOr(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return fmt.Sprintf("%q", name)
}
