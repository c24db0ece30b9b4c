package retrain

import (
	"context"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// judge compares candidate and champion on the hold-out, and asks the gate.
func (r *run) judge(ctx context.Context) error {
	rival, use, err := r.rival(ctx)
	if err != nil {
		return err
	}
	challenger := newModelAnswers(r.candidate.model, nil)
	for h, name := range r.split.Heads {
		by := rival
		if by.labels(name) == nil {
			by = newMajority(r.candidate.examples, r.split.Heads)
			if r.champion != nil {
				r.warn("%s: the champion has no such head: the candidate is compared with always saying the most frequent label", name)
			}
		}
		c, err := r.split.compare(h, by, challenger, use)
		if err != nil {
			return fmt.Errorf("head %q: %w", name, err)
		}
		r.report.Heads = append(r.report.Heads, c)
	}
	r.report.Occasion = r.occasion()
	r.report.Verdict, r.report.Reasons = judge.Gate(r.report.Heads, r.report.Occasion)
	r.refuseLostHeads()
	if r.champion != nil {
		r.report.FixRates = r.split.fixRates(r.champion.answers(r), challenger)
	} else {
		r.report.Reasons = append(r.report.Reasons, "there is no champion: the candidate is compared with always saying the most frequent label")
	}
	return ctx.Err()
}

// refuseLostHeads keeps a champion that answers what the candidate cannot.
func (r *run) refuseLostHeads() {
	if r.champion == nil {
		return
	}
	for _, h := range r.champion.model.Heads() {
		if !slices.Contains(r.split.Heads, h.Name) {
			r.report.Verdict = judge.Keep
			r.report.Reasons = append(r.report.Reasons, fmt.Sprintf("%s: neither base files nor ledger have labels for this head of the champion", h.Name))
		}
	}
}

// occasion is why this run trains: what was asked for, or what has happened
// since the champion: texts that it was trained on were forgotten, labels are
// there that it does not know, labels were corrected, or there is only more data.
func (r *run) occasion() judge.Occasion {
	switch {
	case r.Occasion != "":
		return r.Occasion
	case r.champion == nil:
		return judge.NewData
	case len(r.forgotten()) > 0:
		return judge.Forgetting
	case r.remapped() || r.anyNew(func(_ *Given, head, label string) bool { return !r.champion.knows(head, label) }):
		return judge.NewLabel
	case r.anyNew(func(g *Given, _, _ string) bool { return g.correction() }):
		return judge.Correction
	}
	return judge.NewData
}

// remapped reports whether labels were renamed since the champion.
func (r *run) remapped() bool {
	return len(newRenaming(r.resolution.Remaps, r.champion.position).remaps) > 0
}

// anyNew reports whether is holds for a label given since the champion.
func (r *run) anyNew(is func(g *Given, head, label string) bool) bool {
	for i := range r.split.List {
		row := &r.split.List[i]
		for h, head := range r.split.Heads {
			if g := &row.Given[h]; g.newest() > r.champion.position && is(g, head, row.Labels[h]) {
				return true
			}
		}
	}
	return false
}
