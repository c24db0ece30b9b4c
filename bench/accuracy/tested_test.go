package main

import (
	"reflect"
	"testing"
)

// twoFolds is a set whose second fold has a model that lacks a label, and a
// truth that no model knows.
func twoFolds() *testedSet {
	return gather(set{name: "two", folds: 2}, []*run{
		{
			Labels: []string{"a", "b"},
			Answers: []answer{
				{ID: "1", Group: "g", Truth: "a", Predicted: 0, Probabilities: []float64{0.75, 0.25}},
				{ID: "2", Truth: "b", Predicted: 1, Probabilities: []float64{0.25, 0.75}},
			},
			TrainingRows: 3, CPUSeconds: 1, PeakBytes: 70, ModelBytes: 10, Chosen: "x", Warnings: []string{"few"},
		},
		{
			Labels: []string{"b", "c"},
			Answers: []answer{
				{ID: "3", Group: "g", Truth: "z", Predicted: 0, Probabilities: []float64{1, 0}},
				{ID: "4", Truth: "c", Predicted: 1, Probabilities: []float64{0.5, 0.5}},
			},
			TrainingRows: 5, CPUSeconds: 2, PeakBytes: 60, ModelBytes: 30, Chosen: "y", Warnings: []string{"few"},
		},
	})
}

func TestGather(t *testing.T) {
	s := twoFolds()
	if want := []string{"a", "b", "c", "z"}; !reflect.DeepEqual(s.labels, want) {
		t.Errorf("labels: got %v, want %v", s.labels, want)
	}
	want := []row{
		{fold: 0, source: 1, truth: 0, predicted: 0, probabilities: []float64{0.75, 0.25, 0, 0}},
		{fold: 0, source: 2, truth: 1, predicted: 1, probabilities: []float64{0.25, 0.75, 0, 0}},
		{fold: 1, source: 1, truth: 3, predicted: 1, probabilities: []float64{0, 1, 0, 0}},
		{fold: 1, source: 4, truth: 2, predicted: 2, probabilities: []float64{0, 0.5, 0.5, 0}},
	}
	for i, got := range s.rows {
		want[i].answer = got.answer
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("row %d: got %+v, want %+v", i, got, want[i])
		}
	}
}

func TestResult(t *testing.T) {
	r := twoFolds().result()
	near(t, "accuracy", r.Accuracy, (1+0.5)/2)
	near(t, "macro-F1", r.MacroF1, (1+(0.+1+0)/3)/2) // the second fold: b, c and z
	near(t, "value", r.Value, r.MacroF1)
	near(t, "half", r.HalfCovered, 0.5*(0+1)) // of 1, 0.75 and 0.75, 0.5
	near(t, "pooled accuracy", r.Metrics.Accuracy, 0.75)
	near(t, "Brier", r.Metrics.Brier, (2*0.0625+2*0.0625+2+2*0.25)/4)
	near(t, "CPU seconds", r.CPUSeconds, 1.5)
	if r.TrainingRows != 4 || r.PeakBytes != 70 || r.ModelBytes != 20 || len(r.Warnings) != 1 {
		t.Errorf("got %d rows, %d bytes at most, a model of %d, warnings %q", r.TrainingRows, r.PeakBytes, r.ModelBytes, r.Warnings)
	}
	if got := r.usualChoice(); got != "x (1 of 2 folds)" {
		t.Errorf("chosen: got %q", got)
	}
	if r.FAvg != nil || r.TargetFAvg != nil {
		t.Error("F_avg of rows without targets")
	}
}

// Over all rows F_avg is not the mean of that of the targets.
func TestFAvgOfTargets(t *testing.T) {
	answers := []answer{
		{Target: "tax", Truth: "AGAINST", Predicted: 0}, {Target: "tax", Truth: "FAVOR", Predicted: 1},
		{Target: "war", Truth: "AGAINST", Predicted: 1}, {Target: "war", Truth: "FAVOR", Predicted: 1},
	}
	for i := range answers {
		answers[i].Probabilities = []float64{0.5, 0.5}
	}
	r := gather(set{}, []*run{{Labels: []string{"AGAINST", "FAVOR"}, Answers: answers}}).result()
	near(t, "over all rows", *r.FAvg, (2./3+4./5)/2)
	near(t, "mean over targets", *r.TargetFAvg, (1+(0+2./3)/2)/2)
	if r.Measure != fAvgName || r.Value != *r.FAvg {
		t.Errorf("judged by %s %v", r.Measure, r.Value)
	}
}
