package page

import (
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// drawPeriods draws figures over time, from left to right.
func drawPeriods(list []dot, name string) (template.HTML, error) {
	p := newPlot("", "% of rows")
	p.X.Min, p.X.Max = -.5, float64(len(list))-.5
	p.Y.Max = 1
	for _, d := range list {
		p.Y.Max = max(p.Y.Max, d.Value, d.Interval.High)
	}
	p.Y.Max = min(100, 1.04*p.Y.Max)
	p.Y.Tick.Marker = plot.ConstantTicks(ticks(0, p.Y.Max))
	p.X.Tick.Marker = plot.ConstantTicks(periodTicks(list))
	p.Add(gridLines())
	at := make(plotter.XYs, len(list))
	ends := make(plotter.YErrors, len(list)) // distances from the dots
	for i, d := range list {
		at[i] = plotter.XY{X: float64(i), Y: d.Value}
		ends[i].Low, ends[i].High = d.Value-d.Interval.Low, d.Interval.High-d.Value
	}
	bars := &plotter.YErrorBars{XYs: at, YErrors: ends, LineStyle: draw.LineStyle{Color: first, Width: 1.25}, CapWidth: 4}
	p.Add(bars, points(at, first, draw.CircleGlyph{}))
	return render(p, 260, 180, "Shares of "+name+" over time."+inTable)
}

// periodTicks name at most three periods: the first, the last, one between.
func periodTicks(list []dot) []plot.Tick {
	var marks []plot.Tick
	last := len(list) - 1
	step := max(1, int(math.Ceil(float64(last)/2)))
	for i := 0; i <= last; i += step {
		marks = append(marks, plot.Tick{Value: float64(i), Label: list[i].Name})
	}
	return marks
}
