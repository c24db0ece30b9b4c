package main

import (
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// A report is what the benchmark found out. Shares are from 0 to 1.
type report struct {
	Sets    []result `json:"sets"`
	Summary *summary `json:"summary,omitempty"` // when there are peers
}

// A result is about one set.
type result struct {
	Set     string  `json:"set"`
	Measure string  `json:"measure"` // "macro_f1" or "f_avg": what Value is
	Value   float64 `json:"value"`   // with folds their mean, as are Accuracy, MacroF1 and FAvg

	Accuracy    float64  `json:"accuracy"`
	MacroF1     float64  `json:"macro_f1"`
	FAvg        *float64 `json:"f_avg,omitempty"`           // of stance towards targets
	TargetFAvg  *float64 `json:"f_avg_by_target,omitempty"` // mean over the targets
	HalfCovered float64  `json:"accuracy_at_half_coverage"`

	// Metrics are those of the rows of all folds together.
	Metrics judge.Metrics `json:"metrics"`

	Folds        int      `json:"folds,omitempty"` // none: an official split
	TrainingRows int      `json:"training_rows"`   // with text; of folds the mean, as are the next two
	CPUSeconds   float64  `json:"cpu_seconds"`     // of one training
	ModelBytes   int      `json:"model_bytes"`
	PeakBytes    int64    `json:"peak_memory_bytes"` // of the largest run
	Chosen       []string `json:"chosen"`            // by fold
	Warnings     []string `json:"warnings,omitempty"`

	Comparison *comparison `json:"comparison,omitempty"`
}

// result measures the answers of a set.
func (t *testedSet) result() result {
	folds, m := t.byFold(), t.measure()
	r := result{
		Set:         t.name,
		Measure:     m.name,
		Value:       meanOf(folds, m.of),
		Accuracy:    meanOf(folds, (*tally).accuracy),
		MacroF1:     meanOf(folds, (*tally).macroF1),
		HalfCovered: halfAccuracy(t.confidences()),
		Metrics:     judge.Measure(t.labels, t.judgements()),
		Folds:       t.folds,
	}
	if sides := t.sides(); len(t.targets()) > 0 && len(sides) > 0 {
		stance := measure{fAvgName, sides}
		all, byTarget := meanOf(folds, stance.of), meanOf(t.byTarget(), stance.of)
		r.FAvg, r.TargetFAvg = &all, &byTarget
	}
	r.costs(t.runs)
	return r
}

// costs fills in what the runs took.
func (r *result) costs(runs []*run) {
	for _, one := range runs {
		r.TrainingRows += one.TrainingRows
		r.CPUSeconds += one.CPUSeconds
		r.ModelBytes += one.ModelBytes
		r.PeakBytes = max(r.PeakBytes, one.PeakBytes)
		r.Chosen = append(r.Chosen, one.Chosen)
		for _, w := range one.Warnings {
			if !slices.Contains(r.Warnings, w) {
				r.Warnings = append(r.Warnings, w)
			}
		}
	}
	r.TrainingRows /= len(runs)
	r.CPUSeconds /= float64(len(runs))
	r.ModelBytes /= len(runs)
}

// usualChoice is the configuration that most folds settled on, the first of
// equals, and how many did.
func (r *result) usualChoice() string {
	count := map[string]int{}
	for _, c := range r.Chosen {
		count[c]++
	}
	usual := r.Chosen[0]
	for _, c := range r.Chosen {
		if count[c] > count[usual] {
			usual = c
		}
	}
	if len(r.Chosen) == 1 {
		return usual
	}
	return fmt.Sprintf("%s (%d of %d folds)", usual, count[usual], len(r.Chosen))
}
