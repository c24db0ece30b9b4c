package retrain

import (
	"context"
	"errors"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/train"
)

// fewSeen is the share of the held-out sources that the champion may have been
// trained on and that are then left out of the verdict. Beyond it a stand-in
// takes the champion's place.
const fewSeen = 0.1

// rival is what the candidate is compared with, and on which of the held-out
// rows: on none that it was trained on, nor anything like it.
func (r *run) rival(ctx context.Context) (answers, func(i int) bool, error) {
	all := func(int) bool { return true }
	if r.champion == nil {
		return newMajority(r.candidate.examples, r.split.Heads), all, nil
	}
	seen := r.seenByChampion()
	switch {
	case r.champion.training == nil:
		r.warn("nothing says what the champion was trained on: it may have seen the hold-out")
	case len(seen) == 0:
		return r.champion.answers(r), all, nil
	case float64(len(seen)) <= fewSeen*float64(r.split.heldSources()):
		r.warn("%d held-out sources are left out of the verdict: the champion was trained on them or on their like", len(seen))
		return r.champion.answers(r), func(i int) bool { return !seen[r.split.component[i]] }, nil
	}
	return r.standIn(ctx)
}

// seenByChampion are the held-out components with a text that the champion was
// trained on, as its training record says.
func (r *run) seenByChampion() map[int]bool {
	seen := map[int]bool{}
	if r.champion.training == nil || r.tombstones == nil {
		return seen
	}
	for i, row := range r.split.List {
		if r.split.held[i] && r.champion.trainedOn(r.tombstones.Digest(row.Text)) {
			seen[r.split.component[i]] = true
		}
	}
	return seen
}

// standIn trains the champion's recipe on the champion's data without what is
// held out now: what the champion would be, had it not seen the hold-out.
func (r *run) standIn(ctx context.Context) (answers, func(i int) bool, error) {
	all := func(int) bool { return true }
	examples, heads, err := r.championsRows(ctx)
	if err == nil {
		examples = r.unlikeHeld(examples, heads)
	}
	if err != nil && !errors.Is(err, errNoRows) {
		return nil, nil, err
	}
	if len(examples) == 0 {
		r.warn("what the champion was trained on is not at hand: it is compared as it is, though it may know the hold-out; that is to its advantage")
		return r.champion.answers(r), all, nil
	}
	cfg := r.candidate.report.Recipe.Config()
	if r.champion.recipe != nil {
		cfg = r.champion.recipe.Config()
	} else {
		r.warn("the champion's recipe is not known: its stand-in is made by the candidate's")
	}
	m, _, err := train.Train(ctx, examples, heads, cfg)
	if err != nil {
		return nil, nil, err
	}
	r.report.StandIn = &StandIn{Revision: m.Revision(), Rows: len(examples)}
	return newModelAnswers(m, r.champion.renaming(r)), all, nil
}

// championsRows are the rows that the champion was trained on, as far as base
// files and ledger still have them, called as they were.
func (r *run) championsRows(ctx context.Context) ([]dataset.Example, []string, error) {
	in := r.input()
	in.Heads, in.Resolution = nil, &ledger.Resolution{}
	for _, h := range r.champion.model.Heads() {
		in.Heads = append(in.Heads, h.Name)
	}
	if at := r.champion.position; at > 0 {
		var err error
		if in.Resolution, err = r.ledger.Resolve(ctx, at); err != nil {
			return nil, nil, err
		}
	}
	rows, err := Gather(in)
	if err != nil {
		return nil, nil, err
	}
	return rows.examples(), rows.Heads, nil
}

// unlikeHeld leaves out examples whose source, or whose like, is held out now.
func (r *run) unlikeHeld(examples []dataset.Example, heads []string) []dataset.Example {
	var now []dataset.Example
	for _, ex := range r.split.examples() {
		ex.Labels = make([]string, len(heads))
		now = append(now, ex)
	}
	component := train.Components(slices.Concat(now, examples))
	held := map[int]bool{}
	for i := range now {
		if r.split.held[i] {
			held[component[i]] = true
		}
	}
	var list []dataset.Example
	for k, ex := range examples {
		if !held[component[len(now)+k]] {
			list = append(list, ex)
		}
	}
	return list
}
