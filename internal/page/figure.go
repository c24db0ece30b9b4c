package page

import (
	"html/template"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// A figure is a plot with what is needed to read it.
type figure struct {
	Plot template.HTML
	Keys []key
	Note string // how to read it
	Data table  // the same in numbers
}

// A key says what a mark of a plot stands for.
type key struct {
	Mark template.HTML // on a ground of 30 by 12
	Text string
}

// Marks of keys.
const (
	firstLine   template.HTML = `<path class="s-first" stroke-width="2" d="M0 6h30"/>`
	secondLine  template.HTML = `<path class="s-second" stroke-width="2" stroke-dasharray="6 3" d="M0 6h30"/>`
	firstDot    template.HTML = `<circle class="f-first" cx="15" cy="6" r="3.5"/>`
	secondBox   template.HTML = `<rect class="f-second" x="12" y="3" width="6" height="6"/>`
	uprightSpan template.HTML = `<path class="s-first" stroke-width="1.25" d="M15 0v12M12.5 .5h5M12.5 11.5h5"/>`
	acrossSpan  template.HTML = `<path class="s-first" stroke-width="1.25" d="M3 6h24M3 3.5v5M27 3.5v5"/>`
	bandMark    template.HTML = `<rect class="f-band" width="30" height="12"/>`
	acrossRule  template.HTML = `<path class="s-muted" stroke-dasharray="3 3" d="M0 6h30"/>`
	uprightRule template.HTML = `<path class="s-muted" stroke-dasharray="3 3" d="M15 0v12"/>`
)

// A table of numbers. With Names the first column has text.
type table struct {
	Names bool
	Head  []string
	Rows  [][]string
}

// inTable ends the name of a plot: the numbers are near, as text.
const inTable = " The numbers are in the table that follows."

// only returns the elements of list for which keep is true.
func only[T any](list []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(e T) bool { return !keep(e) })
}

// xys are the points (x(e), y(e)) of a list.
func xys[T any](list []T, x, y func(T) float64) plotter.XYs {
	points := make(plotter.XYs, len(list))
	for i, e := range list {
		points[i] = plotter.XY{X: x(e), Y: y(e)}
	}
	return points
}
