package train

import (
	"cmp"
	"slices"

	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

const (
	// curvedFrom is how many answers it takes to fit a calibration curve.
	curvedFrom = 1000
	// curveBins is the number of points that a curve has at most, the end apart.
	curveBins = 20
)

// straighten fits a calibration curve and corrects the judgements in list by it:
// each fold by a curve fitted to the other folds. It returns nil, and leaves
// list alone, when that does not make the truth more likely by a worthwhile
// share. With many labels or wrong ones in the training data it does; else the
// blend is calibrated already, and another fit would only add noise.
func (e *ensemble) straighten(list []judge.Judgement) model.Curve {
	examples := e.judged()
	if len(examples) < curvedFrom {
		return nil
	}
	corrected := make([][]float64, len(list))
	for f := range e.folds {
		curve := fitCurve(e.answers(list, examples, func(i int) bool { return e.fold[i] != f }))
		for k, j := range list {
			if e.fold[examples[k]] == f {
				corrected[k] = slices.Clone(j.Probabilities)
				if e.known[examples[k]] {
					curve.Apply(corrected[k])
				}
			}
		}
	}
	before, after := 0.0, 0.0
	for k, j := range list {
		before -= exact.Log(max(j.Probabilities[j.Truth], leastProbability))
		after -= exact.Log(max(corrected[k][j.Truth], leastProbability))
	}
	if after > before-float64(worthwhile*before) {
		return nil
	}
	curve := fitCurve(e.answers(list, examples, func(int) bool { return true }))
	for k := range list {
		list[k].Probabilities = corrected[k]
		list[k].Predicted = argmax(corrected[k])
	}
	return curve
}

// leastProbability stands in for one that rounds to 0.
const leastProbability = 1e-300

// An answer is how probable the most probable label was, and whether it was
// right.
type answer struct {
	probability float64
	right       bool
}

// answers are those of list that rest on scores and whose examples keep holds.
func (e *ensemble) answers(list []judge.Judgement, examples []int, keep func(i int) bool) []answer {
	var out []answer
	for k, j := range list {
		if i := examples[k]; e.known[i] && keep(i) {
			out = append(out, answer{j.Probabilities[j.Predicted], j.Predicted == j.Truth})
		}
	}
	return out
}

// fitCurve fits a curve by isotonic regression on bins of equally many answers:
// neighbours that would fall are pooled until none does (Ayer et al., "An
// Empirical Distribution Function for Sampling with Incomplete Information",
// 1955). To each bin one answer is added that is as right as it is probable, and
// no share is nearer to 1 than all answers together could tell.
func fitCurve(list []answer) model.Curve {
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b answer) int { return cmp.Compare(a.probability, b.probability) })
	type pool struct{ n, probability, right float64 } // sums
	var pools []pool
	for b := range curveBins {
		var p pool
		for _, a := range list[b*len(list)/curveBins : (b+1)*len(list)/curveBins] {
			p.n++
			p.probability += a.probability
			if a.right {
				p.right++
			}
		}
		if p.n == 0 {
			continue
		}
		p.right += p.probability / p.n
		p.probability += p.probability / p.n
		p.n++
		for len(pools) > 0 {
			q := pools[len(pools)-1]
			if q.right/q.n < p.right/p.n && q.probability/q.n < p.probability/p.n {
				break
			}
			pools = pools[:len(pools)-1]
			p = pool{p.n + q.n, p.probability + q.probability, p.right + q.right}
		}
		pools = append(pools, p)
	}
	most := 1 - 1/float64(len(list)+2)
	var curve model.Curve
	for _, p := range pools {
		curve = append(curve, model.CurvePoint{Probability: p.probability / p.n, Share: min(p.right/p.n, most)})
	}
	end := pools[len(pools)-1]
	curve = slices.DeleteFunc(curve, func(p model.CurvePoint) bool { return p.Probability >= 1 })
	return append(curve, model.CurvePoint{Probability: 1, Share: min((end.right+1)/(end.n+1), most)})
}
