package page

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/plotter"

	"github.com/parley-nlp/parley/internal/judge"
)

var nan = math.NaN()

// Error bars hold distances, judge.Interval ends.
func TestErrorBars(t *testing.T) {
	const low, value, high = .5, .75, .875
	i := judge.Interval{Low: low, High: high}
	up := whiskers(plotter.XYs{{X: .5, Y: value}, {X: .5, Y: value}}, []judge.Bin{{Accuracy: value, AccuracyInterval: i}, {Accuracy: value}})
	across := spans(plotter.XYs{{X: value}, {X: value}}, []dot{{"a", value, i}, {"b", value, judge.Interval{}}})
	for n, want := range [][2]float64{{value - low, high - value}, {0, 0}} {
		if l, h := up.YError(n); l != want[0] || h != want[1] {
			t.Errorf("whiskers %d: %v, %v, want %v", n, l, h, want)
		}
		if l, h := across.XError(n); l != want[0] || h != want[1] {
			t.Errorf("spans %d: %v, %v, want %v", n, l, h, want)
		}
	}
}

// The band goes along the upper ends and back along the lower ones, past
// points that have no interval.
func TestCoverageBand(t *testing.T) {
	got := coverageBand([]judge.CoveragePoint{
		{Coverage: .25, AccuracyInterval: judge.Interval{Low: .5, High: 1}},
		{Coverage: .5},
		{Coverage: 1, AccuracyInterval: judge.Interval{Low: .4, High: .6}},
	})
	want := plotter.XYs{{X: .25, Y: 1}, {X: 1, Y: .6}, {X: 1, Y: .4}, {X: .25, Y: .5}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestGroupFigures(t *testing.T) {
	list := []judge.GroupMetrics{{Name: "b", Examples: 2000, Accuracy: .5}, {Examples: 3, MacroF1: .25}, {Name: "a\x00"}}
	g, err := groupFigures("source", list, .5)
	if err != nil {
		t.Fatal(err)
	}
	if g.Dots == nil || g.Rows[0].Examples != "2,000" || g.Rows[1].Name != "(empty)" || g.Rows[1].MacroF1 != "0.25" || g.Rows[2].Name != "a␀" {
		t.Errorf("%+v", g)
	}
	if g, err := groupFigures("source", list[:2], .5); err != nil || len(g.Rows) != 2 || g.Dots != nil {
		t.Errorf("two groups: %+v, %v", g, err)
	}
	if g, err := groupFigures("source", nil, .5); err != nil || g != nil {
		t.Errorf("no groups: %+v, %v", g, err)
	}
}

// The first dot lies at the top, beside its name.
func TestDotsGoDown(t *testing.T) {
	list := []dot{{"first", .1, judge.Interval{}}, {"second", .2, judge.Interval{}}, {"", .3, judge.Interval{}}}
	names, at := nameTicks(list), dotPoints(list)
	for i, name := range []string{"first", "second", "(empty)"} {
		height := float64(2 - i)
		if names[i].Label != name || names[i].Value != height || at[i].Y != height || at[i].X != list[i].Value {
			t.Errorf("dot %d: %v, %v", i, names[i], at[i])
		}
	}
}

func TestDotsDrawn(t *testing.T) {
	list := []dot{{"a", .1, judge.Interval{}}, {"b", nan, judge.Interval{}}, {"c", .3, judge.Interval{Low: nan}}, {"d", .4, judge.Interval{}}}
	tests := []struct {
		list  []dot
		drawn bool
	}{
		{nil, false},
		{list[:3], false}, // two that can be drawn
		{list, true},
	}
	for _, test := range tests {
		f, err := dots{List: test.list, Axis: "x", High: 1, Line: nan, Name: "Dots."}.draw()
		if err != nil || (f != nil) != test.drawn {
			t.Errorf("%d dots: %v, %v", len(test.list), f, err)
		}
		if f != nil && (strings.Contains(string(f.Plot), "NaN") || !strings.Contains(string(f.Plot), ">0.4</text>")) {
			t.Errorf("a line that is none spoils the plot: %s", f.Plot)
		}
	}
}

func TestAround(t *testing.T) {
	tests := []struct {
		list      []dot
		low, high float64
	}{
		{nil, -.1, .1},
		{[]dot{{"a", .02, judge.Interval{Low: -.04, High: .05}}}, -.1, .1},
		{[]dot{{"a", .2, judge.Interval{Low: -.13, High: .51}}, {"b", -.9, judge.Interval{}}}, -.9, .6},
		{[]dot{{"a", nan, judge.Interval{Low: -1, High: 1}}, {"b", .3, judge.Interval{Low: -math.MaxFloat64, High: math.Inf(1)}}}, -.1, .1},
	}
	for _, test := range tests {
		if low, high := around(test.list); low != test.low || high != test.high {
			t.Errorf("around(%v) = %v, %v, want %v, %v", test.list, low, high, test.low, test.high)
		}
	}
}

func TestFitY(t *testing.T) {
	for least, want := range map[float64]float64{.97: .9, .81: .8, .05: 0, 0: 0, 1: .9} {
		p := newPlot("x", "y")
		fitY(p, nil, plotter.XYs{{X: 1, Y: 1}, {X: 0, Y: least}})
		if p.Y.Min != want || p.Y.Max != 1 {
			t.Errorf("least %v: axis from %v to %v, want from %v", least, p.Y.Min, p.Y.Max, want)
		}
	}
}

func TestGainNote(t *testing.T) {
	for gain, want := range map[float64]string{0: "", nan: "", math.Inf(1): "", .0123: "by about +0.012.", -.004: "by about −0.004."} {
		if got := gainNote(gain); strings.Contains(got, "100 more") != (want != "") || !strings.HasSuffix(got, want) {
			t.Errorf("gainNote(%v) = %q, want …%q", gain, got, want)
		}
	}
}

func TestBinSizes(t *testing.T) {
	tests := []struct {
		sizes []int
		want  string
	}{
		{[]int{20, 20}, " of 20 rows"},
		{[]int{1}, " of 1 row"},
		{[]int{21, 20, 1000}, " of 20 to 1,000 rows"},
	}
	for _, test := range tests {
		var bins []judge.Bin
		for _, n := range test.sizes {
			bins = append(bins, judge.Bin{Examples: n})
		}
		if got := binSizes(bins); got != test.want {
			t.Errorf("binSizes(%v) = %q, want %q", test.sizes, got, test.want)
		}
	}
}

// A bar shows what fits on it, and nothing of what is no number.
func TestBar(t *testing.T) {
	tests := []struct {
		v    float64
		i    judge.Interval
		mark float64
		want []string
		no   string
	}{
		{.5, judge.Interval{Low: .25, High: .75}, -1, []string{`class="f-bar" y="2" width="40.0"`, `M20.0 6H60.0M20.0 3.5v5M60.0 3.5v5`}, "s-mark"},
		{.5, judge.Interval{}, .25, []string{`class="s-mark" d="M20.0 0v12"`}, "s-ink"},
		{2, judge.Interval{Low: -1, High: 3}, -1, []string{`width="80.0"`, `M0.0 6H80.0`}, "s-mark"},
		{.5, judge.Interval{Low: nan, High: 1}, nan, nil, "NaN"},
	}
	for _, test := range tests {
		got := string(bar(test.v, test.i, test.mark))
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("bar(%v, %v, %v): no %s in %s", test.v, test.i, test.mark, want, got)
			}
		}
		if strings.Contains(got, test.no) {
			t.Errorf("bar(%v, %v, %v): %s in %s", test.v, test.i, test.mark, test.no, got)
		}
	}
	if got := bar(nan, judge.Interval{}, -1); got != "" {
		t.Errorf("a bar of no number: %s", got)
	}
}
