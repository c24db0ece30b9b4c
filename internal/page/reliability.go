package page

import (
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/parley-nlp/parley/internal/judge"
)

// reliability draws the accuracy of answers against the probability stated for
// them (Murphy and Winkler, "Reliability of subjective probability forecasts",
// 1977).
func reliability(bins []judge.Bin) (*figure, error) {
	bins = only(bins, func(b judge.Bin) bool { return b.Examples > 0 && finite(b.Confidence, b.Accuracy) })
	if len(bins) == 0 {
		return nil, nil
	}
	p := newPlot("Stated probability of the answer (mean of bin)", "Accuracy (share of answers correct)")
	at := xys(bins, func(b judge.Bin) float64 { return b.Confidence }, func(b judge.Bin) float64 { return b.Accuracy })
	p.Add(gridLines(), rule(0, 0, 1, 1), whiskers(at, bins), points(at, first, draw.CircleGlyph{}))
	drawn, err := render(p, plotWidth, plotHeight, "Accuracy against stated probability, in "+count(len(bins), "bin")+"."+inTable)
	return &figure{
		Plot: drawn,
		Keys: []key{{uprightSpan + firstDot, "bin, 95% interval"}, {acrossRule, "perfectly calibrated"}},
		Note: "Answers in " + count(len(bins), "bin") + binSizes(bins) + ", by the probability stated for them. " +
			"A point on the diagonal keeps its word: of answers stated with 0.8, 80% are right. Below it lies overconfidence, above it modesty.",
		Data: reliabilityTable(bins),
	}, err
}

// binSizes says how many rows each of the bins, which are not none, has.
func binSizes(bins []judge.Bin) string {
	low, high := bins[0].Examples, bins[0].Examples
	for _, b := range bins {
		low, high = min(low, b.Examples), max(high, b.Examples)
	}
	if low == high {
		return " of " + count(low, "row")
	}
	return " of " + whole(low) + " to " + count(high, "row")
}

// whiskers are the intervals of bins at their points.
func whiskers(at plotter.XYs, bins []judge.Bin) *plotter.YErrorBars {
	ends := make(plotter.YErrors, len(bins)) // distances from the points
	for i, b := range bins {
		if measured(b.AccuracyInterval) {
			ends[i].Low, ends[i].High = b.Accuracy-b.AccuracyInterval.Low, b.AccuracyInterval.High-b.Accuracy
		}
	}
	return &plotter.YErrorBars{
		XYs: at, YErrors: ends,
		LineStyle: draw.LineStyle{Color: first, Width: 1.25}, CapWidth: 5,
	}
}

func reliabilityTable(bins []judge.Bin) table {
	t := table{Head: []string{"stated", "accuracy", "95% interval", "rows"}}
	for _, b := range bins {
		t.Rows = append(t.Rows, []string{
			decimal(b.Confidence, 3), decimal(b.Accuracy, 3), interval(b.AccuracyInterval, 3, "–"), whole(b.Examples),
		})
	}
	return t
}
