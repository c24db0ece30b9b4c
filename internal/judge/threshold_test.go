package judge

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// precisionAbove is the true precision of answers above a threshold.
func (p population) precisionAbove(threshold float64) float64 {
	const steps = 1000
	sum := 0.0
	for i := range steps {
		sum += p.right(threshold + (1-threshold)*(float64(i)+0.5)/steps)
	}
	return sum / steps
}

// step is right with probability high from 0.8 on, with probability low below.
func step(high, low float64) func(float64) float64 {
	return func(confidence float64) float64 {
		if confidence >= 0.8 {
			return high
		}
		return low
	}
}

// At most one threshold in twenty may promise too much, be it that the
// precision is nowhere quite high enough or that it falls at some point.
func TestThresholdsKeepTheirPromise(t *testing.T) {
	for _, test := range []struct {
		name   string
		wanted float64
		population
	}{
		{"just too low everywhere", 0.9, population{sources: 150, rows: 1, even: true, right: always(0.899)}},
		{"dependent rows", 0.9, population{sources: 60, rows: 9, together: 0.6, right: always(0.899)}},
		{"sources stand or fall", 0.8, population{sources: 80, rows: 5, together: 1, right: always(0.799)}},
		{"few sources", 0.8, population{sources: 15, rows: 20, together: 0.4, right: always(0.799)}},
		{"few errors", 0.97, population{sources: 80, rows: 9, together: 0.6, right: always(0.969)}},
		{"falls below 0.8", 0.9, population{sources: 100, rows: 9, together: 0.4, right: step(0.97, 0.7)}},
	} {
		const runs = 200
		rng, broken := newRand(40), 0
		for range runs {
			threshold, err := FindThreshold(two, test.draw(rng), Purpose{"", test.wanted})
			broken += one(err == nil && test.precisionAbove(threshold.Probability) < test.wanted)
		}
		// 5% and two standard errors.
		if limit := 0.05*runs + 2*math.Sqrt(runs*0.05*0.95); float64(broken) > limit {
			t.Errorf("%s: %d of %d thresholds promise too much, want at most %.0f", test.name, broken, runs, limit)
		}
	}
}

// A precision that the data clearly have is found, nearly to the end.
func TestThresholdsAreFound(t *testing.T) {
	rng := newRand(41)
	const runs = 40
	found := 0
	for range runs {
		p := population{sources: 400, rows: 3, together: 0.3, right: step(0.98, 0.6)}
		threshold, err := FindThreshold(two, p.draw(rng), Purpose{"", 0.9})
		found += one(err == nil && threshold.Coverage > 0.3 && threshold.LowerBound >= 0.9)
	}
	if found < runs*9/10 {
		t.Errorf("%d of %d thresholds found, want nearly all", found, runs)
	}
}

// rows answers yes as often as there are letters in right: y for a right
// answer, n for a wrong one, each as confident as it can be told apart.
func rows(right string) []Judgement {
	var list []Judgement
	for i, r := range right {
		list = append(list, answer(i, 0, r == 'y', 1-float64(i)/float64(4*len(right))))
	}
	return list
}

// 59 right answers show a precision of 0.95, and no fewer do: 0.95^59 < 0.05.
func TestThresholdByHand(t *testing.T) {
	list := rows(strings.Repeat("y", 59))
	list = append(list, answer(100, 1, true, 0.99), answer(101, 1, false, 0.99)) // of another label
	got, err := FindThreshold(two, list, Purpose{"yes", 0.95})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "lower bound", got.LowerBound, math.Pow(0.05, 1./59))
	got.LowerBound = 0
	want := Threshold{
		Label: "yes", Probability: list[58].confidence(), Precision: 1, Recall: 59. / 60, Coverage: 59. / 61, Examples: 59, Sources: 59,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	list[10].Abstained = true
	if _, err := FindThreshold(two, list, Purpose{"yes", 0.95}); !errors.Is(err, ErrNoThreshold) {
		t.Errorf("58 answers: got %v, want %v", err, ErrNoThreshold)
	}
}

func TestEqualConfidenceComesTogether(t *testing.T) {
	list := rows(strings.Repeat("y", 100) + strings.Repeat("n", 100))
	for i := range list {
		list[i].Probabilities = []float64{0.8, 0.2}
	}
	_, err := FindThreshold(two, list, Purpose{"", 0.6})
	none, ok := errors.AsType[*NoThresholdError](err)
	if !ok || none.Nearest.Examples != 200 {
		t.Errorf("got %v, want an error about all 200 answers", err)
	}
}

func TestNoThresholdSaysHowMuchIsMissing(t *testing.T) {
	// 90 of 100 right: level with the wanted precision after some hundred.
	rng := newRand(42)
	var list []Judgement
	for i := range 100 {
		list = append(list, answer(i, 0, i%10 > 0, 0.5+rng.Float64()/2))
	}
	_, err := FindThreshold(two, list, Purpose{"", 0.85})
	none, ok := errors.AsType[*NoThresholdError](err)
	if !ok || none.Needed <= len(list) || none.Nearest.LowerBound >= 0.85 {
		t.Fatalf("got %v, want a *NoThresholdError with more than %d rows needed", err, len(list))
	}
	var more []Judgement
	for i := range 2 * none.Needed {
		j := list[i%len(list)]
		j.Source = i
		more = append(more, j)
	}
	if _, err := FindThreshold(two, more, Purpose{"", 0.85}); err != nil {
		t.Errorf("twice the %d rows needed: %v", none.Needed, err)
	}
	want := "no threshold reaches the precision: precision>=0.85: nearest is "
	if !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), " rows would do") {
		t.Errorf("got %q, want %q … rows would do", err, want)
	}
}

func TestNoThresholdAtAll(t *testing.T) {
	for _, test := range []struct {
		name string
		list []Judgement
		p    Purpose
		want string
	}{
		{"no rows", nil, Purpose{"", 0.9}, "no threshold reaches the precision: precision>=0.9: there are no answers to choose from"},
		{"no answers of the label", rows("yyy"), Purpose{"no", 0.9},
			"no threshold reaches the precision: no:precision>=0.9: there are no answers to choose from"},
		{"half are right", rows(strings.Repeat("ny", 100)), Purpose{"", 0.9},
			"0.500 of 200 answers (sources: 200) are right, with a lower bound of 0.423; more rows alone would not do"},
		{"one source", population{sources: 1, rows: 50, even: true, right: always(1)}.draw(newRand(1)), Purpose{"", 0.9},
			"1.000 of 50 answers (sources: 1) are right, with a lower bound of 0.000; more rows alone would not do"},
	} {
		_, err := FindThreshold(two, test.list, test.p)
		if !errors.Is(err, ErrNoThreshold) || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

func TestFindThresholdRefuses(t *testing.T) {
	for _, p := range []Purpose{{"maybe", 0.9}, {"yes", 0}, {"yes", 1}, {"", math.NaN()}} {
		if _, err := FindThreshold(two, rows("yy"), p); err == nil || errors.Is(err, ErrNoThreshold) {
			t.Errorf("%v: got %v, want it refused", p, err)
		}
	}
}

// No confidence, source or label makes it fail.
func TestThresholdsOfOddLists(t *testing.T) {
	for name, list := range oddLists() {
		for _, label := range []string{"", "yes", "no"} {
			got, err := FindThreshold(two, list, Purpose{label, 0.6})
			if none, ok := errors.AsType[*NoThresholdError](err); ok {
				got = none.Nearest
			}
			if math.IsNaN(got.LowerBound) || got.LowerBound > got.Precision {
				t.Errorf("%s, %q: got a lower bound of %v for %v", name, label, got.LowerBound, got.Precision)
			}
		}
	}
}
