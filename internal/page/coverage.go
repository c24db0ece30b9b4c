package page

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/parley-nlp/parley/internal/judge"
)

// dashes set the second series apart from the first without colour.
var dashes = []vg.Length{6, 3}

// coverage draws how good the answers are when the less probable ones are
// withheld. Present is the share of rows that is answered now, 0 when unknown.
// One point is no curve.
func coverage(list []judge.CoveragePoint, present float64) (*figure, error) {
	list = only(list, func(c judge.CoveragePoint) bool { return finite(c.Coverage, c.Accuracy, c.MacroF1) })
	if len(list) < 2 {
		return nil, nil
	}
	slices.SortStableFunc(list, func(a, b judge.CoveragePoint) int { return cmp.Compare(a.Coverage, b.Coverage) })
	accuracy := xys(list, share, func(c judge.CoveragePoint) float64 { return c.Accuracy })
	macroF1 := xys(list, share, func(c judge.CoveragePoint) float64 { return c.MacroF1 })
	outline := coverageBand(list)

	f := &figure{
		Keys: []key{{firstLine, "accuracy"}, {bandMark, "its 95% interval"}, {secondLine, "macro-F1"}},
		Note: "What is gained by answering only where the stated probability reaches a threshold. From right to left the threshold rises and fewer rows are answered.",
		Data: coverageTable(list),
	}
	p := newPlot("Coverage (share of rows answered)", "Accuracy and macro-F1 of those answered")
	p.Add(gridLines())
	if len(outline) > 0 {
		p.Add(&plotter.Polygon{XYs: []plotter.XYs{outline}, Color: band})
	}
	p.Add(line(macroF1, second, dashes...), line(accuracy, first))
	fitY(p, outline, accuracy, macroF1)
	if present > 0 && present <= 1 {
		p.Add(rule(present, p.Y.Min, present, p.Y.Max))
		f.Keys = append(f.Keys, key{uprightRule, "answered at present"})
	}
	var err error
	f.Plot, err = render(p, plotWidth, plotHeight, "Accuracy and macro-F1 against the share of rows answered."+inTable)
	return f, err
}

func share(c judge.CoveragePoint) float64 { return c.Coverage }

// coverageBand is the outline of the intervals of accuracy: along the upper ends
// and back along the lower ones.
func coverageBand(list []judge.CoveragePoint) plotter.XYs {
	list = only(list, func(c judge.CoveragePoint) bool { return measured(c.AccuracyInterval) })
	around := xys(list, share, func(c judge.CoveragePoint) float64 { return c.AccuracyInterval.High })
	slices.Reverse(list)
	return append(around, xys(list, share, func(c judge.CoveragePoint) float64 { return c.AccuracyInterval.Low })...)
}

// fitY lets the vertical axis begin at the tenth below the least value. Lines,
// unlike bars, need no zero.
func fitY(p *plot.Plot, series ...plotter.XYs) {
	low := 1.0
	for _, s := range series {
		for _, at := range s {
			low = min(low, at.Y)
		}
	}
	p.Y.Min = max(0, min(.9, math.Floor(low*10)/10))
	p.Y.Tick.Marker = plot.ConstantTicks(ticks(p.Y.Min, p.Y.Max))
}

func coverageTable(list []judge.CoveragePoint) table {
	t := table{Head: []string{"coverage", "threshold", "accuracy", "95% interval", "macro-F1"}}
	for _, c := range slices.Backward(list) {
		t.Rows = append(t.Rows, []string{
			decimal(c.Coverage, 3), decimal(c.Threshold, 3), decimal(c.Accuracy, 3), interval(c.AccuracyInterval, 3, "–"), decimal(c.MacroF1, 3),
		})
	}
	return t
}
