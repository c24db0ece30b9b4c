package judge

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// duel draws the answers of two classifiers on the same rows: each is right
// with its own probability, and sure of it with its own confidence.
type duel struct {
	sources, rows        int
	together             float64 // share of rows on which both have the luck of the source
	champion, challenger float64
	confidence           [2]float64 // of both; 0: 0.8
}

func (d duel) draw(rng *rand.Rand) (champion, challenger []Judgement) {
	for s := range d.sources {
		luck := rng.Float64()
		for range d.rows {
			label, a, b := rng.IntN(2), rng.Float64(), rng.Float64()
			if rng.Float64() < d.together {
				a, b = luck, luck
			}
			champion = append(champion, d.answer(s, label, a < d.champion, d.confidence[0]))
			challenger = append(challenger, d.answer(s, label, b < d.challenger, d.confidence[1]))
		}
	}
	return champion, challenger
}

// answer has the label for its truth.
func (d duel) answer(source, label int, right bool, confidence float64) Judgement {
	if confidence == 0 {
		confidence = 0.8
	}
	if right {
		return answer(source, label, true, confidence)
	}
	return answer(source, 1-label, false, confidence)
}

// compared fails the test when the lists cannot be compared.
func compared(t *testing.T, champion, challenger []Judgement) Comparison {
	t.Helper()
	c, err := Compare(two, champion, challenger)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompareWithItself(t *testing.T) {
	for _, sources := range []int{1, 5, 50} {
		list := population{sources: sources, rows: 6, right: calibrated}.draw(newRand(60))
		c := compared(t, list, list)
		for _, d := range []Difference{c.MacroF1, c.Accuracy, c.NLL} {
			if d.Difference != 0 || d.Champion != d.Challenger || d.PValue != 1 {
				t.Errorf("%d sources: got %+v, want no difference", sources, d)
			}
			if sources > 1 && (d.Interval != Interval{} || d.Detectable != 0) {
				t.Errorf("%d sources: got %+v, want no uncertainty", sources, d)
			}
		}
		if c.Verdict != Keep || c.OnlyChampion != 0 || c.OnlyChallenger != 0 || c.Labels[0].PValue != 1 {
			t.Errorf("%d sources: got %+v, want %s and nothing else", sources, c, Keep)
		}
	}
}

func TestCompareMeasures(t *testing.T) {
	d := duel{sources: 40, rows: 3, together: 0.3, champion: 0.7, challenger: 0.8, confidence: [2]float64{0.8, 0.7}}
	champion, challenger := d.draw(newRand(61))
	c := compared(t, champion, challenger)
	a, b := Measure(two, champion), Measure(two, challenger)
	for _, test := range []struct {
		what                 string
		got                  Difference
		champion, challenger float64
	}{{"macro-F1", c.MacroF1, a.MacroF1, b.MacroF1}, {"accuracy", c.Accuracy, a.Accuracy, b.Accuracy}, {"NLL", c.NLL, a.NLL, b.NLL}} {
		near(t, test.what+" of the champion", test.got.Champion, test.champion)
		near(t, test.what+" of the challenger", test.got.Challenger, test.challenger)
		near(t, test.what, test.got.Difference, test.challenger-test.champion)
		if !test.got.Interval.holds(test.got.Difference) {
			t.Errorf("%s: %v outside %v", test.what, test.got.Difference, test.got.Interval)
		}
	}
	if c.Examples != 120 || c.Sources != 40 {
		t.Errorf("got %d rows from %d sources, want 120 from 40", c.Examples, c.Sources)
	}
	near(t, "rows that one got right", float64(c.OnlyChallenger-c.OnlyChampion)/120, c.Accuracy.Difference)
	near(t, "F1 of no", c.Labels[1].Difference, b.Labels[1].F1-a.Labels[1].F1)
}

func TestCompareRefuses(t *testing.T) {
	list := func() []Judgement {
		list := []Judgement{answer(0, 0, true, 0.8), answer(1, 1, true, 0.8)}
		list[1].Row.Place = "in.csv:3"
		return list
	}
	unfit := func(change func(*Judgement)) []Judgement {
		l := list()
		change(&l[1])
		return l
	}
	differ := "row 2 (in.csv:3): champion and challenger differ in its label or its source"
	for _, test := range []struct {
		challenger []Judgement
		want       string
	}{
		{list()[:1], "the champion has 2 answers, the challenger 1"},
		{unfit(func(j *Judgement) { j.Truth = 0 }), differ},
		{unfit(func(j *Judgement) { j.Source = 0 }), differ},
		{unfit(func(j *Judgement) { j.Predicted = 2 }), "row 2 (in.csv:3): label 1, answer 2 and 2 probabilities do not fit 2 labels"},
		{unfit(func(j *Judgement) { j.Predicted = -1 }), "row 2 (in.csv:3): label 1, answer -1 and 2 probabilities do not fit 2 labels"},
		{unfit(func(j *Judgement) { j.Probabilities = nil }), "row 2 (in.csv:3): label 1, answer 1 and 0 probabilities do not fit 2 labels"},
	} {
		if _, err := Compare(two, list(), test.challenger); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		name string
		duel
		want Verdict
	}{
		{"clearly better", duel{300, 2, 0, 0.7, 0.85, [2]float64{}}, Promote},
		{"clearly worse", duel{300, 2, 0, 0.85, 0.7, [2]float64{}}, Keep},
		{"better calibrated", duel{2000, 2, 1, 0.8, 0.8, [2]float64{0.99, 0.8}}, Promote},
		{"worse calibrated", duel{2000, 2, 1, 0.8, 0.8, [2]float64{0.8, 0.99}}, Keep},
		{"few rows", duel{20, 1, 0, 0.7, 0.75, [2]float64{}}, NotEnoughData},
		{"few sources", duel{4, 50, 0, 0.6, 0.9, [2]float64{}}, NotEnoughData},
		{"one source", duel{1, 500, 0, 0.6, 0.9, [2]float64{}}, NotEnoughData},
		{"nothing", duel{}, NotEnoughData},
	} {
		champion, challenger := test.draw(newRand(62))
		c := compared(t, champion, challenger)
		if c.Verdict != test.want || len(c.Reasons) == 0 {
			t.Errorf("%s: got %s because of %q, want %s", test.name, c.Verdict, c.Reasons, test.want)
		}
	}
}

// decided is the verdict on figures made up.
func TestVerdictRules(t *testing.T) {
	figures := func(low, high, p float64) Difference {
		return Difference{Difference: (low + high) / 2, Interval: Interval{low, high}, PValue: p}
	}
	none := figures(-0.001, 0.001, 0.9)
	for _, test := range []struct {
		name         string
		macroF1, nll Difference
		label        float64 // fall of a label's F1
		p            float64
		want         Verdict
		reason       string // the last one
	}{
		{"better in macro-F1", figures(0.001, 0.03, 0.01), none, 0, 1, Promote, "no difference shown"},
		{"better in NLL", figures(-0.009, 0.002, 0.5), figures(-0.02, -0.001, 0.01), 0, 1, Promote, "better"},
		{"better in NLL, macro-F1 may be worse", figures(-0.0101, 0.002, 0.5), figures(-0.02, -0.001, 0.01), 0, 1, Keep, "better"},
		{"no better", figures(-0.009, 0.009, 0.9), none, 0, 1, Keep, "no difference shown"},
		{"worse", figures(-0.09, -0.001, 0.01), none, 0, 1, Keep, "no difference shown"},
		{"worse in NLL", figures(-0.009, 0.009, 0.9), figures(0.1, 0.2, 0.01), 0, 1, Keep, "worse"},
		{"unclear", figures(-0.009, 0.02, 0.4), none, 0, 1, NotEnoughData,
			"the interval of macro-F1 reaches 1.4 points to either side: only a difference of 0.0 or more would likely show"},
		{"intervals say more than tests", figures(0.001, 0.01, 0.06), none, 0, 1, NotEnoughData,
			"9 sources are too few to be sure of the improvement"},
		{"a label falls", figures(0.001, 0.03, 0.01), none, 0.051, 0.05, Keep, `label "no": F1 fell by 5.1 points, p 0.0500 after Holm`},
		{"a label falls by chance", figures(0.001, 0.03, 0.01), none, 0.051, 0.06, Promote, "no difference shown"},
		{"a label falls a little", figures(0.001, 0.03, 0.01), none, 0.05, 0.01, Promote, "no difference shown"},
	} {
		c := Comparison{Examples: 10, Sources: 9, MacroF1: test.macroF1, NLL: test.nll,
			Labels: []LabelDifference{{Label: "no", Difference: -test.label, PValue: test.p}}}
		c.decide(false)
		if last := c.Reasons[len(c.Reasons)-1]; c.Verdict != test.want || !strings.HasSuffix(last, test.reason) {
			t.Errorf("%s: got %s because of %q, want %s because of %q", test.name, c.Verdict, c.Reasons, test.want, test.reason)
		}
	}
}

// Of challengers no better than the champion, at most one in twenty may be
// promoted; tests at 5% reject at most that many.
func TestEqualChallengersAreKept(t *testing.T) {
	for _, d := range []duel{
		{sources: 60, rows: 2, champion: 0.8, challenger: 0.8},
		{sources: 10, rows: 12, together: 0.5, champion: 0.7, challenger: 0.7},
	} {
		const runs = 150
		rng := newRand(63)
		promoted, accuracy, macroF1, nll, label := 0, 0, 0, 0, 0
		for range runs {
			champion, challenger := d.draw(rng)
			c := compared(t, champion, challenger)
			promoted += one(c.Verdict == Promote)
			accuracy += one(c.Accuracy.PValue <= 0.05)
			macroF1 += one(c.MacroF1.PValue <= 0.05)
			nll += one(c.NLL.PValue <= 0.05)
			label += one(c.Labels[0].PValue <= 0.05 || c.Labels[1].PValue <= 0.05)
		}
		// 5% and two and a half standard errors.
		limit := int(0.05*runs + 2.5*math.Sqrt(runs*0.05*0.95))
		if got := []int{promoted, accuracy, macroF1, nll, label}; slices.Max(got) > limit {
			t.Errorf("%d sources: of %d equal challengers, promoted, better in accuracy, macro-F1, NLL, a label: %v, want at most %d",
				d.sources, runs, got, limit)
		}
	}
}

func TestIntervalsOfDifferencesHoldTheTruth(t *testing.T) {
	rng := newRand(64)
	d := duel{sources: 60, rows: 3, together: 0.4, champion: 0.7, challenger: 0.8}
	const runs = 80
	held := 0
	for range runs {
		champion, challenger := d.draw(rng)
		held += one(compared(t, champion, challenger).Accuracy.Interval.holds(0.1))
	}
	if held < runs*87/100 {
		t.Errorf("%d of %d intervals hold the true difference, want about 95%%", held, runs)
	}
}

// A difference of the size that is said to be detectable is detected four times
// in five.
func TestDetectable(t *testing.T) {
	rng := newRand(65)
	equal := duel{sources: 200, rows: 1, champion: 0.8, challenger: 0.8}
	sum := 0.0
	for range 10 {
		champion, challenger := equal.draw(rng)
		sum += compared(t, champion, challenger).Accuracy.Detectable / 10
	}
	// The standard error of the difference of two independent shares of 0.8.
	within(t, "detectable", sum, 2.8016*math.Sqrt(2*0.8*0.2/200), 0.01)
	better := duel{sources: 200, rows: 1, champion: 0.8 - sum/2, challenger: 0.8 + sum/2}
	const runs = 60
	detected := 0
	for range runs {
		champion, challenger := better.draw(rng)
		detected += one(compared(t, champion, challenger).Accuracy.Interval.Low > 0)
	}
	if detected < runs*65/100 || detected > runs*95/100 {
		t.Errorf("%d of %d differences of %.3f detected, want about 80%%", detected, runs, sum)
	}
}

func TestComparisonsOfOddLists(t *testing.T) {
	for name, list := range oddLists() {
		other := slices.Clone(list)
		for i := range other {
			if i%3 == 0 {
				other[i].Predicted = 1 - other[i].Predicted
			}
		}
		c := compared(t, list, other)
		text, err := json.Marshal(c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, field := range []string{"only_champion_right", "negative_log_likelihood", "p_value", "verdict", "reasons", "labels"} {
			if !strings.Contains(string(text), fmt.Sprintf("%q:", field)) {
				t.Errorf("%s: no %s in %s", name, field, text)
			}
		}
		if again := compared(t, list, other); !reflect.DeepEqual(c, again) {
			t.Errorf("%s: got another comparison the second time", name)
		}
	}
}
