package judge

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestReliabilityAddsUpToECE(t *testing.T) {
	for _, sources := range []int{1, 7, 15, 40, 100} {
		list := population{sources: sources, rows: 3, right: always(0.8)}.draw(newRand(20))
		rows, ece := 0, 0.0
		for _, b := range Detail(two, list, 0).Reliability {
			rows += b.Examples
			ece += float64(b.Examples) / float64(len(list)) * max(b.Confidence-b.Accuracy, b.Accuracy-b.Confidence)
			if !b.AccuracyInterval.holds(b.Accuracy) {
				t.Errorf("accuracy %v outside %v", b.Accuracy, b.AccuracyInterval)
			}
		}
		if rows != len(list) {
			t.Errorf("bins of %d rows, want %d", rows, len(list))
		}
		near(t, "ECE", ece, Measure(two, list).ECE)
	}
}

func TestCoverageByHand(t *testing.T) {
	list := []Judgement{
		answer(0, 0, true, 0.9), answer(1, 0, false, 0.6), answer(2, 1, true, 0.8), answer(3, 1, false, 0.8), answer(4, 1, true, 0.7),
	}
	var got []string
	for _, p := range Detail(two, list, 0).Coverage {
		got = append(got, fmt.Sprintf("%.1f: %.1f %.3f %.3f", p.Threshold, p.Coverage, p.Accuracy, p.MacroF1))
	}
	want := []string{
		"0.6: 1.0 0.600 0.583", "0.7: 0.8 0.750 0.733",
		"0.8: 0.6 0.667 0.667", // 0.8 twice
		"0.9: 0.2 1.000 1.000",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCoverageOfManyRows(t *testing.T) {
	list := population{sources: 300, rows: 3, right: calibrated}.draw(newRand(21))
	points := Detail(two, list, 0).Coverage
	if len(points) != 50 || points[0].Coverage != 1 {
		t.Fatalf("got %d points from coverage %v, want 50 from 1", len(points), points[0].Coverage)
	}
	for _, p := range points {
		answered, right := 0, 0
		for _, j := range list {
			if j.confidence() >= p.Threshold {
				answered++
				right += one(j.right())
			}
		}
		near(t, "coverage", p.Coverage, ratio(answered, len(list)))
		near(t, "accuracy", p.Accuracy, ratio(right, answered))
		if !p.AccuracyInterval.holds(p.Accuracy) {
			t.Errorf("accuracy %v outside %v", p.Accuracy, p.AccuracyInterval)
		}
	}
}

// referenceAveragePrecision goes through all thresholds one by one.
func referenceAveragePrecision(list []Judgement, label int) float64 {
	var thresholds []float64
	for _, j := range list {
		thresholds = append(thresholds, j.Probabilities[label])
	}
	slices.Sort(thresholds)
	sum, before := 0.0, 0.0
	for _, threshold := range slices.Backward(slices.Compact(thresholds)) {
		taken, hits, own := 0, 0, 0
		for _, j := range list {
			own += one(j.Truth == label)
			if j.Probabilities[label] >= threshold {
				taken++
				hits += one(j.Truth == label)
			}
		}
		recall := ratio(hits, own)
		sum += (recall - before) * ratio(hits, taken)
		before = recall
	}
	return sum
}

func TestLabelCurves(t *testing.T) {
	list := population{sources: 150, rows: 2, right: calibrated}.draw(newRand(22))
	for i := range list {
		list[i].Probabilities = append(list[i].Probabilities, 0)
		if i%5 == 0 { // some of equal probability
			list[i].Probabilities = []float64{0.5, 0.5, 0}
		}
	}
	curves := Detail([]string{"yes", "no", "never"}, list, 0).LabelCurves
	for l, c := range curves[:2] {
		near(t, "average precision", c.AveragePrecision, referenceAveragePrecision(list, l))
		if len(c.Points) < 50 || len(c.Points) > 100 || c.Points[len(c.Points)-1].Recall != 1 {
			t.Errorf("got %d points to recall %v, want 50 to 100 points to 1", len(c.Points), c.Points[len(c.Points)-1].Recall)
		}
		for i, p := range c.Points {
			if i > 0 && !(p.Threshold < c.Points[i-1].Threshold && p.Recall > c.Points[i-1].Recall) {
				t.Errorf("point %d: %v after %v", i, p, c.Points[i-1])
			}
		}
	}
	if c := curves[2]; c.AveragePrecision != 0 || len(c.Points) != 0 {
		t.Errorf("a label without examples: got %v, want no curve", c)
	}
}

func TestLabelCurveByHand(t *testing.T) {
	var list []Judgement
	for i, own := range []bool{true, false, true, true} {
		list = append(list, answer(i, 0, own, 0.9-float64(i)/10))
	}
	list[3].Probabilities = list[2].Probabilities // equal ones come together
	want := LabelCurve{"yes", (1. + 3./4 + 3./4) / 3, []LabelPoint{{0.9, 1, 1. / 3, 1. / 4}, {0.7, 3. / 4, 1, 1}}}
	got := Detail(two, list, 0).LabelCurves[0]
	near(t, "average precision", got.AveragePrecision, want.AveragePrecision)
	if got.AveragePrecision = want.AveragePrecision; fmt.Sprintf("%.6v", got) != fmt.Sprintf("%.6v", want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestGroupsAndTargets(t *testing.T) {
	var list []Judgement
	add := func(rows int, group, target string) {
		for range rows {
			j := answer(len(list)/2, 0, len(list)%3 > 0, 0.75)
			j.Row.Group, j.Row.Target = group, target
			list = append(list, j)
		}
	}
	for i := range 60 {
		add(1, fmt.Sprintf("g%02d", 59-i), "")
	}
	add(3, "large", "ban")
	add(5, "", "arms")
	d := Detail(two, list, 0)
	if len(d.Sources) != 50 || d.Sources[0].Name != "large" || d.Sources[1].Name != "g00" || d.Sources[49].Name != "g48" {
		t.Errorf("got %d groups: %v, want 50: large, g00, …, g48", len(d.Sources), d.Sources)
	}
	if g := d.Sources[0]; g.Examples != 3 || g.AccuracyInterval != wilson(2./3, 3) {
		t.Errorf("got %v, want 3 rows of which 2 are right", g)
	}
	near(t, "confidence", d.Sources[0].Confidence, 0.75)
	var targets []string
	for _, g := range d.Targets {
		targets = append(targets, fmt.Sprintf("%s %d %.3f %.3f", g.Name, g.Examples, g.Accuracy, g.MacroF1))
	}
	if want := []string{"arms 5 0.600 0.375", "ban 3 0.667 0.400"}; !slices.Equal(targets, want) {
		t.Errorf("targets: got %q, want %q", targets, want)
	}
}

func TestOddListsHaveSensibleDetails(t *testing.T) {
	for name, list := range oddLists() {
		d := Detail(two, list, 10)
		if _, err := json.Marshal(d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again := Detail(two, list, 10); !reflect.DeepEqual(d, again) {
			t.Errorf("%s: got other details the second time", name)
		}
		if n := len(d.Coverage); n > 0 && d.Coverage[0].Coverage != 1 {
			t.Errorf("%s: coverage begins at %v, want 1", name, d.Coverage[0].Coverage)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("äöü ", 100)
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"  a\tb\r\n\n c\u2028d\x00 ", "a b c d"},
		{strings.Repeat("x", 200), strings.Repeat("x", 200)},
		{strings.Repeat("x", 200) + " \n", strings.Repeat("x", 200)},
		{strings.Repeat("x", 201), strings.Repeat("x", 200) + "…"},
		{long, strings.Repeat("äöü ", 50)[:len("äöü ")*50-1] + "…"},
		{strings.Repeat("x", 199) + "e\u0301y", strings.Repeat("x", 199) + "e\u0301…"}, // e with an accent
		{strings.Repeat("e", 200) + strings.Repeat("\u0301", 1000), strings.Repeat("e", 200) + strings.Repeat("\u0301", 200) + "…"},
		{"a\xffb", "a\ufffdb"},
	} {
		if got := excerpt(test.in); got != test.want {
			t.Errorf("excerpt of %.20q…: got %q, want %q", test.in, got, test.want)
		}
	}
}
