package prevalence

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// An Interval holds a share with 95% confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// An estimate is the shares of the labels with their intervals.
type estimate struct {
	shares []float64
	source []Interval // of the shares in what the rows are a sample of
	rows   []Interval // of the shares in these very rows
}

// estimateMixture estimates shares by mixture. The intervals are those of a
// parametric bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap",
// 1993, section 6.5): a replicate draws a response from what the out-of-fold
// texts leave open, and answers for rows with the shares estimated. The rows being
// a sample in their turn, a share of the source is drawn from the posterior of a
// binomial with Jeffreys' prior, which stays honest where rows are few. Draws
// follow from name: equal counts have equal intervals.
func estimateMixture(r *response, c counts, name string) estimate {
	shares := uniform(r.labels)
	mixture(shares, r.p, c, emSteps)
	src := rand.NewPCG(seedOf(name), math.Float64bits(c.total))
	source, rows := make([][]float64, r.labels), make([][]float64, r.labels)
	for _, p := range r.draws {
		replicate := slices.Clone(shares)
		mixture(replicate, p, r.answers(shares, c.total, src), emSteps/10)
		for l, q := range replicate {
			rows[l] = append(rows[l], q)
			source[l] = append(source[l], sampled(q, c.total, src))
		}
	}
	e := estimate{shares: shares}
	for l, q := range shares {
		e.source = append(e.source, middle(source[l], q))
		e.rows = append(e.rows, middle(rows[l], q))
	}
	return e
}

// answers draws the answers to so many rows of labels with the given shares.
func (r *response) answers(shares []float64, total float64, src rand.Source) counts {
	rng := rand.New(src)
	list := make([]float64, r.cells)
	for l, q := range shares {
		left, mass := math.Floor(total*q+rng.Float64()), 1.0
		for k, p := range r.p[l*r.cells:][:r.cells] {
			if left <= 0 {
				break
			}
			n := binomial(left, p/mass, src)
			list[k] += n
			left -= n
			mass -= p
		}
	}
	return countsOf(list)
}

// binomial draws how many of n trials succeed.
func binomial(n, p float64, src rand.Source) float64 {
	switch {
	case !(p < 1):
		return n
	case !(p > 0):
		return 0
	}
	return distuv.Binomial{N: n, P: p, Src: src}.Rand()
}

// sampled draws a share of the source of so many rows in which it is q.
func sampled(q, rows float64, src rand.Source) float64 {
	return distuv.Beta{Alpha: rows*q + .5, Beta: rows*(1-q) + .5, Src: src}.Rand()
}

// estimateCounted takes answers for right: its intervals know of the sample
// alone.
func estimateCounted(shares []float64, rows float64) estimate {
	e := estimate{shares: shares}
	for _, q := range shares {
		b := distuv.Beta{Alpha: rows*q + .5, Beta: rows*(1-q) + .5}
		e.source = append(e.source, Interval{min(q, b.Quantile(.025)), max(q, b.Quantile(.975))})
		e.rows = append(e.rows, Interval{q, q})
	}
	return e
}

// middle is where 95% of the draws lie, widened to hold q. It sorts the draws.
func middle(draws []float64, q float64) Interval {
	slices.Sort(draws)
	return Interval{min(q, quantile(draws, .025)), max(q, quantile(draws, .975))}
}

// quantile is that of sorted values, in straight lines between the middles of
// their ranks.
func quantile(sorted []float64, p float64) float64 {
	at := p*float64(len(sorted)) - .5
	i := min(max(int(math.Floor(at)), 0), len(sorted)-2)
	along := min(1, max(0, at-float64(i)))
	return sorted[i] + along*(sorted[i+1]-sorted[i])
}

func uniform(n int) []float64 {
	p := make([]float64, n)
	for i := range p {
		p[i] = 1 / float64(n)
	}
	return p
}

// countsOf lists the cells that have rows.
func countsOf(list []float64) counts {
	var c counts
	for k, n := range list {
		if n > 0 {
			c.cells, c.rows, c.total = append(c.cells, k), append(c.rows, n), c.total+n
		}
	}
	return c
}

func seedOf(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // a hash takes everything
	return h.Sum64()
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
