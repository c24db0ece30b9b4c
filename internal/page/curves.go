package page

import (
	"cmp"
	"html/template"
	"slices"

	"gonum.org/v1/plot"

	"github.com/parley-nlp/parley/internal/judge"
)

// maxCurves is how many labels have a precision/recall plot. The table has more.
const maxCurves = 12

// curves are the precision/recall curves of the labels, the most frequent first.
type curves struct {
	Keys  []key
	Left  string // what is not drawn
	Plots []curve
	Data  table
}

// A curve is the plot of one label.
type curve struct {
	heading
	Examples         string
	AveragePrecision string
	Plot             template.HTML
}

// labelCurves draws a plot for each of the most frequent labels.
func labelCurves(list []judge.LabelCurve, m judge.Metrics) (*curves, error) {
	examples := make(map[string]int)
	for _, l := range m.Labels {
		examples[l.Label] = l.Examples
	}
	list = only(list, func(c judge.LabelCurve) bool { return len(c.Points) > 0 && examples[c.Label] > 0 })
	if len(list) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(list, func(a, b judge.LabelCurve) int { return cmp.Compare(examples[b.Label], examples[a.Label]) })
	all := &curves{
		Keys: []key{{firstLine, "precision"}, {acrossRule, "share of the label among all rows"}},
		Data: curvesTable(list),
	}
	if len(list) > maxCurves {
		all.Left = "Drawn are the " + whole(maxCurves) + " labels with the most rows; the table has more."
	}
	for _, c := range list[:min(len(list), maxCurves)] {
		n := examples[c.Label]
		drawn, err := labelCurve(c, ratio(n, m.Examples))
		if err != nil {
			return nil, err
		}
		all.Plots = append(all.Plots, curve{newHeading(c.Label), count(n, "row"), decimal(c.AveragePrecision, 2), drawn})
	}
	return all, nil
}

// labelCurve draws precision against recall beside the precision of taking
// every row, which is the label's share.
func labelCurve(c judge.LabelCurve, share float64) (template.HTML, error) {
	at := only(c.Points, func(l judge.LabelPoint) bool { return finite(l.Recall, l.Precision) })
	p := newPlot("Recall", "Precision")
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: .5, Label: "0.5"}, {Value: 1, Label: "1"}}
	}
	p.Add(gridLines(), rule(0, share, 1, share))
	p.Add(line(xys(at, func(l judge.LabelPoint) float64 { return l.Recall }, func(l judge.LabelPoint) float64 { return l.Precision }), first))
	return render(p, 200, 160, "Precision against recall of "+label(c.Label)+", average precision "+decimal(c.AveragePrecision, 2)+"."+inTable)
}

// recalls are where the table reads a curve.
var recalls = []float64{.25, .5, .75, .9}

func curvesTable(list []judge.LabelCurve) table {
	t := table{Names: true, Head: []string{"label", "average precision"}}
	for _, r := range recalls {
		t.Head = append(t.Head, "at recall "+decimal(r, 2))
	}
	for _, c := range list[:min(len(list), maxLabels)] {
		row := []string{label(c.Label), decimal(c.AveragePrecision, 2)}
		for _, r := range recalls {
			row = append(row, precisionAt(c.Points, r))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// precisionAt is the best precision at a recall of at least r.
func precisionAt(list []judge.LabelPoint, r float64) string {
	best := -1.0
	for _, p := range list {
		if p.Recall >= r && finite(p.Precision) {
			best = max(best, p.Precision)
		}
	}
	if best < 0 {
		return unknown
	}
	return decimal(best, 2)
}

// ratio is n of total, 0 of nothing.
func ratio(n, total int) float64 {
	if total == 0 {
		return 0
	}
	return float64(n) / float64(total)
}
