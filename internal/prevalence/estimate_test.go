package prevalence

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b []float64, most float64) bool {
	for l := range a {
		if math.Abs(a[l]-b[l]) > most {
			return false
		}
	}
	return len(a) == len(b)
}

// Of a million rows that get just the answers expected, every estimate finds the
// shares, and counting answers does not.
func TestEstimatesOfExpectedAnswers(t *testing.T) {
	want := []float64{.1, .2, .7}
	var p, expected []float64 // labels x cells
	for _, row := range threeLabels.p {
		p = append(p, row...)
	}
	for k := range 6 {
		sum := 0.0
		for l, q := range want {
			sum += q * threeLabels.p[l][k]
		}
		expected = append(expected, 1e6*sum)
	}
	c := countsOf(expected)
	got := uniform(3)
	mixture(got, p, c, emSteps)
	if !near(got, want, 1e-4) {
		t.Errorf("mixture %v, want %v", got, want)
	}
	answers := classified(3, 2, c)
	if near(answers, want, .05) {
		t.Errorf("answers %v are as good as the truth: the test shows nothing", answers)
	}
	var hard []float64
	for l := range 3 {
		for a := range 3 {
			hard = append(hard, p[l*6+2*a]+p[l*6+2*a+1])
		}
	}
	if got := adjusted(answers, hard); !near(got, want, 1e-9) {
		t.Errorf("adjusted count %v, want %v", got, want)
	}
	s := newStated(3)
	prior := []float64{.5, .3, .2}
	for k, n := range expected {
		sum := 0.0
		posterior := make([]float64, 3)
		for l := range posterior {
			posterior[l] = prior[l] * threeLabels.p[l][k]
			sum += posterior[l]
		}
		for l := range posterior {
			posterior[l] /= sum
		}
		for range int(n / 100) {
			s.add(k/2, posterior)
		}
	}
	if got := s.expectation(prior); !near(got, want, 1e-3) {
		t.Errorf("EM %v, want %v", got, want)
	}
	if got := s.probabilistic(); near(got, want, .05) {
		t.Errorf("mean probabilities %v are as good as the truth: the test shows nothing", got)
	}
}

func TestAdjustedCountOfEqualAnswersIsNone(t *testing.T) {
	if got := adjusted([]float64{.5, .5}, []float64{.7, .3, .7, .3}); got != nil {
		t.Errorf("shares %v of labels that nothing tells apart", got)
	}
}

func TestAdjustedCountIsCut(t *testing.T) {
	if got := adjusted([]float64{.05, .95}, []float64{.8, .2, .1, .9}); !near(got, []float64{0, 1}, 1e-12) {
		t.Errorf("shares %v, want 0 and 1", got)
	}
}

// Over random shares the error is at most half that of counting answers, and
// intervals hold about 95% of the shares, with cross-validations drawn anew.
func TestProof(t *testing.T) {
	const draws, rows = 300, 400
	rng := rand.New(rand.NewPCG(1, 2))
	mixed, counted, source, among := 0.0, 0.0, 0, 0
	for range draws {
		r := newResponse(3, &ptr(threeLabels.head("", rng, 250)).Errors.Outcomes, false)
		q, real, list := dirichlet(rng, 3), make([]float64, 3), make([]float64, 6)
		for range rows {
			l := pick(rng, q)
			real[l] += 1.0 / rows
			list[threeLabels.answer(rng, l)]++
		}
		c := countsOf(list)
		e := estimateMixture(r, c, "test")
		answers := classified(3, 2, c)
		for l := range q {
			mixed += math.Abs(e.shares[l] - real[l])
			counted += math.Abs(answers[l] - real[l])
			if e.source[l].Low <= q[l] && q[l] <= e.source[l].High {
				source++
			}
			if e.rows[l].Low <= real[l] && real[l] <= e.rows[l].High {
				among++
			}
		}
	}
	if mixed > counted/2 {
		t.Errorf("mean absolute error %.4f, of answers %.4f: want at most half", mixed/3/draws, counted/3/draws)
	}
	for what, n := range map[string]int{"source": source, "rows": among} {
		if share := float64(n) / 3 / draws; share < .92 || share > .995 {
			t.Errorf("%s: %.3f of the shares lie in their intervals: want about 95%%, as variances are taken for double", what, share)
		}
	}
	t.Logf("errors %.4f and %.4f, coverage %.3f and %.3f", mixed/3/draws, counted/3/draws, float64(source)/3/draws, float64(among)/3/draws)
}

func ptr[T any](x T) *T { return &x }

func TestFewRowsHaveWideIntervals(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	r := newResponse(3, &ptr(threeLabels.head("", rng, 1000)).Errors.Outcomes, false)
	for _, c := range []struct{ rows, least float64 }{{1, .6}, {4, .6}, {1000, 0}} {
		e := estimateMixture(r, counts{[]int{1}, []float64{c.rows}, c.rows}, "few")
		if width := e.source[0].High - e.source[0].Low; width < c.least || width > c.least+.4 {
			t.Errorf("%v rows of one answer: interval %v, want one about %v wide", c.rows, e.source[0], c.least)
		}
	}
	if e := estimateCounted([]float64{1, 0}, 3); e.source[0].Low > .5 || e.source[0].High != 1 || e.source[1].High < .4 {
		t.Errorf("3 rows, all of one answer: intervals %v", e.source)
	}
}

func TestIntervalsFollowFromNameAndCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	r := newResponse(3, &ptr(threeLabels.head("", rng, 100)).Errors.Outcomes, false)
	c := counts{[]int{0, 3, 5}, []float64{10, 20, 5}, 35}
	a, b := estimateMixture(r, c, "x"), estimateMixture(r, c, "x")
	for l := range 3 {
		if a.source[l] != b.source[l] || a.rows[l] != b.rows[l] {
			t.Errorf("label %d: intervals %v and %v of the same counts", l, a, b)
		}
	}
}

// EM on the mean vectors of bins is EM on all vectors, nearly: with calibrated
// probabilities that differ from row to row.
func TestBinsCostLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	worst := 0.0
	for range 20 {
		prior, q := []float64{.4, .35, .25}, dirichlet(rng, 3)
		s, shares := newStated(3), uniform(3)
		var likelihood [][]float64
		for range 2000 {
			l := pick(rng, q)
			p, sum := make([]float64, 3), 0.0
			row := make([]float64, 3)
			for k := range p { // a text's score of a label is normal, 2 higher for its own
				x := rng.NormFloat64()
				if k == l {
					x += 2
				}
				row[k] = math.Exp(2 * x) // likelihood of label k over that of none
				p[k] = prior[k] * row[k]
				sum += p[k]
			}
			for k := range p {
				p[k] /= sum
			}
			best := 0
			for k := range p {
				if p[k] > p[best] {
					best = k
				}
			}
			s.add(best, p)
			likelihood = append(likelihood, row)
		}
		flat := make([]float64, 3*len(likelihood))
		c := counts{total: float64(len(likelihood))}
		for i, row := range likelihood {
			c.cells, c.rows = append(c.cells, i), append(c.rows, 1)
			sum := row[0] + row[1] + row[2]
			for k := range row {
				flat[k*len(likelihood)+i] = row[k] / sum
			}
		}
		mixture(shares, flat, c, emSteps)
		for l, e := range s.expectation(prior) {
			worst = max(worst, math.Abs(e-shares[l]))
		}
	}
	t.Logf("the largest difference is %.4f", worst)
	if worst > .01 {
		t.Errorf("a share differs by %.4f, want at most .01", worst)
	}
}
