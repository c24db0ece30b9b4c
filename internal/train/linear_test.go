package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// someProblem is a problem of sparse texts whose words tell the label mostly.
func someProblem(rng *rand.Rand, texts, rows, labels int) *linearProblem {
	p := &linearProblem{docs: &vectors{start: []int{0}}, labels: labels, rows: rows, cost: 1}
	for i := range texts {
		label := rng.IntN(labels)
		for row := range rows {
			chance := 0.15
			if row%labels == label {
				chance = 0.35
			}
			if rng.Float64() < chance {
				p.docs.rows = append(p.docs.rows, uint32(row))
				p.docs.values = append(p.docs.values, float32(1+rng.IntN(8))/8)
			}
		}
		p.docs.start = append(p.docs.start, len(p.docs.rows))
		p.texts, p.truth = append(p.texts, i), append(p.truth, label)
	}
	return p
}

// A binaryProblem is one column of a problem, in float64, dense, the bias being
// the last feature.
type binaryProblem struct {
	x        [][]float64
	y, cost  []float64
	logistic bool
}

func newBinaryProblem(p *linearProblem, column int) *binaryProblem {
	b := &binaryProblem{logistic: p.logistic}
	members := 0.0
	for _, i := range p.texts {
		if p.truth[i] == p.label(column) {
			members++
		}
	}
	for _, i := range p.texts {
		x := make([]float64, p.rows+1)
		x[p.rows] = 1
		rows, values := p.docs.of(i)
		for j, row := range rows {
			x[row] = float64(values[j])
			if p.ratio != nil {
				x[row] *= float64(p.ratio[int(row)*p.columns()+column])
			}
		}
		y, n := -1.0, float64(len(p.texts))-members
		if p.truth[i] == p.label(column) {
			y, n = 1, members
		}
		cost := p.cost
		if p.balanced {
			cost *= float64(len(p.texts)) / (2 * n)
		}
		b.x, b.y, b.cost = append(b.x, x), append(b.y, y), append(b.cost, cost)
	}
	return b
}

// objective is |w|²/2 plus the losses, with its gradient.
func (b *binaryProblem) objective(w []float64) (value float64, gradient []float64) {
	gradient = slices.Clone(w)
	for _, x := range w {
		value += x * x / 2
	}
	for i, x := range b.x {
		margin := 0.0
		for j := range x {
			margin += b.y[i] * x[j] * w[j]
		}
		slope := 0.0
		switch {
		case b.logistic:
			value += b.cost[i] * math.Log1p(math.Exp(-margin))
			slope = -b.cost[i] / (1 + math.Exp(margin))
		case margin < 1:
			value += b.cost[i] * (1 - margin) * (1 - margin)
			slope = -2 * b.cost[i] * (1 - margin)
		}
		for j := range x {
			gradient[j] += slope * b.y[i] * x[j]
		}
	}
	return value, gradient
}

// least is the minimum of the objective, by gradient descent with the steps of
// Barzilai and Borwein, "Two-Point Step Size Gradient Methods" (1988).
func (b *binaryProblem) least(t *testing.T) float64 {
	t.Helper()
	w, step := make([]float64, len(b.x[0])), 1e-3
	best, gradient := b.objective(w)
	for range 20000 {
		for j := range w {
			w[j] -= step * gradient[j]
		}
		value, next := b.objective(w)
		best = min(best, value)
		moved, turned, size := 0.0, 0.0, 0.0
		for j := range w {
			d := next[j] - gradient[j]
			moved -= step * gradient[j] * d
			turned += d * d
			size += next[j] * next[j]
		}
		if size < 1e-16 {
			return best
		}
		step, gradient = moved/turned, next
	}
	t.Fatal("the reference did not converge")
	return 0
}

// weights are those of a solver's column, in the reference's terms.
func (s *linearSolver) column(c int) []float64 {
	n := s.columns()
	w := make([]float64, s.rows+1)
	for row := range s.rows {
		if w[row] = float64(s.weights[row*n+c]); s.ratio != nil && w[row] != 0 {
			w[row] /= float64(s.ratio[row*n+c])
		}
	}
	w[s.rows] = float64(s.bias[c])
	return w
}

// linearProblems are problems of every kind, by name.
func linearProblems() map[string]*linearProblem {
	list := map[string]*linearProblem{}
	for _, labels := range []int{2, 3} {
		for _, logistic := range []bool{false, true} {
			for _, balanced := range []bool{false, true} {
				for _, scaled := range []bool{false, true} {
					for _, cost := range []float64{0.3} {
						rng := rand.New(rand.NewPCG(uint64(labels), 30))
						p := someProblem(rng, 90, 24, labels)
						p.logistic, p.balanced, p.cost = logistic, balanced, cost
						if scaled {
							p.ratio = make([]float32, p.rows*p.columns())
							for i := range p.ratio {
								p.ratio[i] = float32(rng.NormFloat64())
							}
						}
						list[fmt.Sprintf("%d labels, logistic %t, balanced %t, ratio %t, C %v", labels, logistic, balanced, scaled, cost)] = p
					}
				}
			}
		}
	}
	return list
}

// What the passes lead to is the minimum, though texts sit out of them.
func TestSolverConvergesToTheMinimum(t *testing.T) {
	for name, p := range linearProblems() {
		s := newLinearSolver(p)
		for range 1500 {
			s.pass()
		}
		for c := range p.columns() {
			b := newBinaryProblem(p, c)
			got, _ := b.objective(s.column(c))
			within(t, fmt.Sprintf("%s, column %d: objective", name, c), got/b.least(t), 1, 1e-5)
		}
	}
}

// textLike is a problem with more features than texts, of length 1.
func textLike(rng *rand.Rand, texts, labels int) *linearProblem {
	p := &linearProblem{docs: &vectors{start: []int{0}}, labels: labels, rows: 500}
	for i := range texts {
		label, used := rng.IntN(labels), map[uint32]bool{}
		for len(used) < 16 {
			row := uint32(float64(p.rows) * rng.Float64() * rng.Float64())
			if rng.IntN(5) == 0 {
				row = uint32(labels*rng.IntN(12) + label)
			}
			if !used[row] {
				used[row] = true
				p.docs.rows, p.docs.values = append(p.docs.rows, row), append(p.docs.values, 0.25)
			}
		}
		p.docs.start = append(p.docs.start, len(p.docs.rows))
		p.texts, p.truth = append(p.texts, i), append(p.truth, label)
	}
	return p
}

// The few passes of solve end near the minimum, nearer with the smooth loss, and
// no further from it than if no text had sat out.
func TestFewPassesEndNearTheMinimum(t *testing.T) {
	for _, labels := range []int{2, 3} {
		for _, logistic := range []bool{false, true} {
			p := textLike(rand.New(rand.NewPCG(uint64(labels), 31)), 150, labels)
			p.logistic, p.cost = logistic, 0.3
			patient := newLinearSolver(p)
			for range linearPasses {
				clear(patient.skip)
				if patient.pass() < linearTolerance {
					break
				}
			}
			s := newLinearSolver(p)
			for range linearPasses {
				if s.pass() < linearTolerance {
					break
				}
			}
			far := 0.1
			if logistic {
				far = 0.02
			}
			for c := range p.columns() {
				b := newBinaryProblem(p, c)
				least := b.least(t)
				got, _ := b.objective(s.column(c))
				all, _ := b.objective(patient.column(c))
				what := fmt.Sprintf("%d labels, logistic %t, column %d: objective", labels, logistic, c)
				within(t, what, got/least, 1, far)
				within(t, what+" to the one with all texts in every pass", got/all, 1, 0.01)
			}
		}
	}
}

// Most of these texts are easy, and sit out most passes; the few that are hard
// move the weights late, after which some easy ones are wrong again.
func TestSittingOutDoesNotSpoilTheMinimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for _, logistic := range []bool{false, true} {
		p := someProblem(rng, 300, 40, 2)
		p.logistic, p.cost = logistic, 3
		for i := range p.truth {
			if i%25 == 0 {
				p.truth[i] = 1 - p.truth[i]
			}
		}
		s, patient := newLinearSolver(p), newLinearSolver(p)
		for range 1500 {
			s.pass()
			clear(patient.skip)
			patient.pass()
		}
		b := newBinaryProblem(p, 0)
		got, _ := b.objective(s.column(0))
		all, _ := b.objective(patient.column(0))
		within(t, fmt.Sprintf("logistic %t: objective", logistic), got/b.least(t), 1, 6e-3)
		within(t, fmt.Sprintf("logistic %t: objective to the one with all texts in every pass", logistic), got/all, 1, 1e-4)
	}
}

func TestSolverIsDeterministic(t *testing.T) {
	for name, p := range linearProblems() {
		a, b := p.solve(), p.solve()
		if !slices.Equal(a.weights, b.weights) || !slices.Equal(a.bias, b.bias) {
			t.Errorf("%s: two runs differ", name)
		}
	}
}

// With two labels one problem decides: what speaks for the one speaks against
// the other.
func TestTwoLabelsShareOneProblem(t *testing.T) {
	p := someProblem(rand.New(rand.NewPCG(33, 34)), 60, 10, 2)
	got := p.solve()
	if len(got.weights) != 20 || len(got.bias) != 2 || got.bias[0] != -got.bias[1] {
		t.Fatalf("got %d weights and biases %v", len(got.weights), got.bias)
	}
	for row := range 10 {
		if got.weights[2*row] != -got.weights[2*row+1] {
			t.Errorf("row %d: weights %v and %v do not mirror one another", row, got.weights[2*row], got.weights[2*row+1])
		}
	}
}

// Problems without a text of a label, without words, or of one text, give
// finite weights.
func TestSolverOfLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(35, 36))
	for name, change := range map[string]func(p *linearProblem){
		"one text":              func(p *linearProblem) { p.texts = p.texts[:1] },
		"no words":              func(p *linearProblem) { p.docs = &vectors{start: make([]int, 31)} },
		"one label":             func(p *linearProblem) { clear(p.truth) },
		"no texts":              func(p *linearProblem) { p.texts = nil },
		"equal texts, at odds":  func(p *linearProblem) { p.docs.start = slices.Repeat([]int{0}, 31) },
		"the largest cost":      func(p *linearProblem) { p.cost = MaxStrength },
		"the smallest cost":     func(p *linearProblem) { p.cost = MinStrength },
		"a ratio that is large": func(p *linearProblem) { p.ratio = slices.Repeat([]float32{20}, p.rows*3) },
	} {
		for _, logistic := range []bool{false, true} {
			for _, balanced := range []bool{false, true} {
				p := someProblem(rng, 30, 12, 3)
				p.logistic, p.balanced = logistic, balanced
				change(p)
				got := p.solve()
				for _, w := range slices.Concat(got.weights, got.bias) {
					if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
						t.Fatalf("%s, logistic %t, balanced %t: a weight is %v", name, logistic, balanced, w)
					}
				}
			}
		}
	}
}

// The step for one text solves its own optimality condition.
func TestLogisticStep(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 38))
	for range 2000 {
		upper := float32(math.Exp(3 * rng.NormFloat64()))
		dual := float32(rng.Float64()) * upper
		margin, square := float32(5*rng.NormFloat64()), float32(1+20*rng.Float64())
		next, _ := logisticStep(margin, dual, square, upper)
		if !(next >= 0 && next <= upper) {
			t.Fatalf("step to %v: want 0 to %v", next, upper)
		}
		if a, u := float64(next), float64(upper); a > 1e-3*u && a < 0.999*u {
			f := float64(square)*(a-float64(dual)) + float64(margin) + math.Log(a/(u-a))
			if math.Abs(f) > 1e-3*(1+float64(square)*u) {
				t.Fatalf("margin %v, dual %v of %v, square %v: step to %v leaves %v", margin, dual, upper, square, next, f)
			}
		}
	}
}
