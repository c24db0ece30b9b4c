package retrain

import (
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// answers are what somebody says of texts.
type answers interface {
	// labels are those that a head can give, nil if there is no such head.
	labels(head string) []string
	// answer is a label and the probabilities, in the order of labels.
	answer(ex *dataset.Example, head string) (string, []float64)
}

// A modelAnswers asks a model whose labels may since be called otherwise.
type modelAnswers struct {
	model  *model.Model
	rename *renaming
	c      *model.Classifier
	names  map[string][]string // by head, as they are called now
}

func newModelAnswers(m *model.Model, rename *renaming) *modelAnswers {
	a := &modelAnswers{m, rename, m.NewClassifier(), map[string][]string{}}
	for _, h := range m.Heads() {
		for _, label := range h.Labels {
			a.names[h.Name] = append(a.names[h.Name], a.nameNow(h.Name, label))
		}
	}
	return a
}

// nameNow is what a label is called now. One that was split or dropped is right
// for no row any more; it keeps a name that no label can have.
func (a *modelAnswers) nameNow(head, label string) string {
	if now := a.rename.of(head, label); now != "" {
		return now
	}
	return "\x00" + label
}

func (a *modelAnswers) labels(head string) []string { return a.names[head] }

func (a *modelAnswers) answer(ex *dataset.Example, head string) (string, []float64) {
	h := a.model.Head(head)
	if h < 0 {
		return "", nil
	}
	p := &a.c.Classify(ex.Text, ex.Target).Predictions[h]
	return a.names[head][p.Best], slices.Clone(p.Probabilities)
}

// A majority says the most frequent label of the training rows, with the labels'
// shares: what needs no text at all.
type majority struct {
	names  map[string][]string
	shares map[string][]float64
}

func newMajority(examples []dataset.Example, heads []string) *majority {
	m := &majority{map[string][]string{}, map[string][]float64{}}
	for h, head := range heads {
		labels := dataset.LabelsOf(examples, h)
		n, total := make([]float64, len(labels)), float64(len(labels))
		for _, ex := range examples {
			if at, labelled := slices.BinarySearch(labels, ex.Labels[h]); labelled {
				n[at]++
				total++
			}
		}
		for l := range n { // one of each is added: Laplace's rule of succession
			n[l] = (n[l] + 1) / total
		}
		m.names[head], m.shares[head] = labels, n
	}
	return m
}

func (m *majority) labels(head string) []string { return m.names[head] }

func (m *majority) answer(_ *dataset.Example, head string) (string, []float64) {
	shares := m.shares[head]
	if len(shares) == 0 {
		return "", nil
	}
	best := slices.Index(shares, slices.Max(shares))
	return m.names[head][best], slices.Clone(shares)
}
