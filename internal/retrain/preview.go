package retrain

import (
	"context"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/store"
)

// A Preview is what a dry run shows beside the verdict.
type Preview struct {
	Flips []Flip      `json:"flips"` // of the held-out texts, then of the probes
	Of    int         `json:"texts"` // that were asked
	Diff  *store.Diff `json:"diff,omitempty"`
}

// A Flip is a text that the candidate answers otherwise than the champion.
type Flip struct {
	Text        string  `json:"text_id"` // its id, or where it is; never the text
	Probe       bool    `json:"probe,omitempty"`
	Head        string  `json:"head"`
	From        string  `json:"from"`
	To          string  `json:"to"`
	Probability float64 `json:"probability"` // of To
	Truth       string  `json:"truth,omitempty"`
}

// preview ends a dry run: it shows what would change.
func (r *run) preview(context.Context) error {
	if !r.DryRun {
		return nil
	}
	r.report.Outcome = HeldBack
	if r.report.Verdict == judge.Promote || r.Force {
		r.report.Outcome, r.report.Forced = Promoted, r.forced()
	}
	if r.champion == nil {
		return nil
	}
	p := &Preview{}
	champion, candidate := r.champion.answers(r), newModelAnswers(r.candidate.model, nil)
	for i := range r.split.List {
		if r.split.held[i] {
			row := &r.split.List[i]
			p.flips(&row.Example, row.Labels, r.split.Heads, champion, candidate, false)
		}
	}
	for i := range r.Probe {
		p.flips(&r.Probe[i], nil, r.split.Heads, champion, candidate, true)
	}
	d := store.Compare(r.champion.model, r.candidate.model, r.Top)
	p.Diff = &d
	r.report.Preview = p
	return nil
}

// flips adds those of a text.
func (p *Preview) flips(ex *dataset.Example, truth, heads []string, champion, candidate answers, probe bool) {
	p.Of++
	for h, head := range heads {
		from, _ := champion.answer(ex, head)
		to, probabilities := candidate.answer(ex, head)
		if from == to {
			continue
		}
		f := Flip{Text: ex.ID, Probe: probe, Head: head, From: from, To: to}
		if f.Text == "" {
			f.Text = fmt.Sprintf("%s:%d", ex.File, ex.Line)
		}
		if at := slices.Index(candidate.labels(head), to); at >= 0 {
			f.Probability = probabilities[at]
		}
		if truth != nil {
			f.Truth = truth[h]
		}
		p.Flips = append(p.Flips, f)
	}
}
