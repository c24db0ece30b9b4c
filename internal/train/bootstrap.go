package train

import (
	"math/rand/v2"
	"slices"
)

// An Interval holds a measure with 95% confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// bootstrapDraws is how often the sources are drawn anew.
const bootstrapDraws = 1000

// bootstrap returns the intervals of accuracy and macro-F1: their 2.5th and
// 97.5th percentiles when whole sources are drawn with replacement, since texts
// of one source stand or fall together. Efron and Tibshirani, "An Introduction
// to the Bootstrap" (1993), chapter 13; Field and Welsh, "Bootstrapping
// Clustered Data" (2007). The draws are seeded by a constant.
func bootstrap(labels int, list []judgement) (accuracy, f1 Interval) {
	if len(list) == 0 {
		return Interval{}, Interval{}
	}
	sources := bySource(list)
	rng := rand.New(rand.NewPCG(0x736f7572, 0x636573))
	accuracies, f1s := make([]float64, bootstrapDraws), make([]float64, bootstrapDraws)
	t := newMarginals(labels)
	for d := range bootstrapDraws {
		t.reset()
		for range sources {
			for _, j := range sources[rng.IntN(len(sources))] {
				t.add(j)
			}
		}
		accuracies[d], f1s[d] = t.accuracy(), t.macroF1()
	}
	return percentiles(accuracies), percentiles(f1s)
}

// bySource divides judgements by source, in order of first appearance.
func bySource(list []judgement) [][]judgement {
	at := map[int]int{}
	var sources [][]judgement
	for _, j := range list {
		i, ok := at[j.source]
		if !ok {
			i = len(sources)
			at[j.source] = i
			sources = append(sources, nil)
		}
		sources[i] = append(sources[i], j)
	}
	return sources
}

func percentiles(values []float64) Interval {
	slices.Sort(values)
	n := len(values)
	return Interval{values[n/40], values[n-1-n/40]}
}

// marginals are what accuracy and macro-F1 need of a confusion matrix.
type marginals struct {
	hits, examples, predicted []int
	total                     int
}

func newMarginals(labels int) *marginals {
	return &marginals{hits: make([]int, labels), examples: make([]int, labels), predicted: make([]int, labels)}
}

func (t *marginals) reset() {
	clear(t.hits)
	clear(t.examples)
	clear(t.predicted)
	t.total = 0
}

func (t *marginals) add(j judgement) {
	t.examples[j.truth]++
	t.predicted[j.predicted]++
	t.total++
	if j.truth == j.predicted {
		t.hits[j.truth]++
	}
}

func (t *marginals) accuracy() float64 {
	right := 0
	for _, n := range t.hits {
		right += n
	}
	return ratio(right, t.total)
}

// macroF1 is that of Metrics: over the labels that occur.
func (t *marginals) macroF1() float64 {
	sum, seen := 0.0, 0
	for l := range t.hits {
		if n := t.examples[l] + t.predicted[l]; n > 0 {
			sum += ratio(2*t.hits[l], n)
			seen++
		}
	}
	return sum / float64(max(1, seen))
}
