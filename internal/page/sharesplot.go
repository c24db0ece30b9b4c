package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/prevalence"
)

// Limits of what is drawn: the tables have the rest.
const (
	maxShareDots  = 40
	maxSharePlots = 12
	maxPeriods    = 120
	maxListed     = 1000 // rows of a table
)

// sharesFigure draws the shares of a head's labels, the largest first, beside the
// shares of answers.
func sharesFigure(s *prevalence.Shares) (*figure, error) {
	if len(s.Labels) == 0 {
		return nil, nil
	}
	labels := slices.SortedStableFunc(slices.Values(s.Labels), func(a, b prevalence.Share) int { return cmp.Compare(b.Share, a.Share) })
	f := &figure{Keys: []key{{firstDot, "share"}, {acrossSpan, "95% interval"}, {secondBox, "share of answers, as they are"}}}
	if len(labels) > maxShareDots {
		f.Note = "Drawn are the " + whole(maxShareDots) + " labels with the largest shares."
		labels = labels[:maxShareDots]
	}
	var list []dot
	counted := make(plotter.XYs, len(labels))
	for i, l := range labels {
		list = append(list, shareDot(strings.Join(l.Names, ", "), &l))
		counted[i] = plotter.XY{X: 100 * l.Classified, Y: float64(len(labels) - 1 - i)}
	}
	p := dotPlot(list, "% of rows")
	at := dotPoints(list)
	p.Add(spans(at, list), points(counted, second, draw.BoxGlyph{}), points(at, first, draw.CircleGlyph{}))
	drawn, err := render(p, plotWidth, 50+20*vg.Length(len(list)), "Shares of labels with intervals."+inTable)
	f.Plot = drawn
	return f, err
}

func shareDot(name string, l *prevalence.Share) dot {
	return dot{name, 100 * l.Share, judge.Interval{Low: 100 * l.Interval.Low, High: 100 * l.Interval.High}}
}

// dotPlot is an empty plot for dots below each other, from zero to the end of the
// longest interval.
func dotPlot(list []dot, axis string) *plot.Plot {
	p := newPlot(axis, "")
	p.X.Max = 1
	for _, d := range list {
		p.X.Max = max(p.X.Max, d.Interval.High, d.Value)
	}
	p.X.Max = min(100, 1.04*p.X.Max)
	p.X.Tick.Marker = plot.ConstantTicks(ticks(0, p.X.Max))
	p.Y.Min, p.Y.Max = -.6, float64(len(list))-.4
	p.Y.Tick.Marker = plot.ConstantTicks(nameTicks(list))
	p.Y.Tick.Label.Color = ink
	p.Y.Tick.Length, p.Y.Width = 0, 0
	p.Add(&plotter.Grid{Vertical: draw.LineStyle{Color: grid, Width: 1}})
	return p
}

// splitPart shows shares by the values of a column.
func splitPart(id string, s *prevalence.Split) (sharesPart, error) {
	p := sharesPart{ID: id, Title: "By " + visible(s.Column)}
	if s.Unit != "" {
		p.Title = "By " + s.Unit + " of " + visible(s.Column)
	}
	if len(s.Groups) == 0 {
		return p, nil
	}
	for h := range s.Groups[0].Heads {
		section, err := splitSection(s, func(g *prevalence.Group) *prevalence.Shares { return &g.Heads[h] })
		if err != nil {
			return p, err
		}
		section.ID = id + "-" + strconv.Itoa(h+1)
		p.Sections = append(p.Sections, section)
	}
	for c := range s.Groups[0].Crossed {
		section, err := splitSection(s, func(g *prevalence.Group) *prevalence.Shares { return &g.Crossed[c] })
		if err != nil {
			return p, err
		}
		section.ID = id + "-crossed-" + strconv.Itoa(c+1)
		p.Sections = append(p.Sections, section)
	}
	return p, nil
}

// splitSection shows a head's shares in every group: a small plot a label, and a
// table.
func splitSection(s *prevalence.Split, of func(*prevalence.Group) *prevalence.Shares) (sharesSection, error) {
	out := sharesSection{Title: visible(strings.Join(of(&s.Groups[0]).Heads, " by ")), Folded: true}
	out.Lead = splitLead(s, of)
	out.Table = splitTable(s, of)
	if len(out.Table.Rows) == maxListed {
		out.Left = "The table ends after " + whole(maxListed) + " rows; the JSON summary has all. "
	}
	drawn := largest(s, of)
	total := labelsOf(s, of)
	if total > len(drawn) {
		out.Left += "Drawn are the " + whole(len(drawn)) + " labels with the largest shares, of " + whole(total) + "."
	}
	for _, l := range drawn {
		plot, err := splitPlot(s, of, l)
		if err != nil {
			return out, err
		}
		if plot.Plot != "" {
			out.Plots = append(out.Plots, plot)
		}
	}
	return out, nil
}

// splitLead says what the groups' shares rest on.
func splitLead(s *prevalence.Split, of func(*prevalence.Group) *prevalence.Shares) string {
	methods := map[string]int{}
	for i := range s.Groups {
		if g := of(&s.Groups[i]); g.Judged > 0 {
			methods[g.Method]++
		}
	}
	var parts []string
	for _, m := range []string{prevalence.PredictionPowered, prevalence.Mixture, prevalence.ClassifyAndCount} {
		if n := methods[m]; n > 0 {
			parts = append(parts, count(n, "group")+": "+methodNames[m])
		}
	}
	return strings.Join(parts, " ")
}

// labelsOf is how many labels the groups have shares of.
func labelsOf(s *prevalence.Split, of func(*prevalence.Group) *prevalence.Shares) int {
	n := 0
	for i := range s.Groups {
		n = max(n, len(of(&s.Groups[i]).Labels))
	}
	return n
}

// largest are the labels with the most rows over all groups, in their order.
func largest(s *prevalence.Split, of func(*prevalence.Group) *prevalence.Shares) []int {
	sums := make([]float64, labelsOf(s, of))
	var order []int
	for l := range sums {
		order = append(order, l)
	}
	for i := range s.Groups {
		g := of(&s.Groups[i])
		for l := range g.Labels {
			sums[l] += g.Labels[l].Share * float64(g.Judged)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sums[b], sums[a]) })
	order = order[:min(len(order), maxSharePlots)]
	slices.Sort(order)
	return order
}

// splitPlot draws a label's share in every group: dates from left to right, other
// values below each other.
func splitPlot(s *prevalence.Split, of func(*prevalence.Group) *prevalence.Shares, l int) (smallPlot, error) {
	var list []dot
	name := ""
	for i := range s.Groups {
		if g := of(&s.Groups[i]); len(g.Labels) > l {
			name = strings.Join(g.Labels[l].Names, ", ")
			list = append(list, shareDot(s.Groups[i].Value, &g.Labels[l]))
		}
	}
	out := smallPlot{Short: short(label(name), 30), Full: label(name)}
	if len(list) == 0 {
		return out, nil
	}
	var err error
	if s.Unit != "" {
		out.Plot, err = drawPeriods(list[max(0, len(list)-maxPeriods):], out.Full)
		return out, err
	}
	list = list[:min(len(list), maxDots)]
	p := dotPlot(list, "% of rows")
	at := dotPoints(list)
	p.Add(spans(at, list), points(at, first, draw.CircleGlyph{}))
	out.Plot, err = render(p, 260, 50+20*vg.Length(len(list)), "Shares of "+out.Full+"."+inTable)
	return out, err
}

// splitTable lists the shares of all groups.
func splitTable(s *prevalence.Split, of func(*prevalence.Group) *prevalence.Shares) table {
	t := table{Names: true, Head: []string{visible(s.Column), "rows judged", "label", "share", "95% interval", "of these rows", "answers"}}
	for i := range s.Groups {
		g := of(&s.Groups[i])
		for k := range g.Labels {
			l := &g.Labels[k]
			t.Rows = append(t.Rows, []string{
				label(s.Groups[i].Value), whole(int(g.Judged)), visible(strings.Join(l.Names, ", ")), percents(l.Share),
				percentInterval(l.Interval), percentInterval(l.RowsInterval), percents(l.Classified),
			})
			if len(t.Rows) == maxListed {
				return t
			}
		}
	}
	return t
}
