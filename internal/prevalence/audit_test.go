package prevalence

import (
	"math/rand/v2"
	"testing"
)

// With an audit the shares hold although the classifier answers otherwise than in
// its cross-validation: label shift fails, and the mixture with it.
func TestAuditHoldsWithoutLabelShift(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	r := newResponse(3, &ptr(threeLabels.head("", rng, 500)).Errors.Outcomes, false)
	now := simulation{threeLabels.labels, [][]float64{{.05, .15, .4, .2, .1, .1}, {.1, .1, .3, .3, .1, .1}, {.2, .3, .1, .1, .1, .2}}}
	for name, weighted := range map[string]bool{"equal probabilities": false, "unequal ones": true} {
		const draws, rows = 400, 3000
		inside, fooled := 0, 0
		q := []float64{.6, .3, .1}
		for range draws {
			list := make([]float64, 6)
			var audit []audited
			for range rows {
				l := pick(rng, q)
				k := now.answer(rng, l)
				list[k]++
				p := .05
				if weighted && k%2 == 0 { // unsure answers are looked at more often
					p = .15
				}
				if rng.Float64() < p {
					audit = append(audit, audited{k, l, 1 / p})
				}
			}
			c := countsOf(list)
			guess := uniform(3)
			mixture(guess, r.p, c, emSteps)
			e := estimateAudited(3, r.predict(guess), c, audit)
			m := estimateMixture(&response{labels: 3, cells: 6, texts: r.texts, p: r.p, draws: r.draws[:40]}, c, "test")
			for l := range q {
				if e.source[l].Low <= q[l] && q[l] <= e.source[l].High {
					inside++
				}
				if q[l] < m.source[l].Low || m.source[l].High < q[l] {
					fooled++
				}
			}
		}
		if share := float64(inside) / 3 / draws; share < .93 || share > .98 {
			t.Errorf("%s: %.3f of the shares lie in their intervals, want about 95%%", name, share)
		}
		if fooled < draws {
			t.Errorf("%s: the mixture was wrong %d times only: the test shows nothing", name, fooled)
		}
	}
}

func TestAuditedIntervalsAreNeverEmpty(t *testing.T) {
	var audit []audited
	for range fewAudited {
		audit = append(audit, audited{0, 0, 1})
	}
	e := estimateAudited(2, []float64{1, 0, 0, 1}, counts{[]int{0}, []float64{500}, 500}, audit)
	if e.shares[0] < .99 || e.source[0].Low > .97 || e.source[1].High < .03 {
		t.Errorf("all audited rows are right: share %v, intervals %v: want some room for errors", e.shares, e.source)
	}
}
