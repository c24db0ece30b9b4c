package judge

import (
	"strconv"
	"testing"
)

// head is ten thousand answers about fifty labels.
func head() (labels []string, list []Judgement) {
	const rows, n = 10_000, 50
	rng := newRand(80)
	for l := range n {
		labels = append(labels, strconv.Itoa(l))
	}
	for i := range rows {
		p, sum, best := make([]float64, n), 0.0, 0
		for l := range p {
			p[l] = rng.ExpFloat64()
			sum += p[l]
			if p[l] > p[best] {
				best = l
			}
		}
		for l := range p {
			p[l] /= sum
		}
		truth := best
		if rng.IntN(3) == 0 {
			truth = rng.IntN(n)
		}
		list = append(list, Judgement{Truth: truth, Predicted: best, Source: i / 2, Probabilities: p})
	}
	return labels, list
}

func BenchmarkMeasure(b *testing.B) {
	labels, list := head()
	b.ReportAllocs()
	for b.Loop() {
		Measure(labels, list)
	}
}

func BenchmarkCompare(b *testing.B) {
	labels, list := head()
	other := make([]Judgement, len(list))
	for i, j := range list {
		if other[i] = j; i%7 == 0 {
			other[i].Predicted = j.Truth
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compare(labels, list, other); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMacroF1(b *testing.B) {
	labels, list := head()
	var truth, predicted []int
	for _, j := range list {
		truth, predicted = append(truth, j.Truth), append(predicted, j.Predicted)
	}
	b.ReportAllocs()
	for b.Loop() {
		MacroF1(len(labels), truth, predicted)
	}
}
