package model

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// maxLevels is how many levels of confidence outcomes may tell apart.
const maxLevels = 16

// Outcomes count what was answered to texts of each label in cross-validation:
// a confusion matrix whose columns are parted by confidence. Texts without a
// known word do not count. From them follows what the labels' shares in other
// texts are, whatever the classifier gets wrong (internal/prevalence).
type Outcomes struct {
	// Levels are where levels of confidence part, ascending, in whole millionths:
	// level 0 lies below the first, the last from the last one up.
	Levels []float64
	Counts []Outcome // strictly ascending by truth, answer, level
	// Stated are the sums of the probabilities that these texts' answers state: for
	// each label those of the texts of every answer and level, labels x labels x
	// levels. What they say of a label rests on all texts, not on those of the label
	// alone. Empty where they would be more than MaxStated.
	Stated []float64
	// Dispersion is how much more the answers to a label's texts vary from fold
	// to fold than chance alone would have them, as a quotient of variances, at
	// least 1; 0 without outcomes. So many texts tell as much as one that is drawn
	// on its own.
	Dispersion float64
}

// MaxStated is how many sums outcomes may have.
const MaxStated = 1 << 16

// An Outcome is so many texts of a label that got the same answer.
type Outcome struct {
	Truth, Predicted uint32 // positions in Head.Labels
	Level            uint32
	Count            uint64 // at least 1
}

// Level returns the level of an answer with probability p, which counts in
// whole millionths, as in output: what a file of answers says is enough to tell
// the level.
func (o *Outcomes) Level(p float64) int {
	p = Millionths(p)
	level := 0
	for level < len(o.Levels) && p >= o.Levels[level] {
		level++
	}
	return level
}

// Millionths rounds p to six decimals.
func Millionths(p float64) float64 { return math.Round(p*1e6) / 1e6 }

// check returns an error when o breaks one of the format's rules for a head of
// so many labels.
func (o *Outcomes) check(labels int) error {
	if len(o.Levels) >= maxLevels {
		return fmt.Errorf("%d levels of confidence: want at most %d", len(o.Levels)+1, maxLevels)
	}
	last := 0.0
	for _, l := range o.Levels {
		if !(l > last && l <= 1) || l != Millionths(l) {
			return fmt.Errorf("level of confidence %v: want them to ascend from 0 to 1 in whole millionths", l)
		}
		last = l
	}
	if len(o.Counts) == 0 && (len(o.Levels) > 0 || len(o.Stated) > 0 || o.Dispersion != 0) {
		return errors.New("levels of confidence, stated probabilities or a dispersion without outcomes")
	}
	if n := len(o.Stated); n != 0 && (n != labels*labels*(len(o.Levels)+1) || n > MaxStated) {
		return fmt.Errorf("%d sums of stated probabilities: want %d labels x %d answers x %d levels, at most %d, or none", n, labels, labels, len(o.Levels)+1, MaxStated)
	}
	for _, s := range o.Stated {
		if !inRange(s, 0, 1<<53) {
			return fmt.Errorf("sum of stated probabilities %v: want 0 to 2^53", s)
		}
	}
	if len(o.Counts) > 0 && !inRange(o.Dispersion, 1, 1e6) {
		return fmt.Errorf("dispersion %v: want 1 to 1e6", o.Dispersion)
	}
	if math.Signbit(o.Dispersion) {
		return errors.New("dispersion below 0")
	}
	for i, c := range o.Counts {
		switch {
		case int(c.Truth) >= labels || int(c.Predicted) >= labels || int(c.Level) > len(o.Levels):
			return fmt.Errorf("outcome %d: label %d, answer %d, level %d: there are %d labels and %d levels", i, c.Truth, c.Predicted, c.Level, labels, len(o.Levels)+1)
		case c.Count == 0 || c.Count > 1<<53:
			return fmt.Errorf("outcome %d: %d texts: want 1 to 2^53", i, c.Count)
		case i > 0 && compareOutcomes(o.Counts[i-1], c) >= 0:
			return fmt.Errorf("outcome %d: outcomes are not in ascending order", i)
		}
	}
	return nil
}

func compareOutcomes(a, b Outcome) int {
	return cmp.Or(cmp.Compare(a.Truth, b.Truth), cmp.Compare(a.Predicted, b.Predicted), cmp.Compare(a.Level, b.Level))
}

// SumOutcomes sorts outcomes and adds up those that are alike.
func SumOutcomes(list []Outcome) []Outcome {
	slices.SortFunc(list, compareOutcomes)
	var sums []Outcome
	for _, c := range list {
		if n := len(sums); n > 0 && compareOutcomes(sums[n-1], c) == 0 {
			sums[n-1].Count += c.Count
		} else {
			sums = append(sums, c)
		}
	}
	return sums
}
