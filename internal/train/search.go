package train

import (
	"runtime"
	"slices"
	"sync"

	"github.com/parley-nlp/parley/internal/model"
)

// A task is one head to be trained on a corpus.
type task struct {
	*corpus
	name   string
	labels []string // ascending
	truth  []int    // per example: its label, or -1 for none
	fold   []int    // per example
	folds  int      // 0: too few sources to split
	known  []bool   // per example: it has a word that occurs outside its fold
}

// newTask returns the task of the i-th head.
func newTask(c *corpus, name string, i int) *task {
	t := &task{corpus: c, name: name, truth: make([]int, len(c.examples))}
	for _, ex := range c.examples {
		if ex.Labels[i] != "" {
			t.labels = append(t.labels, ex.Labels[i])
		}
	}
	slices.Sort(t.labels)
	t.labels = slices.Compact(t.labels)
	for j, ex := range c.examples {
		at, found := slices.BinarySearch(t.labels, ex.Labels[i])
		if t.truth[j] = at; !found {
			t.truth[j] = -1
		}
	}
	return t
}

// counts counts all documents that have a label.
func (t *task) counts(v model.Value) *Counts {
	c := newCounts(len(t.ids), len(t.labels))
	for i, l := range t.truth {
		if l >= 0 {
			c.add(t.docs[i], l, v)
		}
	}
	return c
}

// A trial is how a candidate did in cross-validation.
type trial struct {
	candidate
	metrics Metrics // without probabilities
}

// search tries every candidate and returns the trials in their order. done is
// called after each.
func (t *task) search(candidates []candidate, done func()) []trial {
	trials := make([]trial, len(candidates))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(candidates)) {
		workers.Go(func() {
			counts := map[model.Value]*Counts{} // this worker's own: outOfFold takes folds out and puts them back
			for i := range next {
				c := candidates[i]
				if counts[c.Value] == nil {
					counts[c.Value] = t.counts(c.Value)
				}
				trials[i] = trial{c, t.try(c, counts[c.Value])}
				done()
			}
		})
	}
	for i := range candidates {
		next <- i
	}
	close(next)
	workers.Wait()
	return trials
}

// best returns the trial with the highest macro-F1, of equal ones the first.
func best(trials []trial) trial {
	return slices.MaxFunc(trials, func(a, b trial) int {
		switch {
		case a.metrics.MacroF1 < b.metrics.MacroF1:
			return -1
		case a.metrics.MacroF1 > b.metrics.MacroF1:
			return 1
		}
		return 0
	})
}

// try judges the labels that a candidate gives by its scores alone.
func (t *task) try(c candidate, counts *Counts) Metrics {
	raw, _ := t.outOfFold(c, counts)
	m := Metrics{Confusion: make([][]int, len(t.labels))}
	for i := range m.Confusion {
		m.Confusion[i] = make([]int, len(t.labels))
	}
	for i, scores := range raw {
		if t.truth[i] >= 0 {
			m.Confusion[t.truth[i]][argmax(scores)]++
			m.Examples++
		}
	}
	m.tabulate(t.labels)
	return m
}

// outOfFold scores every labelled example with weights trained on the other
// folds. It also returns the prior of each fold's training part.
func (t *task) outOfFold(c candidate, counts *Counts) (raw [][]int64, priors [][]float64) {
	raw = make([][]int64, len(t.docs))
	priors = make([][]float64, t.folds)
	for f := range t.folds {
		t.eachIn(f, func(i int) { counts.subtract(t.docs[i], t.truth[i], c.Value) })
		w := c.weigh(counts, t.kinds)
		priors[f] = make([]float64, len(t.labels))
		(&model.Head{DocCounts: counts.docs}).Prior(priors[f])
		t.eachIn(f, func(i int) {
			raw[i] = w.score(t.docs[i], c.Value)
			counts.add(t.docs[i], t.truth[i], c.Value)
		})
	}
	return raw, priors
}

// eachIn calls do for every labelled example of fold f.
func (t *task) eachIn(f int, do func(i int)) {
	for i, l := range t.truth {
		if l >= 0 && t.fold[i] == f {
			do(i)
		}
	}
}

// score returns the raw scores of a document.
func (w *weighting) score(d document, v model.Value) []int64 {
	labels := len(w.bias)
	raw := make([]int64, labels)
	for _, o := range d {
		n := int64(value(v, o.count))
		for l, weight := range w.weights[int(o.row)*labels:][:labels] {
			raw[l] += n * int64(weight)
		}
	}
	for l := range raw {
		raw[l] = w.bias[l] + raw[l]<<(model.ScoreBits-w.bits)
	}
	return raw
}

// calibrated is what cross-validation says of the winner.
type calibrated struct {
	inverseTemperature float64
	metrics            Metrics
}

// calibrate fits the temperature on the out-of-fold scores. The metrics judge
// each fold with a temperature fitted on the other folds.
func (t *task) calibrate(c candidate) calibrated {
	raw, priors := t.outOfFold(c, t.counts(c.Value))
	inverse := fitTemperature(t.scored(raw, -1))
	var list []judgement
	for f := range t.folds {
		head := model.Head{InverseTemperature: fitTemperature(t.scored(raw, f))}
		nats := make([]float64, len(t.labels))
		t.eachIn(f, func(i int) {
			j := judgement{truth: t.truth[i], predicted: argmax(raw[i]), probabilities: make([]float64, len(t.labels))}
			if t.known[i] {
				head.Calibrate(j.probabilities, nats, raw[i])
			} else {
				copy(j.probabilities, priors[f])
				j.predicted = argmax(priors[f])
			}
			list = append(list, j)
		})
	}
	return calibrated{inverse, measure(t.labels, list)}
}

// scored lists the labelled examples with evidence outside fold f.
func (t *task) scored(raw [][]int64, f int) []scoredText {
	var list []scoredText
	for i, scores := range raw {
		if scores == nil || t.fold[i] == f || !t.known[i] {
			continue
		}
		s := scoredText{nats: make([]float64, len(scores)), truth: t.truth[i]}
		for l, r := range scores {
			s.nats[l] = model.Nats(r)
		}
		list = append(list, s)
	}
	return list
}

// argmax returns the position of the largest value, of equal ones the first.
func argmax[T int64 | float64](values []T) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
