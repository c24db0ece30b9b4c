// Package agreement measures how far annotators agree beyond chance: Cohen's kappa
// of two annotators and Krippendorff's alpha of all of them, both for labels
// without an order.
package agreement

import (
	"cmp"
	"maps"
	"slices"
)

// A Vote is the label that an annotator gives a unit, such as a text with a target.
// Of several votes of an annotator on one unit the last counts.
type Vote struct {
	Unit             int
	Annotator, Label string
}

// A Kappa is the agreement of two annotators on the units that both labelled.
type Kappa struct {
	A        string  `json:"a"` // A < B
	B        string  `json:"b"`
	Units    int     `json:"units"`
	Observed float64 `json:"observed"` // share of the units on which they agree
	Expected float64 `json:"expected"` // the share that chance would give
	// Kappa is (Observed-Expected)/(1-Expected): 1 for full agreement, 0 for that of
	// chance. It is nil where both gave one and the same label only: chance would
	// then agree as well.
	Kappa *float64 `json:"kappa"`
}

// An Alpha is the agreement of all annotators.
type Alpha struct {
	Units      int `json:"units"` // that two annotators or more labelled
	Votes      int `json:"votes"` // on those
	Annotators int `json:"annotators"`
	// Alpha is 1 for full agreement and 0 for that of chance; nil where nothing can
	// be said: no unit has two votes, or all votes are for one label.
	Alpha *float64 `json:"alpha"`
}

// table holds the label of every unit and annotator.
type table map[int]map[string]string

func newTable(votes []Vote) table {
	t := table{}
	for _, v := range votes {
		if t[v.Unit] == nil {
			t[v.Unit] = map[string]string{}
		}
		t[v.Unit][v.Annotator] = v.Label
	}
	return t
}

// counts are how often two annotators agree, and how often each gives a label.
type counts struct {
	units, same int
	a, b        map[string]int
}

// Cohen returns the kappa of every two annotators that have a unit in common,
// ascending by their names (Cohen, "A coefficient of agreement for nominal scales",
// Educational and Psychological Measurement 20, 1960).
func Cohen(votes []Vote) []Kappa {
	pairs := map[[2]string]*counts{}
	for _, unit := range newTable(votes) {
		names := slices.Sorted(maps.Keys(unit))
		for i, a := range names {
			for _, b := range names[i+1:] {
				c := pairs[[2]string{a, b}]
				if c == nil {
					c = &counts{a: map[string]int{}, b: map[string]int{}}
					pairs[[2]string{a, b}] = c
				}
				c.add(unit[a], unit[b])
			}
		}
	}
	var list []Kappa
	for pair, c := range pairs {
		list = append(list, c.kappa(pair))
	}
	slices.SortFunc(list, func(x, y Kappa) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return list
}

func (c *counts) add(a, b string) {
	c.units++
	c.a[a]++
	c.b[b]++
	if a == b {
		c.same++
	}
}

// kappa sums integers, so that no order of the labels matters.
func (c *counts) kappa(pair [2]string) Kappa {
	chance := 0
	for label, n := range c.a {
		chance += n * c.b[label]
	}
	n := float64(c.units)
	k := Kappa{A: pair[0], B: pair[1], Units: c.units, Observed: float64(c.same) / n, Expected: float64(chance) / (n * n)}
	if chance < c.units*c.units {
		v := (k.Observed - k.Expected) / (1 - k.Expected)
		k.Kappa = &v
	}
	return k
}

// Krippendorff returns the alpha of all votes. It takes any number of annotators,
// each of whom may have labelled any of the units (Krippendorff, "Computing
// Krippendorff's alpha-reliability", 2011, section C, nominal data):
//
//	alpha = 1 - (n-1) * sum over units of disagreeing pairs/(votes of the unit - 1)
//	                  / pairs of all n votes that disagree
func Krippendorff(votes []Vote) Alpha {
	var a Alpha
	annotators, totals := map[string]bool{}, map[string]int{}
	bySize := map[int]int{} // pairs that disagree, by the number of votes of their units
	for _, unit := range newTable(votes) {
		m := len(unit)
		if m < 2 {
			continue
		}
		labels := map[string]int{}
		for name, label := range unit {
			annotators[name] = true
			labels[label]++
			totals[label]++
		}
		a.Units, a.Votes = a.Units+1, a.Votes+m
		bySize[m] += disagreeing(labels, m)
	}
	a.Annotators = len(annotators)
	expected := disagreeing(totals, a.Votes)
	if expected == 0 {
		return a
	}
	observed := 0.0
	for _, m := range slices.Sorted(maps.Keys(bySize)) {
		observed += float64(bySize[m]) / float64(m-1)
	}
	v := 1 - float64(a.Votes-1)*observed/float64(expected)
	a.Alpha = &v
	return a
}

// disagreeing returns how many ordered pairs of n votes are for different labels.
func disagreeing(labels map[string]int, n int) int {
	pairs := n * n
	for _, c := range labels {
		pairs -= c * c
	}
	return pairs
}
