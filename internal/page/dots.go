package page

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/parley-nlp/parley/internal/judge"
)

// Limits of a dot plot: fewer dots say no more than their table, more are too
// small to read.
const (
	minDots = 3
	maxDots = 30
)

// A dot is a named figure with its interval.
type dot struct {
	Name     string
	Value    float64
	Interval judge.Interval
}

// dots are to be drawn one below the other, beside a line to compare with.
type dots struct {
	List      []dot
	Axis      string  // title of the axis
	Low, High float64 // its ends
	Line      float64
	Name      string // of the plot
}

// draw draws the first of the dots; there is no figure of few.
func (d dots) draw() (*figure, error) {
	list := only(d.List, func(d dot) bool { return finite(d.Value) })
	if len(list) < minDots {
		return nil, nil
	}
	list = list[:min(len(list), maxDots)]
	p := newPlot(d.Axis, "")
	p.X.Min, p.X.Max = d.Low, d.High
	p.X.Tick.Marker = plot.ConstantTicks(ticks(d.Low, d.High))
	p.Y.Min, p.Y.Max = -.6, float64(len(list))-.4
	p.Y.Tick.Marker = plot.ConstantTicks(nameTicks(list))
	p.Y.Tick.Label.Color = ink
	p.Y.Tick.Length, p.Y.Width = 0, 0
	p.Add(&plotter.Grid{Vertical: draw.LineStyle{Color: grid, Width: 1}})
	if finite(d.Line) {
		p.Add(rule(d.Line, p.Y.Min, d.Line, p.Y.Max))
	}
	at := dotPoints(list)
	p.Add(spans(at, list), points(at, first, draw.CircleGlyph{}))
	drawn, err := render(p, plotWidth, 50+20*vg.Length(len(list)), d.Name+inTable)
	return &figure{Plot: drawn}, err
}

// nameTicks name the dots from the top down.
func nameTicks(list []dot) []plot.Tick {
	var names []plot.Tick
	for i, d := range list {
		names = append(names, plot.Tick{Value: float64(len(list) - 1 - i), Label: short(label(d.Name), 22)})
	}
	return names
}

func dotPoints(list []dot) plotter.XYs {
	at := make(plotter.XYs, len(list))
	for i, d := range list {
		at[i] = plotter.XY{X: d.Value, Y: float64(len(list) - 1 - i)}
	}
	return at
}

// spans are the intervals at their dots.
func spans(at plotter.XYs, list []dot) *plotter.XErrorBars {
	ends := make(plotter.XErrors, len(list)) // distances from the dots
	for i, d := range list {
		if measured(d.Interval) {
			ends[i].Low, ends[i].High = d.Value-d.Interval.Low, d.Interval.High-d.Value
		}
	}
	return &plotter.XErrorBars{
		XYs: at, XErrors: ends,
		LineStyle: draw.LineStyle{Color: first, Width: 1.25}, CapWidth: 5,
	}
}

// around are the tenths between which zero and all dots lie with their
// intervals.
func around(list []dot) (low, high float64) {
	for _, d := range list {
		if finite(d.Value, d.Interval.Low, d.Interval.High) {
			low = min(low, d.Value, d.Interval.Low)
			high = max(high, d.Value, d.Interval.High)
		}
	}
	return min(-.1, math.Floor(low*10)/10), max(.1, math.Ceil(high*10)/10)
}
