package judge

import (
	"fmt"
	"slices"
	"testing"
)

// places lists cases by place, with what is said of them.
func places(cases []Case) []string {
	list := []string{}
	for _, c := range cases {
		list = append(list, fmt.Sprintf("%s %s not %s, %.2f not %.2f", c.Place, c.Predicted, c.Label, c.Probability, c.LabelProbability))
	}
	return list
}

func TestConfidentErrors(t *testing.T) {
	list := []Judgement{
		answer(0, 0, false, 0.7), answer(1, 0, true, 0.99), answer(2, 1, false, 0.9), answer(3, 0, false, 0.7), answer(4, 0, false, 0.6),
	}
	for i := range list {
		list[i].Row.Place = fmt.Sprintf("in.csv:%d", i+2)
	}
	want := []string{"in.csv:4 no not yes, 0.90 not 0.10", "in.csv:2 yes not no, 0.70 not 0.30", "in.csv:5 yes not no, 0.70 not 0.30"}
	if got := places(Detail(two, list, 3).ConfidentErrors); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Detail(two, list, 99).ConfidentErrors; len(got) != 4 {
		t.Errorf("got %d errors, want 4", len(got))
	}
}

// The rows of a state 0.7 for it on average, those of b 0.5; c has no rows.
func TestLikelyLabelErrors(t *testing.T) {
	var list []Judgement
	add := func(truth int, probabilities ...float64) {
		row := Row{Place: fmt.Sprint(len(list)), ID: "id", Group: "g", Target: "t", Text: "text"}
		list = append(list, Judgement{Truth: truth, Source: len(list), Probabilities: probabilities, Row: row})
	}
	add(0, 0.9, 0.1, 0)
	add(0, 0.8, 0.2, 0)
	add(0, 0.4, 0.6, 0) // more like b
	add(1, 0.1, 0.9, 0)
	add(1, 0.65, 0.35, 0)  // more like a, but not as much as rows of a are
	add(1, 0.75, 0.25, 0)  // more like a
	add(1, 0.09, 0.41, .5) // nothing can be said of c
	add(1, 0.41, 0.59, 0)
	got := Detail([]string{"a", "b", "c"}, list, 9).LikelyLabelErrors
	if want := []string{"5 a not b, 0.75 not 0.25", "2 b not a, 0.60 not 0.40"}; !slices.Equal(places(got), want) {
		t.Fatalf("got %q, want %q", places(got), want)
	}
	if want := (Case{"id", "5", "g", "t", "text", "b", "a", 0.75, 0.25}); got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	if got := Detail([]string{"a", "b", "c"}, list, 1).LikelyLabelErrors; len(got) != 1 {
		t.Errorf("got %d cases, want 1", len(got))
	}
}

// Labels exchanged on purpose are found before others.
func TestLikelyLabelErrorsFindExchangedLabels(t *testing.T) {
	list := population{sources: 400, rows: 1, right: calibrated}.draw(newRand(30))
	for i := range list {
		p := 0.97
		if i%4 == 0 {
			p = 0.7
		}
		list[i] = answer(i, i%2, i%4 > 0 || i%8 == 0, p)
		if i%20 == 19 {
			list[i].Truth = 1 - list[i].Truth
		}
	}
	cases, exchanged := likelyLabelErrors(two, list, 20), 0
	for _, c := range cases {
		exchanged += one(c.Probability == 0.97)
	}
	if len(cases) != 20 || exchanged != 20 {
		t.Errorf("got %d cases, %d of them exchanged, want 20 and 20", len(cases), exchanged)
	}
}
