package judge

// intervals fills in all intervals, from one set of draws.
func (m *Metrics) intervals(list []Judgement, r *ranking) {
	if r.sources == 1 {
		m.anything()
		return
	}
	d := drawMetrics(len(m.Labels), list, r)
	p := newPercentiles(r.sources)
	m.AccuracyInterval = p.ofShare(d.accuracy, r.sources)
	m.MacroF1Interval = p.ofShare(d.macroF1, r.sources)
	m.NLLInterval = p.of(d.nll)
	m.BrierInterval = p.of(d.brier)
	m.calibrationIntervals(p, d.ece)
	m.labelIntervals(list, p, d.tallies)
}

// calibrationIntervals are centred: a list drawn with replacement adds noise to
// the gap between confidence and accuracy in each bin, so that its error is the
// larger one on average, and percentiles would sit too high. What a perfect
// model would show is no more than a constant beside it.
//
// Rows of one source that err together make the error larger than rows that
// err alone, as the perfect model's do: that part of the excess does not go
// away by calibration.
func (m *Metrics) calibrationIntervals(p percentiles, ece []float64) {
	interval := p.centred(ece, m.ECE)
	if ece[len(ece)-1] == 0 { // sorted: no draw shows any error
		interval = wilson(0, float64(p.sources))
	}
	m.ECEInterval = interval.within(0, 1)
	m.ExcessECEInterval = interval.shifted(-m.PerfectECE)
}

// labelIntervals fills in the intervals of every label.
func (m *Metrics) labelIntervals(list []Judgement, p percentiles, draws []tally) {
	examples := sourcesWith(len(m.Labels), list, func(j *Judgement) int { return j.Truth })
	predicted := sourcesWith(len(m.Labels), list, func(j *Judgement) int { return j.Predicted })
	values := make([]float64, len(draws))
	for l := range m.Labels {
		interval := func(measure func(labelTally) float64, sources int) Interval {
			for d, t := range draws {
				values[d] = measure(t[l])
			}
			return p.ofShare(values, sources)
		}
		lm := &m.Labels[l]
		lm.PrecisionInterval = interval(labelTally.precision, predicted[l])
		lm.RecallInterval = interval(labelTally.recall, examples[l])
		lm.F1Interval = interval(labelTally.f1, max(examples[l], predicted[l]))
	}
}

// sourcesWith counts, for every label, the sources with a row of that label.
func sourcesWith(labels int, list []Judgement, label func(*Judgement) int) []int {
	type pair struct{ source, label int }
	seen, count := map[pair]bool{}, make([]int, labels)
	for i := range list {
		p := pair{list[i].Source, label(&list[i])}
		if !seen[p] {
			seen[p] = true
			count[p.label]++
		}
	}
	return count
}

// anything sets all intervals to the whole range of their measure.
func (m *Metrics) anything() {
	share := Interval{0, 1}
	m.AccuracyInterval, m.MacroF1Interval, m.ECEInterval = share, share, share
	m.ExcessECEInterval = share.shifted(-m.PerfectECE)
	m.NLLInterval = Interval{0, surprise(0)}
	m.BrierInterval = Interval{0, 2}
	for i := range m.Labels {
		l := &m.Labels[i]
		l.PrecisionInterval, l.RecallInterval, l.F1Interval = share, share, share
	}
}

// metricDraws are the measures of lists drawn anew.
type metricDraws struct {
	accuracy, macroF1, ece, nll, brier []float64
	tallies                            []tally
}

func drawMetrics(labels int, list []Judgement, r *ranking) *metricDraws {
	d := &metricDraws{}
	loss, resample := newLosses(list), newResampler(r.sources)
	for range bootstrapDraws {
		weights := resample.draw()
		t := make(tally, labels)
		for i := range r.answers {
			a := &r.answers[i]
			t.add(a.truth, a.predicted, weights[a.source])
		}
		nll, brier := loss.mean(weights)
		d.accuracy = append(d.accuracy, t.accuracy())
		d.macroF1 = append(d.macroF1, t.macroF1())
		d.ece = append(d.ece, r.weightedCalibrationError(weights))
		d.nll = append(d.nll, nll)
		d.brier = append(d.brier, brier)
		d.tallies = append(d.tallies, t)
	}
	return d
}

// losses are the sums of surprise and Brier score over the rows of each source.
type losses []struct {
	nll, brier float64
	rows       int
}

func newLosses(list []Judgement) losses {
	source, sources := number(list)
	sums := make(losses, sources)
	for i := range list {
		s := &sums[source[i]]
		s.nll += surprise(list[i].Probabilities[list[i].Truth])
		s.brier += list[i].brier()
		s.rows++
	}
	return sums
}

// mean is the mean over rows when every source occurs as often as weights say.
func (l losses) mean(weights []int) (nll, brier float64) {
	rows := 0
	for s, w := range weights {
		nll += float64(float64(w) * l[s].nll)
		brier += float64(float64(w) * l[s].brier)
		rows += w * l[s].rows
	}
	return nll / float64(rows), brier / float64(rows)
}
