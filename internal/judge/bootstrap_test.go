package judge

import "testing"

// held is how many of the intervals of runs lists hold the true accuracy.
func held(seed uint64, runs int, p population) int {
	rng, n := newRand(seed), 0
	for range runs {
		n += one(Measure(two, p.draw(rng)).AccuracyInterval.holds(p.right(0)))
	}
	return n
}

func TestIntervalsHoldTheTruth(t *testing.T) {
	for _, test := range []struct {
		name string
		population
	}{
		{"independent rows", population{sources: 60, rows: 5, even: true, right: always(0.8)}},
		{"dependent rows", population{sources: 60, rows: 5, together: 0.6, right: always(0.8)}},
		{"few sources", population{sources: 8, rows: 20, even: true, together: 0.5, right: always(0.6)}},
	} {
		const runs = 80
		if n := held(5, runs, test.population); n < runs*86/100 {
			t.Errorf("%s: %d of %d intervals hold the true accuracy, want about 95%%", test.name, n, runs)
		}
	}
}

// Rows of one source that stand or fall together tell as much as one row.
func TestBootstrapDrawsSources(t *testing.T) {
	p := population{sources: 50, rows: 10, even: true, right: always(0.8)}
	apart := Measure(two, p.draw(newRand(3))).AccuracyInterval
	p.together = 1
	together := Measure(two, p.draw(newRand(3))).AccuracyInterval
	if (together.High - together.Low) < 2*(apart.High-apart.Low) {
		t.Errorf("interval %v of dependent rows, %v of independent ones: want it at least twice as wide", together, apart)
	}
}

func TestIntervalsWithoutSpread(t *testing.T) {
	var right, wrong []Judgement
	for s := range 20 {
		right, wrong = append(right, answer(s, 0, true, 0.9)), append(wrong, answer(s, 0, false, 0.9))
	}
	for _, test := range []struct {
		name string
		list []Judgement
		want Interval
	}{
		{"one source", right[:1], Interval{0, 1}},
		{"all of 20 right", right, Interval{0.838875, 1}}, // Wilson's
		{"none of 20 right", wrong, Interval{0, 0.161125}},
	} {
		m := Measure(two, test.list)
		within(t, test.name+", low", m.AccuracyInterval.Low, test.want.Low, 1e-6)
		within(t, test.name+", high", m.AccuracyInterval.High, test.want.High, 1e-6)
		if m.MacroF1Interval != m.AccuracyInterval {
			t.Errorf("%s: got %v for macro-F1, %v for accuracy, want them equal", test.name, m.MacroF1Interval, m.AccuracyInterval)
		}
	}
}

func TestStandardError(t *testing.T) {
	near(t, "two sources", percentiles{sources: 2}.standardError([]float64{-1, 1}), 2)
	near(t, "many sources", percentiles{sources: 1 << 60}.standardError([]float64{3, 1, 5}), 2)
}

// With many sources the interval is that of the plain percentiles.
func TestPercentilesExpandForFewSources(t *testing.T) {
	for _, test := range []struct{ sources, skipped int }{{2, 0}, {5, 0}, {10, 8}, {20, 15}, {50, 21}, {100_000, 24}} {
		if got := newPercentiles(test.sources).skipped; got != test.skipped {
			t.Errorf("%d sources: %d draws skipped at either end, want %d", test.sources, got, test.skipped)
		}
	}
}
