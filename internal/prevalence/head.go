package prevalence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/model"
)

// Errors are the out-of-fold outcomes of a head, and why there are none.
type Errors struct {
	model.Outcomes
	Missing string // reason; "" where there are outcomes
}

// OfModel returns the heads of a model, with what is known of their errors.
func OfModel(m *model.Model) []Head {
	var heads []Head
	for _, h := range m.Heads() {
		head := Head{Name: h.Name, Labels: h.Labels, Names: h.Names, Prior: h.Prior, Errors: Errors{Outcomes: h.Evaluation.Outcomes}}
		if len(h.Evaluation.Outcomes.Counts) == 0 {
			head.Errors.Missing = "the model file does not tell its errors (it was imported, could not be cross-validated, or was brought to other shares by --prior)"
		}
		heads = append(heads, head)
	}
	return heads
}

// why says why answers are taken for right, "" when they need not be.
func (e *Errors) why() string {
	if len(e.Counts) == 0 {
		return cmp.Or(e.Missing, "its errors are not known")
	}
	return e.Missing
}

const (
	// maxAdjusted is how many labels a head may have for its shares to be adjusted:
	// work grows with the square of their number.
	maxAdjusted = 200
	// maxCrossed is how many pairs of labels two heads may have to be crossed.
	maxCrossed = 256
)

// A measure is a head, or two that are crossed, whose shares are estimated.
type measure struct {
	heads    []int // of the Summariser's, one or two
	name     string
	labels   [][]string // per label of the measure: a label of each head
	response *response  // nil: answers are taken for right
	levels   int        // cells an answer has
	why      string     // answers are taken for right
	few      []string   // labels with too few out-of-fold texts
}

// newMeasure makes the measure of one head.
func newMeasure(i int, h Head) *measure {
	m := &measure{heads: []int{i}, name: h.Name, levels: 1, why: h.Errors.why()}
	for _, l := range h.Labels {
		m.labels = append(m.labels, []string{l})
	}
	switch {
	case m.why != "":
	case len(h.Labels) > maxAdjusted:
		m.why = fmt.Sprintf("%d labels are more than shares are adjusted for (%d)", len(h.Labels), maxAdjusted)
	default:
		m.levels = len(h.Errors.Levels) + 1
		m.trust(newResponse(len(h.Labels), &h.Errors.Outcomes, false))
	}
	return m
}

// crossed makes the measure of two heads; ok is false when they have too many
// labels.
func crossed(i, j int, a, b Head) (m *measure, ok bool) {
	if len(a.Labels)*len(b.Labels) > maxCrossed {
		return nil, false
	}
	m = &measure{heads: []int{i, j}, name: a.Name + " x " + b.Name, levels: 1, why: cmp.Or(a.Errors.why(), b.Errors.why())}
	for _, x := range a.Labels {
		for _, y := range b.Labels {
			m.labels = append(m.labels, []string{x, y})
		}
	}
	if m.why == "" {
		m.trust(cross(newResponse(len(a.Labels), &a.Errors.Outcomes, true), newResponse(len(b.Labels), &b.Errors.Outcomes, true)))
	}
	return m, true
}

// trust takes the response, unless it cannot tell the labels apart.
func (m *measure) trust(r *response) {
	if a, b, alike := r.alike(); alike {
		m.levels = 1
		m.why = fmt.Sprintf("texts of %s and %s get the same answers: their shares cannot be told apart", m.label(a), m.label(b))
		return
	}
	m.response = r
	for l, n := range r.texts {
		if n < fewTexts {
			m.few = append(m.few, m.label(l))
		}
	}
}

func (m *measure) label(l int) string {
	var parts []string
	for _, x := range m.labels[l] {
		parts = append(parts, fmt.Sprintf("%q", x))
	}
	return strings.Join(parts, " with ")
}

// cell is where a row counts, or -1 when it was not judged.
func (m *measure) cell(heads []Head, at []place) int {
	if len(m.heads) == 1 {
		p := at[m.heads[0]]
		if p.label < 0 {
			return -1
		}
		return p.label*m.levels + min(p.level, m.levels-1)
	}
	a, b := at[m.heads[0]].label, at[m.heads[1]].label
	if a < 0 || b < 0 {
		return -1
	}
	return a*len(heads[m.heads[1]].Labels) + b
}

// truth is the label of the measure that true labels of the heads make, -1 for
// one that is not known, and ok is false when a head has none.
func (m *measure) truth(heads []Head, labels []string) (l int, ok bool) {
	for _, h := range m.heads {
		if labels[h] == "" {
			return 0, false
		}
		at, found := slices.BinarySearch(heads[h].Labels, labels[h])
		if !found {
			return -1, true
		}
		l = l*len(heads[h].Labels) + at
	}
	return l, true
}

// A place is an answer: its label, -1 when the row was not judged, and level.
type place struct{ label, level int }
