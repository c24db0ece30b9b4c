package train

import (
	"math"

	"github.com/parley-nlp/parley/internal/exact"
)

// A linearProblem is a set of binary problems, one per column, that share
// their texts: is it this label or another? With two labels one problem decides.
type linearProblem struct {
	docs     *vectors
	texts    []int // the documents to train on, in order
	truth    []int // per document, not per text
	labels   int
	rows     int
	logistic bool      // logistic loss; otherwise squared hinge
	cost     float64   // C: the weight of the loss against the length of the weights
	balanced bool      // rare labels weigh as much as frequent ones
	ratio    []float32 // scale of each weight, row by row; nil: 1
}

// A table is what a linear estimator finds: a weight per row and column, and a
// bias per column. It has one column per label.
type table struct {
	weights []float32
	bias    []float32
}

const (
	// linearPasses bounds the passes over the texts. A dozen bring the
	// accuracy to where it stays; what is won after that is in the objective
	// alone.
	linearPasses = 12
	// linearTolerance ends the passes early: the largest violation of the
	// optimality conditions.
	linearTolerance = 0.1
)

// columns is how many binary problems there are.
func (p *linearProblem) columns() int {
	if p.labels == 2 {
		return 1
	}
	return p.labels
}

// solve minimises |w|²/2 + C · loss by coordinate descent in the dual, which
// visits text after text and changes the weights of its features alone. Hsieh
// et al., "A Dual Coordinate Descent Method for Large-scale Linear SVM" (2008),
// algorithm 1; Yu et al., "Dual coordinate descent methods for logistic
// regression and maximum entropy models" (2011). All columns are done in one
// visit, so that a row of weights is brought to the processor once.
//
// With a ratio r the features are worth r times their value: the problem of
// naive-Bayes features (Wang and Manning, 2012). What is kept is r·w, which is
// then used with plain values.
//
// Texts come in the order of their content hashes, which is as good as a
// random one and always the same.
func (p *linearProblem) solve() table {
	s := newLinearSolver(p)
	for range linearPasses {
		if s.pass() < linearTolerance {
			break
		}
	}
	return s.table()
}

// A linearSolver is the state of solve.
type linearSolver struct {
	*linearProblem
	weights, bias []float32 // of a column each
	dual          []float32 // per text and column
	square        []float32 // squared length of a text's vector: per text, with a ratio per column too
	upper         [2][]float32
	scores        []float32 // of the text at hand, per column
	change        []float32
	moved         []int   // columns that change
	calm, skip    []uint8 // per text: visits in a row without a change, and passes to sit out
}

func newLinearSolver(p *linearProblem) *linearSolver {
	n := p.columns()
	s := &linearSolver{
		linearProblem: p,
		weights:       make([]float32, p.rows*n),
		bias:          make([]float32, n),
		dual:          make([]float32, len(p.texts)*n),
		square:        make([]float32, len(p.texts)*n),
		scores:        make([]float32, n),
		change:        make([]float32, n),
		calm:          make([]uint8, len(p.texts)),
		skip:          make([]uint8, len(p.texts)),
	}
	s.costs()
	s.squares()
	return s
}

// costs fills in the loss's weight of a text outside and inside a column's
// label.
func (s *linearSolver) costs() {
	n := s.columns()
	inside := make([]float64, s.labels)
	for _, i := range s.texts {
		inside[s.truth[i]]++
	}
	all := float64(len(s.texts))
	for side := range s.upper {
		s.upper[side] = make([]float32, n)
		for c := range n {
			members := inside[s.label(c)]
			if side == 0 {
				members = all - members
			}
			cost := s.cost
			if s.balanced && members > 0 {
				cost = float64(cost*all) / (2 * members)
			}
			s.upper[side][c] = float32(cost)
		}
	}
}

// label is the label that column c is about.
func (p *linearProblem) label(c int) int {
	if p.labels == 2 {
		return 1
	}
	return c
}

// squares fills in the squared lengths of the texts, the bias's feature
// included, whose value is 1.
func (s *linearSolver) squares() {
	n := s.columns()
	for k, i := range s.texts {
		rows, values := s.docs.of(i)
		of := s.square[k*n:][:n]
		for c := range of {
			of[c] = 1
		}
		for j, row := range rows {
			x2 := float32(values[j] * values[j])
			if s.ratio == nil {
				of[0] += x2
				continue
			}
			for c, r := range s.ratio[int(row)*n:][:n] {
				of[c] += float32(float32(r*r) * x2)
			}
		}
		if s.ratio == nil {
			for c := range of {
				of[c] = of[0]
			}
		}
	}
}

// maxCalm bounds how many passes a text sits out that changes nothing.
const maxCalm = 3

// pass visits the texts once and returns the largest violation seen. A text
// that changed nothing sits out the next pass, then the next two, and so on:
// most texts of a label that is easy to tell are never needed again.
func (s *linearSolver) pass() float32 {
	n := s.columns()
	worst := float32(0)
	for k, i := range s.texts {
		if s.skip[k] > 0 {
			s.skip[k]--
			continue
		}
		rows, values := s.docs.of(i)
		s.score(rows, values)
		s.moved = s.moved[:0]
		for c := range s.scores {
			side, y := 0, float32(-1)
			if s.truth[i] == s.label(c) {
				side, y = 1, 1
			}
			at := k*n + c
			dual, violation := s.step(float32(y*s.scores[c]), s.dual[at], s.square[at], s.upper[side][c])
			worst = max(worst, violation)
			s.change[c] = float32(y * (dual - s.dual[at]))
			s.dual[at] = dual
			if s.change[c] != 0 {
				s.moved = append(s.moved, c)
			}
		}
		if len(s.moved) > 0 {
			s.calm[k] = 0
			s.move(rows, values)
		} else {
			s.calm[k] = min(s.calm[k]+1, maxCalm)
			s.skip[k] = s.calm[k]
		}
	}
	return worst
}

// score writes the scores of a text.
func (s *linearSolver) score(rows []uint32, values []float32) {
	n := len(s.scores)
	copy(s.scores, s.bias)
	if n == 1 {
		sum := s.bias[0]
		for j, row := range rows {
			sum += float32(s.weights[row] * values[j])
		}
		s.scores[0] = sum
		return
	}
	for j, row := range rows {
		x, of := values[j], s.weights[int(row)*n:][:n]
		sums := s.scores[:len(of)] // no bounds to check in the loop
		for c, w := range of {
			sums[c] += float32(w * x)
		}
	}
}

// step returns the dual variable of a text that minimises the objective with
// all others held, given its margin (truth times score), and by how much the
// old value was off.
func (s *linearSolver) step(margin, dual, square, upper float32) (next, violation float32) {
	if s.logistic {
		return logisticStep(margin, dual, square, upper)
	}
	soft := 1 / (2 * upper)
	gradient := margin - 1 + float32(soft*dual)
	if dual == 0 && gradient >= 0 {
		return 0, 0
	}
	return max(0, dual-gradient/(square+soft)), max(gradient, -gradient)
}

// logisticStep solves square·(a - dual) + margin + logit(a/upper) = 0 for a, by
// Newton's method in t = logit(a/upper): there the left side has a slope of at
// least 1. It bends both ways, so a step that leaves the interval in which the
// solution is known to lie goes to its middle.
func logisticStep(margin, dual, square, upper float32) (next, violation float32) {
	q, u, old, m := float64(square), float64(upper), float64(dual), float64(margin)
	t := 0.0
	if old > 0 && old < u {
		t = exact.Log(old) - exact.Log(u-old)
	} else {
		t = -m
	}
	a, low, high := old, math.Inf(-1), math.Inf(1)
	for range 20 {
		share := 1 / (1 + exact.Exp(-t))
		a = float64(u * share)
		f := float64(q*(a-old)) + m + t
		if math.Abs(f) < 1e-4 {
			break
		}
		if f > 0 {
			high = t
		} else {
			low = t
		}
		if t -= f / (1 + float64(q*a)*(1-share)); t <= low || t >= high {
			t = (low + high) / 2
		}
	}
	return float32(a), float32(math.Abs(a-old) / u)
}

// move adds the text's change to the weights. Of many columns a visit mostly
// changes few, and with one column the loop over it costs as much as the sum.
func (s *linearSolver) move(rows []uint32, values []float32) {
	n := len(s.change)
	for _, c := range s.moved {
		s.bias[c] += s.change[c]
	}
	switch {
	case n == 1 && s.ratio == nil:
		d := s.change[0]
		for j, row := range rows {
			s.weights[row] += float32(d * values[j])
		}
	case s.ratio == nil:
		for j, row := range rows {
			x, of := values[j], s.weights[int(row)*n:][:n]
			for _, c := range s.moved {
				of[c] += float32(s.change[c] * x)
			}
		}
	default:
		for j, row := range rows {
			x, of, ratio := values[j], s.weights[int(row)*n:][:n], s.ratio[int(row)*n:][:n]
			for _, c := range s.moved {
				of[c] += float32(float32(s.change[c]*x) * float32(ratio[c]*ratio[c]))
			}
		}
	}
}

// table returns the weights, one column per label: of one problem that decides
// between two labels, each gets half, for or against.
func (s *linearSolver) table() table {
	if s.labels != 2 {
		return table{s.weights, s.bias}
	}
	t := table{make([]float32, 2*len(s.weights)), []float32{-s.bias[0] / 2, s.bias[0] / 2}}
	for i, w := range s.weights {
		t.weights[2*i], t.weights[2*i+1] = -w/2, w/2
	}
	return t
}
