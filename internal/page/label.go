package page

import (
	"cmp"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// maxLabels is how many labels a table lists.
const maxLabels = 300

// labels is the table of labels.
type labels struct {
	Left string // what is not listed
	Rows []labelRow
}

// A labelRow is a label in the table of labels.
type labelRow struct {
	Name                  string
	Examples, Predicted   string
	Few                   bool // rows, for figures to mean much
	Precision, Recall, F1 measure
}

// newLabels lists the labels in their order, but when they are too many only the
// most frequent.
func newLabels(list []judge.LabelMetrics) *labels {
	l := &labels{}
	if len(list) > maxLabels {
		list = slices.SortedStableFunc(slices.Values(list), func(a, b judge.LabelMetrics) int { return cmp.Compare(b.Examples, a.Examples) })
		l.Left = "Listed are the " + whole(maxLabels) + " labels with the most rows, of " + whole(len(list)) + "."
		list = list[:maxLabels]
	}
	for _, m := range list {
		l.Rows = append(l.Rows, newLabelRow(m))
	}
	return l
}

func newLabelRow(l judge.LabelMetrics) labelRow {
	r := labelRow{
		Name: label(l.Label), Examples: whole(l.Examples), Predicted: whole(l.Predicted), Few: l.Examples < fewRows,
		Precision: newMeasure(l.Precision, l.PrecisionInterval),
		Recall:    newMeasure(l.Recall, l.RecallInterval),
		F1:        newMeasure(l.F1, l.F1Interval),
	}
	none := measure{Value: unknown} // a share of nothing
	if l.Predicted == 0 {
		r.Precision = none
	}
	if l.Examples == 0 {
		r.Recall = none
	}
	if l.Examples == 0 && l.Predicted == 0 {
		r.F1 = none
	}
	return r
}
