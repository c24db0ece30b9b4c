package main

import "fmt"

// A goal is what was asked for and what was reached.
type goal struct {
	What    string  `json:"what"`
	AtLeast bool    `json:"at_least"` // else at most
	Bound   float64 `json:"bound"`
	Reached spread  `json:"reached"`
	Met     bool    `json:"met"` // by the median
}

func atLeast(what string, bound float64, reached spread) goal {
	return goal{what, true, bound, reached, reached.Runs > 0 && reached.Median >= bound}
}

func atMost(what string, bound float64, reached spread) goal {
	return goal{what, false, bound, reached, reached.Runs > 0 && reached.Median <= bound}
}

// asked is the bound for people.
func (g goal) asked() string {
	if g.AtLeast {
		return fmt.Sprintf(">= %.3g", g.Bound)
	}
	return fmt.Sprintf("<= %.3g", g.Bound)
}

func (g goal) answer() string {
	if g.Met {
		return "yes"
	}
	return "no"
}
