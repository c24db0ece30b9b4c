package judge

import "testing"

func TestWilson(t *testing.T) {
	for _, test := range []struct {
		share, n float64
		want     Interval
	}{
		{0.8, 10, Interval{0.4901625, 0.9433178}}, {0, 10, Interval{0, 0.2775328}}, {1, 10, Interval{0.7224672, 1}},
		{0, 0, Interval{0, 1}},
	} {
		got := wilson(test.share, test.n)
		within(t, "low", got.Low, test.want.Low, 1e-6)
		within(t, "high", got.High, test.want.High, 1e-6)
	}
}

// proportionOf has sources of the same number of rows each, with the given
// numbers right.
func proportionOf(rows int, right ...int) proportion {
	var p proportion
	for _, r := range right {
		p = append(p, sourceCount{r, rows})
	}
	return p
}

func TestCorrelation(t *testing.T) {
	for _, test := range []struct {
		name string
		p    proportion
		want float64
	}{
		{"one row a source", proportionOf(1, 0, 1, 1, 0), 0},
		{"sources stand or fall together", proportionOf(5, 0, 5, 5, 0), 1},
		{"sources are alike", proportionOf(4, 2, 2, 2, 2), 0},
		{"nothing tells", proportionOf(4, 4, 4, 4), 1},
		{"one source", proportionOf(4, 3), 1},
		{"mean squares 1/3 and 1/4", proportionOf(2, 0, 2, 1, 1), (1./3 - 1./4) / (1./3 + 1./4)},
	} {
		near(t, test.name, test.p.correlation(), test.want)
	}
}

func TestEffectiveNumberOfAnswers(t *testing.T) {
	const tail = 0.025
	near(t, "independent rows", proportionOf(1, 0, 1, 1, 0, 1).effective(0, tail), 5)
	near(t, "one source", proportionOf(9, 5).effective(0, tail), 0)
	near(t, "nothing", proportion{}.effective(0, tail), 0)
	// Ten sources of rows that stand or fall together: as many trials, less what
	// t intervals of ten sources are wider than those of forty rows.
	together := proportionOf(4, 4, 0, 4, 4, 0, 4, 4, 4, 0, 4)
	ratio := studentQuantile(tail, 39) / studentQuantile(tail, 9)
	near(t, "dependent rows", together.effective(1, tail), 9*40./39*ratio*ratio)
	near(t, "all right", proportionOf(4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4).effective(1, tail), 10*ratio*ratio)
	if few, known := together.effective(0, tail), together.effective(1, tail); few > known+1e-9 {
		t.Errorf("got %v answers when the sources show what the correlation does not say, want at most %v", few, known)
	}
}
