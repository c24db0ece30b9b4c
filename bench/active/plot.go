package main

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Colours that are told apart by the colour-blind too: Okabe and Ito, "Color
// Universal Design" (2008).
var (
	blue   = color.NRGBA{0, 114, 178, 255}
	orange = color.NRGBA{213, 94, 0, 255}
)

// draw writes the curves of macro-F1, with their intervals, as an SVG.
func (r *result) draw(file string) error {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s, %g%% of the labels wrong, %d seeds", r.task.name, 100*r.noise, len(r.random))
	p.X.Label.Text, p.Y.Label.Text = "labels", "macro-F1, %"
	p.Legend.Left = false
	p.Add(plotter.NewGrid())
	for _, c := range []struct {
		name   string
		curves [][]point
		color  color.NRGBA
	}{{"chosen", r.chosen, orange}, {"random", r.random, blue}} {
		line, band, err := shape(c.curves)
		if err != nil {
			return err
		}
		line.Color, line.Width = c.color, vg.Points(1.5)
		band.LineStyle.Width = 0
		band.Color = color.NRGBA{c.color.R, c.color.G, c.color.B, 50}
		p.Add(band, line)
		p.Legend.Add(c.name, line)
	}
	return p.Save(480, 320, file)
}

// shape is the line of the means and the band of their intervals.
func shape(curves [][]point) (*plotter.Line, *plotter.Polygon, error) {
	n := len(curves[0])
	mean, band := make(plotter.XYs, n), make(plotter.XYs, 2*n)
	for k, p := range curves[0] {
		f := bootstrap(len(curves), meanOf(curves, k, macroF1))
		x := float64(p.labels)
		mean[k] = plotter.XY{X: x, Y: 100 * f.mean}
		band[k], band[2*n-1-k] = plotter.XY{X: x, Y: 100 * f.low}, plotter.XY{X: x, Y: 100 * f.high}
	}
	line, err := plotter.NewLine(mean)
	if err != nil {
		return nil, nil, err
	}
	polygon, err := plotter.NewPolygon(band)
	return line, polygon, err
}
