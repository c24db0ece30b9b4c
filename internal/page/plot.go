package page

import (
	"bytes"
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes in the units of a drawing. The style sheet shows a plot at about its
// own width, so that a unit is about a pixel.
const (
	plotWidth  vg.Length = 400
	plotHeight vg.Length = 300
	titleSize  vg.Length = 12.5 // of axis titles
	tickSize   vg.Length = 11.5
)

// anchors are the marks with which an anchored text begins, and what they mean
// in SVG.
var anchors = map[string]string{"<": "start", "|": "middle", ">": "end"}

// anchored is a text handler that leaves it to the reader's font where a text
// begins: the drawing library would compute that from the widths of a font that
// the reader has not got. The first character drawn is the anchor.
type anchored struct{ text.Plain }

// Draw draws one line of text.
func (h anchored) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	if txt == "" {
		return
	}
	c.SetColor(sty.Color)
	if sty.Rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Translate(pt)
		c.Rotate(sty.Rotation)
		pt = vg.Point{}
	}
	pt.Y += sty.Height(txt)*vg.Length(sty.YAlign) + sty.Font.Size - sty.FontExtents().Ascent // as axes expect it
	c.FillString(h.Fonts.Lookup(sty.Font, sty.Font.Size), pt, anchorMark(sty.XAlign)+txt)
}

// Box is generous: the reader's font may be wider than the one measured, which
// also lacks the scripts whose characters are as wide as high.
func (h anchored) Box(txt string, fnt font.Font) (width, height, depth vg.Length) {
	width, height, depth = h.Plain.Box(txt, fnt)
	return max(1.15*width, fullWidth(txt)*fnt.Size), height, depth
}

// fullWidth is how many characters of s are as wide as high: those from U+1100,
// where the scripts of East Asia begin, count as such.
func fullWidth(s string) vg.Length {
	n := 0
	for _, r := range s {
		if r >= 0x1100 {
			n++
		}
	}
	return vg.Length(n)
}

func anchorMark(x text.XAlignment) string {
	switch x {
	case text.XCenter:
		return "|"
	case text.XRight:
		return ">"
	}
	return "<"
}

// newPlot returns an empty plot between zero and one with titles for both axes.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.TextHandler = anchored{text.Plain{Fonts: font.DefaultCache}}
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Min, a.Max, a.Padding = 0, 1, 0
		a.Label.TextStyle = textStyle(p, a.Label.TextStyle, ink, titleSize)
		a.Label.Padding = 5
		a.Tick.Label = textStyle(p, a.Tick.Label, muted, tickSize)
		a.Tick.Marker = plot.ConstantTicks(ticks(0, 1))
		a.Tick.Length, a.Tick.Width, a.Tick.Color = 4, 1, grid
		a.LineStyle = draw.LineStyle{Color: muted, Width: 1}
	}
	return p
}

func textStyle(p *plot.Plot, s text.Style, color paint, size vg.Length) text.Style {
	s.Color, s.Handler = color, p.TextHandler
	s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	return s
}

// ticks are about five round values from low to high, which are included when
// they are round.
func ticks(low, high float64) []plot.Tick {
	step, digits := tickStep((high - low) / 5)
	var list []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		list = append(list, plot.Tick{Value: i * step, Label: tickLabel(i*step, digits)})
	}
	return list
}

// tickStep is the least of .01, .02, .05, .1, .2, ... that is not below least,
// which is finite, and how many digits after the point it has.
func tickStep(least float64) (step float64, digits int) {
	digits = 2
	for unit := .01; ; unit *= 10 {
		for _, f := range []float64{1, 2, 5} {
			if least <= f*unit*(1+1e-9) {
				return f * unit, digits
			}
		}
		digits = max(0, digits-1)
	}
}

func tickLabel(v float64, digits int) string {
	if digits == 0 {
		return whole(int(v))
	}
	return decimal(v, digits)
}

// gridLines are horizontal lines at the ticks.
func gridLines() *plotter.Grid {
	return &plotter.Grid{Horizontal: draw.LineStyle{Color: grid, Width: 1}}
}

// line joins points.
func line(points plotter.XYs, color paint, dashes ...vg.Length) *plotter.Line {
	return &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: color, Width: 2, Dashes: dashes}}
}

// rule is a straight line to compare with.
func rule(x0, y0, x1, y1 float64) *plotter.Line {
	return &plotter.Line{
		XYs:       plotter.XYs{{X: x0, Y: y0}, {X: x1, Y: y1}},
		LineStyle: draw.LineStyle{Color: muted, Width: 1, Dashes: []vg.Length{3, 3}},
	}
}

// points marks points with a shape.
func points(at plotter.XYs, color paint, shape draw.GlyphDrawer) *plotter.Scatter {
	return &plotter.Scatter{XYs: at, GlyphStyle: draw.GlyphStyle{Color: color, Radius: 3.5, Shape: shape}}
}

// render draws p. The name says what is to be seen in it.
func render(p *plot.Plot, width, height vg.Length, name string) (template.HTML, error) {
	c := vgsvg.New(width, height)
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	return inline(&b, name)
}
