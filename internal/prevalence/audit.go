package prevalence

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
)

// An audited row is one whose true label is known.
type audited struct {
	cell   int
	truth  int // -1 for a label that the model does not know
	weight float64
}

// MarshalJSON writes cell, truth and weight.
func (a audited) MarshalJSON() ([]byte, error) {
	return json.Marshal([3]float64{float64(a.cell), float64(a.truth), a.weight})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *audited) UnmarshalJSON(b []byte) error {
	var v [3]float64
	err := json.Unmarshal(b, &v)
	*a = audited{int(v[0]), int(v[1]), v[2]}
	return err
}

// sortedAudit puts rows in an order that their own does not matter to, as sums of
// floats depend on it.
func sortedAudit(list []audited) []audited {
	return slices.SortedFunc(slices.Values(list), func(a, b audited) int {
		return cmp.Or(cmp.Compare(a.cell, b.cell), cmp.Compare(a.truth, b.truth), cmp.Compare(a.weight, b.weight))
	})
}

// fewAudited is how many audited rows an estimate takes: of fewer the normal
// distribution tells little.
const fewAudited = 20

// estimateAudited estimates shares by prediction-powered inference: the mean of
// what answers predict over all rows, corrected by how far it is off on the
// audited ones. Angelopoulos et al., "Prediction-powered inference" (2023); how
// much the prediction counts is chosen to make the variance least, as in
// Angelopoulos, Duchi and Zrnic, "PPI++" (2023), section 6. It holds whatever the
// classifier does, as long as the audited rows were drawn at random, with equal
// probabilities or with those that their weights are the inverses of.
// predictions are cells x labels.
func estimateAudited(labels int, predictions []float64, c counts, audit []audited) estimate {
	var e estimate
	for l := range labels {
		q, i := predictionPowered(labels, l, predictions, c, audit)
		e.shares, e.source, e.rows = append(e.shares, q), append(e.source, i), append(e.rows, i)
	}
	return e
}

func predictionPowered(labels, l int, predictions []float64, c counts, audit []audited) (float64, Interval) {
	g := func(cell int) float64 { return predictions[cell*labels+l] }
	mean, square := 0.0, 0.0 // of the prediction, over all rows
	for i, k := range c.cells {
		mean += c.rows[i] / c.total * g(k)
		square += c.rows[i] / c.total * g(k) * g(k)
	}
	variance := max(0, square-mean*mean)
	n := float64(len(audit))
	lambda := 0.0
	if variance > 0 {
		lambda = min(1, max(0, covariance(audit, l, g)/((1+n/c.total)*variance)))
	}
	residual, weights := 0.0, 0.0
	for _, a := range audit {
		residual += a.weight * (a.is(l) - lambda*g(a.cell))
		weights += a.weight
	}
	residual /= weights
	spread := 0.0
	for _, a := range audit {
		d := a.weight * (a.is(l) - lambda*g(a.cell) - residual)
		spread += d * d
	}
	// Two more rows, half right and half wrong, since no error among few rows is
	// no proof that there is none (Agresti and Coull, 1998).
	spread += 2 * (weights / n / 2) * (weights / n / 2)
	q := min(1, max(0, lambda*mean+residual))
	return q, wilson(q, lambda*lambda*variance/c.total+spread/(weights*weights), n)
}

// wilson is the interval of a share q with the given variance, estimated from n
// rows: that of a proportion of so many trials as have this variance (Wilson,
// "Probable inference, the law of succession, and statistical inference", 1927).
func wilson(q, variance, n float64) Interval {
	const z = 1.96
	inside := min(1-.5/n, max(.5/n, q))
	trials := inside * (1 - inside) / variance
	centre := (q + z*z/(2*trials)) / (1 + z*z/trials)
	half := z / (1 + z*z/trials) * math.Sqrt(q*(1-q)/trials+z*z/(4*trials*trials))
	return Interval{max(0, min(q, centre-half)), min(1, max(q, centre+half))}
}

func (a audited) is(label int) float64 {
	if a.truth == label {
		return 1
	}
	return 0
}

// covariance is that of being of label l with the prediction, in the audit.
func covariance(audit []audited, l int, g func(int) float64) float64 {
	x, y, xy, w := 0.0, 0.0, 0.0, 0.0
	for _, a := range audit {
		w += a.weight
		x += a.weight * g(a.cell)
		y += a.weight * a.is(l)
		xy += a.weight * g(a.cell) * a.is(l)
	}
	return xy/w - x/w*y/w
}

// predict returns the probability of each label in each cell, cells x labels, at
// the shares estimated.
func (r *response) predict(shares []float64) []float64 {
	p := make([]float64, r.cells*r.labels)
	for k := range r.cells {
		sum := 0.0
		for l, q := range shares {
			p[k*r.labels+l] = q * r.p[l*r.cells+k]
			sum += p[k*r.labels+l]
		}
		for l := range shares {
			p[k*r.labels+l] /= max(sum, 1e-300)
		}
	}
	return p
}
