package page

import (
	"strconv"

	"github.com/parley-nlp/parley/internal/judge"
)

// nestedTable compares the repeats of a nested validation. It is nil without.
func nestedTable(list []judge.Metrics) *table {
	if len(list) == 0 {
		return nil
	}
	t := &table{Names: true, Head: []string{"repeat", "macro-F1", "95% interval", "accuracy", "95% interval", "log-loss", "calibration error"}}
	for i, m := range list {
		t.Rows = append(t.Rows, []string{
			strconv.Itoa(i + 1), decimal(m.MacroF1, 3), interval(m.MacroF1Interval, 3, " to "),
			decimal(m.Accuracy, 3), interval(m.AccuracyInterval, 3, " to "), decimal(m.NLL, 3), decimal(m.ECE, 3),
		})
	}
	return t
}

// thresholdTable lists the thresholds that were asked for. It is nil without.
func thresholdTable(list []judge.Threshold) *table {
	if len(list) == 0 {
		return nil
	}
	t := &table{Names: true, Head: []string{"answers", "threshold", "precision", "lower bound", "recall", "answered"}}
	for _, th := range list {
		of := "all labels"
		if th.Label != "" {
			of = label(th.Label)
		}
		t.Rows = append(t.Rows, []string{
			of, decimal(th.Probability, 3), decimal(th.Precision, 3), decimal(th.LowerBound, 3), decimal(th.Recall, 3), decimal(th.Coverage, 3),
		})
	}
	return t
}
