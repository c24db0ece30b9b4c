package score

import (
	"slices"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/prevalence"
)

// Answered is what a row counts as in label shares of the heads, whose predictions
// it has in their order, by the columns.
func Answered(r *Row, heads []prevalence.Head, by []prevalence.By) prevalence.Row {
	row := prevalence.Row{ID: r.ID, Failed: r.Err != nil}
	for _, b := range by {
		row.By = append(row.By, r.Column(b.Column))
	}
	if row.Failed {
		return row
	}
	for h := range heads {
		row.Heads = append(row.Heads, answerOf(&heads[h], &r.Predictions[h]))
	}
	return row
}

// answerOf is what a prediction says, with the probabilities of all labels if it
// has them.
func answerOf(h *prevalence.Head, p *Prediction) prevalence.Answer {
	a := prevalence.Answer{Label: p.Scores[0].Label, Probability: p.Scores[0].Probability}
	switch p.Decision {
	case model.NoEvidence.String():
		a.Decision = prevalence.NoEvidence
	case model.OutOfDomain.String():
		a.Decision = prevalence.OutOfDomain
	case model.LowConfidence.String(), model.Ambiguous.String():
		a.Decision = prevalence.Withheld
	}
	if len(p.Scores) < len(h.Labels) {
		return a
	}
	a.Scores = make([]float64, len(h.Labels))
	for _, s := range p.Scores {
		if at, found := slices.BinarySearch(h.Labels, s.Label); found {
			a.Scores[at] = s.Probability
		}
	}
	return a
}
