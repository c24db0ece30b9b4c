package judge

import (
	"cmp"
	"math"
	"slices"
)

// Conformal says which labels a text may have, so that the right one is among
// them with a given probability. Whoever fits it to answers of a
// cross-validation and uses it on those of the model trained on everything has
// this only approximately.
type Conformal struct {
	Coverage float64 `json:"coverage"`
	// Thresholds are the least probability with which each label is in the set;
	// 0, which is always reached, where the examples were too few to tell.
	Thresholds []float64 `json:"thresholds"`
}

// FitConformal fits thresholds to answers on texts that the model was not
// trained on (Abstained and Predicted do not matter): the right label is in the
// set for the share of texts given as coverage, or, when class-conditional, for
// that share of the texts of each label. The sets are those of least ambiguity:
// Sadinle, Lei and Wasserman, "Least Ambiguous Set-Valued Classifiers with
// Bounded Error Levels" (2019); per class, Vovk, "Conditional Validity of
// Inductive Conformal Predictors" (2012).
func FitConformal(labels int, list []Judgement, coverage float64, classConditional bool) Conformal {
	c := Conformal{coverage, make([]float64, labels)}
	if !classConditional {
		t := conformalThreshold(list, coverage)
		for l := range c.Thresholds {
			c.Thresholds[l] = t
		}
		return c
	}
	own := make([][]Judgement, labels)
	for _, j := range list {
		own[j.Truth] = append(own[j.Truth], j)
	}
	for l, rows := range own {
		c.Thresholds[l] = conformalThreshold(rows, coverage)
	}
	return c
}

// conformalThreshold is the probability that the true labels of the wanted
// share of the rows reach, with an allowance for those rows being a sample: a
// further source, of which nothing is known, counts as never reaching it. With
// one row a source the share is that of n+1 rows. Lee, Barber and Willett,
// "Distribution-Free Inference with Hierarchical Data" (2023), here with
// sources weighted by their rows.
func conformalThreshold(rows []Judgement, coverage float64) float64 {
	probabilities := make([]float64, len(rows))
	for i := range rows {
		probabilities[i] = rows[i].Probabilities[rows[i].Truth]
	}
	slices.SortFunc(probabilities, func(a, b float64) int { return cmp.Compare(b, a) })
	_, sources := number(rows)
	n, g := float64(len(rows)), float64(sources)
	const rounding = 1e-9 // 0.9*10 shall be 9
	rank := math.Ceil(coverage*n*(g+1)/g - rounding)
	if !(rank <= n) { // or NaN: no rows
		return 0
	}
	return probabilities[max(0, int(rank)-1)]
}

// Set returns the labels that a text with these probabilities may have, in
// ascending order. It can be empty: then no label is as probable as it usually
// is where it is right.
func (c Conformal) Set(probabilities []float64) []int {
	var set []int
	for l, p := range probabilities {
		if p >= c.Thresholds[l] {
			set = append(set, l)
		}
	}
	return set
}
