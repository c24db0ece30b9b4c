package retrain

import (
	"slices"

	"github.com/parley-nlp/parley/internal/exact"
)

// A surprise is how improbable a label is to a candidate that was trained with
// all other labels, those of the same batch too, but without the row's source:
// out of fold, and with calibrated probabilities.
//
// Corrections are labels that the champion had wrong, so they are surprising by
// nature. What is known of them beforehand, that the champion's answer is wrong,
// is therefore taken as given: the probability of a correction is that among the
// labels that the champion did not say. So honest corrections are no more
// surprising than the candidate expects, however hard their texts are.
type surprise struct {
	row, head int
	nats      float64 // -log of the label's probability
	expected  float64 // of nats, if labels were drawn with the probabilities
	variance  float64 // of nats, likewise
	// tail is the probability of a label that is no more probable than this one:
	// with right probabilities it is at most x in a share of at most x.
	tail float64
}

// leastProbability stands in for one that rounds to 0.
const leastProbability = 1e-12

// newSurprise works out the surprise of a label when the labels have these
// probabilities; excluded, unless it is -1, is known not to be the right one.
func newSurprise(row, head int, probabilities []float64, label, excluded int) surprise {
	s := surprise{row: row, head: head}
	p := slices.Clone(probabilities)
	if excluded >= 0 && excluded != label {
		p[excluded] = 0
	}
	total := 0.0
	for l := range p {
		if l != excluded || l == label {
			p[l] = max(p[l], leastProbability)
		}
		total += p[l]
	}
	square := 0.0
	for l := range p {
		p[l] /= total
		if p[l] == 0 {
			continue
		}
		nats := -exact.Log(p[l])
		s.expected += float64(p[l] * nats)
		square += float64(p[l] * float64(nats*nats))
	}
	s.nats, s.variance = -exact.Log(p[label]), max(0, square-float64(s.expected*s.expected))
	for _, q := range p {
		if q <= p[label] {
			s.tail += q
		}
	}
	return s
}

// enoughExamples is how many rows must have a label before a candidate can be
// surprised by it: a label that has just been invented is improbable everywhere.
const enoughExamples = 10

// surprises are those of all labels that the candidate can tell about: of rows
// that it was trained on out of fold, of those held out by itself.
func (c *candidate) surprises(champion answers) []surprise {
	var list []surprise
	for h, head := range c.split.Heads {
		known := c.model.Heads()[c.model.Head(head)].Labels
		often := c.frequent(h)
		add := func(i int, probabilities []float64) {
			row := &c.split.List[i]
			label, found := slices.BinarySearch(known, row.Labels[h])
			if !found || !often[row.Labels[h]] {
				return
			}
			excluded := -1
			if champion != nil && row.Given[h].correction() {
				said, _ := champion.answer(&row.Example, head)
				if at, found := slices.BinarySearch(known, said); found && at != label {
					excluded = at
				}
			}
			list = append(list, newSurprise(i, h, probabilities, label, excluded))
		}
		for _, j := range c.report.Heads[h].OutOfFold() {
			add(c.row[j.Row.Place], j.Probabilities)
		}
		own := newModelAnswers(c.model, nil)
		for i, held := range c.split.held {
			if held && c.split.List[i].Labels[h] != "" {
				_, p := own.answer(&c.split.List[i].Example, head)
				add(i, p)
			}
		}
	}
	return list
}

// frequent are the labels of a head that enough rows have.
func (c *candidate) frequent(head int) map[string]bool {
	n := map[string]int{}
	for _, ex := range c.examples {
		n[ex.Labels[head]]++
	}
	often := map[string]bool{}
	for label, rows := range n {
		often[label] = rows >= enoughExamples
	}
	return often
}
