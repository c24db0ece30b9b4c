package train

import (
	"math"
	"slices"

	"github.com/parley-nlp/parley/internal/exact"
)

// A blend turns the scores of several members into the logits of calibrated
// probabilities: per label a weighted sum of the members' scores and a bias.
// One member's weight is its inverse temperature (Guo et al., "On Calibration
// of Modern Neural Networks", 2017, section 4.2); several are stacked (Wolpert,
// "Stacked Generalization", 1992; Ting and Witten, "Issues in Stacked
// Generalization", 1999: weights that are not negative, fitted to
// probabilities).
type blend struct {
	weights []float64 // per member, at least 0
	bias    []float64 // per label
}

// stacked are the out-of-fold scores of members, beside the truth.
type stacked struct {
	labels  int
	members [][]float32 // per member: docs x labels
	truth   []int       // per document
	docs    []int       // those to fit to
	biased  bool        // fit a bias too
}

const (
	// blendSteps bounds Newton's method; the problem is convex and smooth.
	blendSteps = 30
	// leastWeight is that of a lone member, in scores of unit size. Out-of-fold
	// scores of a handful of texts can be worse than none; the label that the
	// member favours is still the best guess, at a probability close to even.
	leastWeight = 0.01
	// maxBiased is how many labels a bias is fitted for: each label needs texts
	// of its own to tell.
	maxBiased = 200
	// maxScores is how many scores a blend is fitted to. Thousands of labels
	// reach it with few texts, but a handful of numbers needs no more.
	maxScores = 1 << 19
)

// fit returns the blend that makes the truth most likely and its mean negative
// log-likelihood in nats. Without documents it returns weights of 1.
//
// Scores that tell few texts apart without a mistake would seem certain of
// everything. So to the n texts one more is added that is of every label alike:
// the true label of a text is to get (n + 1/labels) / (n + 1), each other one
// (1/labels) / (n + 1). After Platt, "Probabilistic Outputs for Support Vector
// Machines" (1999), section 2.2. The biases are drawn to 0 as if by one text.
func (s *stacked) fit() (blend, float64) {
	f := newFitter(s)
	f.minimise()
	f.raise()
	return f.blend(), f.loss
}

// A fitter is the state of fit. Its parameters are the weights of the members,
// each scaled to scores of unit size, then the biases.
type fitter struct {
	*stacked
	docs      []int
	scale     []float64 // per member
	parameter []float64
	gradient  []float64
	hessian   []float64 // row by row
	loss      float64   // of parameter, without the penalty
	objective float64

	inputs []float64 // of one document: members x labels
	logits []float64
	p      []float64
	means  []float64 // per member: the score expected
}

func newFitter(s *stacked) *fitter {
	k := len(s.members)
	n := k
	if s.biased && s.labels <= maxBiased {
		n += s.labels
	}
	f := &fitter{
		stacked: s, docs: thin(s.docs, s.labels), scale: make([]float64, k),
		parameter: make([]float64, n), gradient: make([]float64, n), hessian: make([]float64, n*n),
		inputs: make([]float64, k*s.labels), logits: make([]float64, s.labels), p: make([]float64, s.labels),
		means: make([]float64, k),
	}
	for m := range f.scale {
		f.scale[m] = f.unit(m)
		f.parameter[m] = 1 / float64(k)
	}
	return f
}

// thin returns at most as many documents as make maxScores scores: every n-th,
// which is a fair sample as they are sorted by hashes.
func thin(docs []int, labels int) []int {
	step := 1 + len(docs)*labels/maxScores
	if step == 1 {
		return docs
	}
	var some []int
	for i := 0; i < len(docs); i += step {
		some = append(some, docs[i])
	}
	return some
}

// unit is the inverse of the size of member m's scores: the root of their mean
// square about each text's mean.
func (f *fitter) unit(m int) float64 {
	sum := 0.0
	for _, i := range f.docs {
		scores := f.members[m][i*f.labels:][:f.labels]
		mean := 0.0
		for _, s := range scores {
			mean += float64(s)
		}
		mean /= float64(f.labels)
		for _, s := range scores {
			sum += float64((float64(s) - mean) * (float64(s) - mean))
		}
	}
	if sum == 0 {
		return 1
	}
	return 1 / math.Sqrt(sum/float64(len(f.docs)*f.labels))
}

// minimise runs Newton's method with damping.
func (f *fitter) minimise() {
	if len(f.docs) == 0 {
		return
	}
	f.evaluate(true)
	for range blendSteps {
		step, ok := f.newton()
		if !ok {
			return
		}
		before, at := f.objective, append([]float64(nil), f.parameter...)
		size := 1.0
		for {
			for i := range at {
				f.parameter[i] = at[i] - float64(size*step[i])
			}
			if f.evaluate(false); f.objective <= before || size < 1e-4 {
				break
			}
			size /= 2
		}
		if before-f.objective < 1e-7 {
			return
		}
		f.evaluate(true)
	}
}

// evaluate works out loss and objective and, when asked for, gradient and
// hessian at the parameters.
func (f *fitter) evaluate(derivatives bool) {
	k, labels, n := len(f.members), f.labels, float64(len(f.docs))
	other := 1 / (float64(labels) * (n + 1))
	if derivatives {
		clear(f.gradient)
		clear(f.hessian)
	}
	loss, objective := 0.0, 0.0
	for _, i := range f.docs {
		f.load(i)
		norm := logSumExp(f.logits)
		expected := 0.0
		for l, z := range f.logits {
			f.p[l] = exact.Exp(z - norm)
			expected += z - norm
		}
		right := f.logits[f.truth[i]] - norm
		loss -= right
		objective -= float64((1-float64(labels)*other)*right) + float64(other*expected)
		if derivatives {
			f.accumulate(f.truth[i], other)
		}
	}
	f.loss = loss / n
	f.objective = objective / n
	for _, b := range f.parameter[k:] {
		f.objective += float64(b*b) / (2 * n)
	}
	if derivatives {
		f.penalise(n)
	}
}

// load reads document i and works out its logits.
func (f *fitter) load(i int) {
	labels := f.labels
	for l := range f.logits {
		f.logits[l] = 0
		if b := f.parameter[len(f.members):]; len(b) > 0 {
			f.logits[l] = b[l]
		}
	}
	for m, scores := range f.members {
		weight := f.parameter[m]
		for l, s := range scores[i*labels:][:labels] {
			x := float64(float64(s) * f.scale[m])
			f.inputs[m*labels+l] = x
			f.logits[l] += float64(weight * x)
		}
	}
}

// accumulate adds the loaded document to gradient and hessian.
func (f *fitter) accumulate(truth int, other float64) {
	k, labels, n := len(f.members), f.labels, len(f.parameter)
	for m := range k {
		x := f.inputs[m*labels:][:labels]
		mean := 0.0
		for l, p := range f.p {
			mean += float64(p * x[l])
			f.gradient[m] += float64((p - other) * x[l])
		}
		f.gradient[m] -= float64((1 - float64(float64(labels)*other)) * x[truth])
		f.means[m] = mean
	}
	for a := range k {
		x := f.inputs[a*labels:][:labels]
		for b := a; b < k; b++ {
			y := f.inputs[b*labels:][:labels]
			sum := 0.0
			for l, p := range f.p {
				sum += float64(float64(p*x[l]) * y[l])
			}
			f.hessian[a*n+b] += sum - float64(f.means[a]*f.means[b])
		}
	}
	if n == k {
		return
	}
	for l, p := range f.p {
		f.gradient[k+l] += p - other
		for m := range k {
			f.hessian[m*n+k+l] += float64(p * (f.inputs[m*labels+l] - f.means[m]))
		}
		row := f.hessian[(k+l)*n+k:][:labels]
		row[l] += p
		for r := l; r < labels; r++ {
			row[r] -= float64(p * f.p[r])
		}
	}
	f.gradient[k+truth] -= 1 - float64(float64(labels)*other)
}

// penalise takes the means, and adds the pull of the biases to 0.
func (f *fitter) penalise(docs float64) {
	n := len(f.parameter)
	for i := range f.gradient {
		f.gradient[i] /= docs
	}
	for i := range f.hessian {
		f.hessian[i] /= docs
	}
	for i := range n {
		if i >= len(f.members) {
			f.gradient[i] += f.parameter[i] / docs
			f.hessian[i*n+i] += 1 / docs
		}
		f.hessian[i*n+i] += 1e-9 // members that say the same leave no lone minimum
	}
}

// newton returns the hessian's inverse times the gradient, by Cholesky
// decomposition, or false when the hessian has lost its sign to rounding.
func (f *fitter) newton() ([]float64, bool) {
	n := len(f.parameter)
	u := f.hessian // the upper triangle becomes the factor: hessian = uᵀu
	for i := range n {
		for r := range i {
			factor := u[r*n+i]
			for j := i; j < n; j++ {
				u[i*n+j] -= float64(factor * u[r*n+j])
			}
		}
		if !(u[i*n+i] > 0) {
			return nil, false
		}
		root := math.Sqrt(u[i*n+i])
		for j := i; j < n; j++ {
			u[i*n+j] /= root
		}
	}
	x := append([]float64(nil), f.gradient...)
	for i := range n {
		x[i] /= u[i*n+i]
		for j := i + 1; j < n; j++ {
			x[j] -= float64(u[i*n+j] * x[i])
		}
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			x[i] -= float64(u[i*n+j] * x[j])
		}
		x[i] /= u[i*n+i]
	}
	return x, true
}

// raise lifts the weight of a lone member to leastWeight. The loss becomes what
// the member is worth with it.
func (f *fitter) raise() {
	if len(f.members) == 1 && f.parameter[0] < leastWeight {
		f.parameter[0] = leastWeight
		f.evaluate(false)
	}
}

// blend returns the parameters in the units of the scores.
func (f *fitter) blend() blend {
	b := blend{make([]float64, len(f.members)), make([]float64, f.labels)}
	for m, scale := range f.scale {
		b.weights[m] = float64(f.parameter[m] * scale)
	}
	if len(f.docs) == 0 {
		for m := range b.weights {
			b.weights[m] = 1
		}
	}
	copy(b.bias, f.parameter[len(f.members):])
	return b
}

// logSumExp returns log Σ exp(z).
func logSumExp(z []float64) float64 {
	top := z[0]
	for _, x := range z {
		top = max(top, x)
	}
	sum := 0.0
	for _, x := range z {
		sum += exact.Exp(x - top)
	}
	return top + exact.Log(sum)
}

const (
	// maxMembers is how many members a blend may have. More than four gained
	// nothing on any data set tried.
	maxMembers = 4
	// worthwhile is the share by which another member must lower the loss: less
	// is noise.
	worthwhile = 0.004
)

// choose picks members from a pool, the best one first and then, one by one,
// the one that lowers the loss most, as long as it is worthwhile: forward
// selection (Caruana et al., "Ensemble Selection from Libraries of Models",
// 2004). Members that s has already stay. It returns positions in pool, and blend
// and loss of all members, which s then has.
func (s *stacked) choose(pool [][]float32, most int) (chosen []int, b blend, loss float64) {
	fixed := s.members
	for len(chosen) < most {
		blends, losses := make([]blend, len(pool)), make([]float64, len(pool))
		inParallel(len(pool), func(lo, hi int) {
			for c := lo; c < hi; c++ {
				if slices.Contains(chosen, c) {
					continue
				}
				with := *s
				with.members = append(gather(fixed, pool, chosen), pool[c])
				blends[c], losses[c] = with.fit()
			}
		})
		best, bestLoss, bestBlend := -1, math.Inf(1), blend{}
		for c, trial := range blends {
			if !slices.Contains(chosen, c) && losses[c] < bestLoss && slices.Min(trial.weights) > 0 {
				best, bestLoss, bestBlend = c, losses[c], trial
			}
		}
		if best < 0 || len(chosen) > 0 && bestLoss > loss-float64(worthwhile*loss) {
			break
		}
		chosen, b, loss = append(chosen, best), bestBlend, bestLoss
	}
	s.members = gather(fixed, pool, chosen)
	return chosen, b, loss
}

// gather returns the fixed members and those chosen from the pool.
func gather(fixed, pool [][]float32, chosen []int) [][]float32 {
	members := slices.Clone(fixed)
	for _, c := range chosen {
		members = append(members, pool[c])
	}
	return members
}

// logit writes the logits of document i to z.
func (b *blend) logit(z []float64, members [][]float32, i int) {
	copy(z, b.bias)
	for m, scores := range members {
		for l, s := range scores[i*len(z):][:len(z)] {
			z[l] += float64(b.weights[m] * float64(s))
		}
	}
}
