package suggest

import (
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// asker says what the model thinks of texts. It is scratch memory.
type asker struct {
	m     *model.Model
	heads []int // positions in the model
	c     *model.Classifier
}

// newAsker returns an asker for the heads of those names. Without a model it is
// nil.
func newAsker(m *model.Model, names []string) (*asker, error) {
	if m == nil {
		return nil, nil
	}
	a := &asker{m: m, c: m.NewClassifier()}
	for _, name := range names {
		h := m.Head(name)
		if h < 0 {
			return nil, fmt.Errorf("the model has no head %q: it has %q", name, headNames(m))
		}
		a.heads = append(a.heads, h)
	}
	return a, nil
}

func headNames(m *model.Model) []string {
	var names []string
	for i := range m.Heads() {
		names = append(names, m.Heads()[i].Name)
	}
	return names
}

// answers returns what the model says of a text, best labels first.
func (a *asker) answers(text, target string) []Answer {
	r := a.c.Classify(text, target)
	answers := make([]Answer, len(a.heads))
	for k, i := range a.heads {
		h, p := &a.m.Heads()[i], &r.Predictions[i]
		answers[k] = Answer{Head: h.Name, Scores: make([]Score, len(h.Labels))}
		for j, l := range p.Ranked(-1) {
			answers[k].Scores[j] = Score{h.Labels[l], p.Probabilities[l]}
		}
	}
	return answers
}

// answersTo are those for the heads of those names, in their order; nil when one
// is missing.
func answersTo(list []Answer, heads []string) []Answer {
	var answers []Answer
	for _, name := range heads {
		i := slices.IndexFunc(list, func(a Answer) bool { return a.Head == name && len(a.Scores) > 0 })
		if i < 0 {
			return nil
		}
		answers = append(answers, list[i])
	}
	return answers
}

// uncertainty is 1 less the margin between the best two labels, the mean over the
// heads. Scheffer et al., "Active Hidden Markov Models for Information Extraction"
// (2001).
func uncertainty(answers []Answer) float64 {
	sum := 0.0
	for _, a := range answers {
		sum += 1 - margin(a.Scores)
	}
	return sum / float64(max(1, len(answers)))
}

// margin is that of the two most probable labels. Where a head has decision
// weights they need not be the first.
func margin(scores []Score) float64 {
	first, second := 0.0, 0.0
	for _, s := range scores {
		if s.Probability > first {
			first, second = s.Probability, first
		} else if s.Probability > second {
			second = s.Probability
		}
	}
	return first - second
}
