package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/judge"
)

// certain is a set of one fold with labels a to c, whose answers are certain.
func certain(name string, groups []string, truth, predicted string) *testedSet {
	r := &run{Labels: []string{"a", "b", "c"}}
	for i := range truth {
		a := answer{Truth: truth[i : i+1], Predicted: int(predicted[i] - 'a'), Probabilities: make([]float64, 3)}
		a.Probabilities[a.Predicted] = 1
		if groups != nil {
			a.Group = groups[i]
		}
		r.Answers = append(r.Answers, a)
	}
	return gather(set{name: name}, []*run{r})
}

// letters are answers of one letter each.
func letters(s string) []string {
	var list []string
	for i := range s {
		list = append(list, s[i:i+1])
	}
	return list
}

func paired(s *testedSet, peer string) *pairing { return newPairing(s, s.measure(), letters(peer)) }

// Three rows can be drawn in 27 ways, all equally likely.
func TestDrawsAreThoseOfTheEnumeration(t *testing.T) {
	p := paired(certain("three", nil, "abc", "abb"), "acc")
	var all []float64
	for i := range 27 {
		own, peer := p.values([]pair{p.rows[i%3], p.rows[i/3%3], p.rows[i/9]})
		all = append(all, own-peer)
	}
	draws := p.draws()
	for _, value := range slices.Compact(slices.Sorted(slices.Values(all))) {
		want := share(all, value)
		if got := share(draws, value); math.Abs(got-want) > 4*math.Sqrt(want/bootstrapDraws) {
			t.Errorf("difference %v: drawn in a share of %.3f, want about %.3f", value, got, want)
		}
	}
	for _, d := range draws {
		if share(all, d) == 0 {
			t.Fatalf("difference %v cannot be", d)
		}
	}
}

func share(list []float64, value float64) float64 {
	n := 0
	for _, v := range list {
		if v == value {
			n++
		}
	}
	return float64(n) / float64(len(list))
}

// many makes a truth of n letters and answers to it that are right with a
// probability.
func many(seed uint64, n int, right ...float64) (truth string, answers []string) {
	rng := rand.New(rand.NewPCG(seed, 2))
	letters := func(of func(i int) byte) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = of(i)
		}
		return string(b)
	}
	truth = letters(func(int) byte { return "abc"[rng.IntN(3)] })
	for _, p := range right {
		answers = append(answers, letters(func(i int) byte {
			if rng.Float64() < p {
				return truth[i]
			}
			return "abc"[rng.IntN(3)]
		}))
	}
	return truth, answers
}

func TestIntervalOfTheDifference(t *testing.T) {
	truth, answers := many(1, 300, 0.9, 0.5)
	s := certain("many", nil, truth, answers[0])
	i := percentiles(paired(s, answers[1]).draws())
	own, peer := tallyOf(truth, answers[0]).macroF1(), tallyOf(truth, answers[1]).macroF1()
	if !(i.Low > 0 && i.Low < own-peer && own-peer < i.High && i.High-i.Low < 0.2) {
		t.Errorf("difference %v: got %v", own-peer, i)
	}
	s.name = "other"
	if other := percentiles(paired(s, answers[1]).draws()); other == i {
		t.Error("two sets with the same draws")
	}
	if same := percentiles(paired(s, answers[0]).draws()); same != (judge.Interval{}) {
		t.Errorf("the same answers: got %v, want no difference", same)
	}
}

// Ten rows of a source that stand or fall together say what one of them says.
func TestIntervalDrawsWholeGroups(t *testing.T) {
	truth, answers := many(3, 90, 0.8, 0.6)
	var copies [3]string
	var groups []string
	for i := range truth {
		for range 10 {
			groups = append(groups, string(rune('A'+i)))
			for c, s := range []string{truth, answers[0], answers[1]} {
				copies[c] += s[i : i+1]
			}
		}
	}
	single := percentiles(paired(certain("x", nil, truth, answers[0]), answers[1]).draws())
	grouped := percentiles(paired(certain("x", groups, copies[0], copies[1]), copies[2]).draws())
	near(t, "low end", grouped.Low, single.Low)
	near(t, "high end", grouped.High, single.High)
}

func TestFoldsAreMeasuredApart(t *testing.T) {
	p := newPairing(twoFolds(), measure{name: macroF1Name}, []string{"a", "b", "z", "elsewhere"})
	own, peer := p.values(p.rows)
	near(t, "own", own, (1+1./3)/2)
	near(t, "peer", peer, (1+1./3)/2) // c, z and a label of its own
	if got := len(p.sources); got != 3 {
		t.Errorf("got %d sources, want 3: a group may be in two folds", got)
	}
}

func TestStanding(t *testing.T) {
	within := func(low, high float64) *judge.Interval { return &judge.Interval{Low: low, High: high} }
	for _, c := range []struct {
		difference float64
		interval   *judge.Interval
		want       string
	}{
		{0.01, nil, ahead},
		{0.01, within(-0.01, 0.03), ahead},
		{0, within(0, 0), level},
		{-0.0005, nil, level},
		{-0.0006, nil, behind},
		{-0.03, within(-0.07, 0.01), level},
		{-0.03, within(-0.05, -0.01), behind},
		{-0.0004, within(-0.0005, -0.0001), level},
	} {
		got := (&comparison{Difference: c.difference, Interval: c.interval}).standing()
		if got != c.want {
			t.Errorf("%v %v: got %s, want %s", c.difference, c.interval, got, c.want)
		}
	}
}

func TestSummary(t *testing.T) {
	if s := summarise([]result{{}, {}}); s != nil {
		t.Errorf("without peers: got %+v", s)
	}
	of := func(difference float64, standing string, low, high float64) result {
		c := &comparison{Difference: difference, Standing: standing, Interval: &judge.Interval{Low: low, High: high}}
		for d := range bootstrapDraws {
			c.draws = append(c.draws, low+(high-low)*float64(d)/(bootstrapDraws-1))
		}
		return result{Comparison: c}
	}
	list := []result{
		of(0.04, ahead, 0.01, 0.05), of(0.02, ahead, -0.01, 0.05), of(-0.0001, level, -0.02, 0.02),
		of(-0.02, level, -0.05, 0.01), of(-0.03, behind, -0.05, -0.01), of(-0.03, behind, -0.04, -0.002), {},
	}
	s := summarise(list)
	near(t, "mean lead", s.MeanLead, (0.04+0.02-0.0001-0.02-0.03-0.03)/6)
	mean := func(i int) float64 { // of the sets' draws, which all rise
		return (list[0].Comparison.draws[i] + list[1].Comparison.draws[i] + list[2].Comparison.draws[i] +
			list[3].Comparison.draws[i] + list[4].Comparison.draws[i] + list[5].Comparison.draws[i]) / 6
	}
	near(t, "low end", s.Interval.Low, mean(bootstrapDraws/40))
	near(t, "high end", s.Interval.High, mean(bootstrapDraws-1-bootstrapDraws/40))
	s.MeanLead, s.Interval = 0, nil
	if want := (summary{Sets: 6, Ahead: 2, SurelyAhead: 1, Level: 2, LevelPoints: 1, Behind: 2, FarBehind: 1}); *s != want {
		t.Errorf("got %+v, want %+v", *s, want)
	}
	list[0].Comparison.draws = nil
	if s := summarise(list); s.Interval != nil {
		t.Errorf("one set without predictions: got %v", s.Interval)
	}
}

// The peer's figure stands where there are no predictions, and is doubted where
// they say something else.
func TestCompare(t *testing.T) {
	s := certain("two", nil, "aabb", "aabb")
	points := 0.9
	figures := []figure{{System: "svm", MacroF1: &points}}
	r := s.result()
	if err := r.compare(s, nil, nil); err != nil || r.Comparison != nil {
		t.Errorf("without peers: got %+v, %v", r.Comparison, err)
	}
	if err := r.compare(s, figures, nil); err != nil {
		t.Fatal(err)
	}
	c := r.Comparison
	near(t, "difference to the figure", c.Difference, 0.1)
	if c.Peer != "svm" || c.Interval != nil || len(r.Warnings) > 0 {
		t.Errorf("got %+v, warnings %q", c, r.Warnings)
	}
	predictions := s.predictions()
	predictions[0].Predicted = "b"
	if err := r.compare(s, figures, predictions); err != nil {
		t.Fatal(err)
	}
	near(t, "difference to the predictions", r.Comparison.Difference, 1-(2./3+4./5)/2)
	if len(r.Warnings) != 1 || r.Comparison.Interval == nil {
		t.Errorf("warnings %q, interval %v", r.Warnings, r.Comparison.Interval)
	}
}
