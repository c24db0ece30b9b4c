package judge

import "math"

// standardError95 is how many standard errors a 95% interval reaches to either
// side.
const standardError95 = 1.959963984540054

// wilson is the interval of a proportion of which share was seen in n
// independent trials; without trials it is 0 to 1. Wilson, "Probable Inference,
// the Law of Succession, and Statistical Inference" (1927).
func wilson(share, n float64) Interval {
	if !(n > 0) {
		return Interval{0, 1}
	}
	const z2 = standardError95 * standardError95
	middle := (share + z2/(2*n)) / (1 + z2/n)
	half := float64(standardError95 / (1 + z2/n) * math.Sqrt(float64(share*(1-share))/n+z2/(4*n*n)))
	// Rounding must not leave out the share itself.
	return Interval{min(middle-half, share), max(middle+half, share)}.within(0, 1)
}

// A sourceCount says how many answers of a source are counted and how many of
// those are right.
type sourceCount struct{ right, rows int }

// A proportion is the share of right answers, source by source.
type proportion []sourceCount

// add counts one answer.
func (p proportion) add(source int, right bool) {
	p[source].rows++
	if right {
		p[source].right++
	}
}

// total sums the counts; sources are those with any rows, squares the sum of
// the squares of their rows.
func (p proportion) total() (right, rows, sources int, squares float64) {
	for _, c := range p {
		right += c.right
		rows += c.rows
		squares += float64(float64(c.rows) * float64(c.rows))
		if c.rows > 0 {
			sources++
		}
	}
	return right, rows, sources, squares
}

// share is the share of right answers.
func (p proportion) share() float64 {
	right, rows, _, _ := p.total()
	return ratio(right, rows)
}

// interval is Wilson's, with the effective number of answers for trials.
func (p proportion) interval(correlation float64) Interval {
	return wilson(p.share(), p.effective(correlation, 0.025))
}

// effective is the number of independent answers that would tell as much, given
// the correlation of answers within a source: the number of answers over the
// design effect. Where t intervals of so few sources with the given tail are
// wider than those of as many answers, it is reduced accordingly. Korn and
// Graubard, "Confidence Intervals for Proportions with Small Expected Number of
// Positive Counts Estimated from Survey Data" (1998). With one source it is 0:
// nothing is known of others.
func (p proportion) effective(correlation, tail float64) float64 {
	_, rows, sources, squares := p.total()
	if sources < 2 {
		return 0
	}
	n := float64(rows)
	effective := n / p.designEffect(correlation)
	if sources < rows {
		t := studentQuantile(tail, n-1) / studentQuantile(tail, n*n/squares-1)
		effective *= t * t
	}
	return effective
}

// designEffect is how many times larger the variance of the share is than that
// of as many independent answers: 1 with one row a source. It is the larger one of what the sources show and
// what follows from the correlation, since few errors show little: Kish,
// "Survey Sampling" (1965), sections 5.4 and 8.2; Franco et al., "Comparative
// Study of Confidence Intervals for Proportions in Complex Sample Surveys"
// (2019) find intervals too narrow with the former alone.
func (p proportion) designEffect(correlation float64) float64 {
	right, rows, sources, squares := p.total()
	share, n := ratio(right, rows), float64(rows)
	expected := 1 + float64((squares/n-1)*correlation)
	if right == 0 || right == rows {
		return expected
	}
	sum := 0.0
	for _, c := range p {
		d := float64(c.right) - float64(share*float64(c.rows))
		sum += float64(d * d)
	}
	g := float64(sources)
	observed := g / (g - 1) * sum / (n * share * (1 - share) * n / (n - 1))
	return max(expected, observed)
}

// correlation is the intraclass correlation of right answers within a source,
// from 0 to 1, by analysis of variance; 1 when nothing tells. Ridout, Demétrio
// and Firth, "Estimating Intraclass Correlation for Binary Data" (1999).
func (p proportion) correlation() float64 {
	right, rows, sources, squares := p.total()
	n, g, share := float64(rows), float64(sources), ratio(right, rows)
	if rows == sources { // no two answers of one source
		return 0
	}
	between, within := 0.0, 0.0
	for _, c := range p {
		if c.rows > 0 {
			own := ratio(c.right, c.rows)
			between += float64(float64(c.rows) * float64((own-share)*(own-share)))
			within += float64(float64(c.right) * (1 - own))
		}
	}
	between, within = between/(g-1), within/(n-g)
	size := (n - squares/n) / (g - 1) // the mean number of rows, less their spread
	variance := between + float64((size-1)*within)
	if sources < 2 || !(variance > 0) {
		return 1
	}
	return max(0, (between-within)/variance)
}
