package retrain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// Run makes a candidate of what base files and ledger say now, and promotes it
// if it deserves that. Whatever ends it before, the alias is where it was: to
// call it again goes on where it ended. Two at once with the same data make the
// same candidate, and one of them promotes it; of two with other data the one
// that finds another champion than it was compared with compares once more.
func Run(ctx context.Context, l *ledger.Ledger, s *store.Store, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	report, err := attempt(ctx, l, s, o)
	if errors.Is(err, store.ErrEtagMismatch) {
		if report, err = attempt(ctx, l, s, o); errors.Is(err, store.ErrEtagMismatch) {
			err = fmt.Errorf("the champion changed twice while candidates were compared with it: run again when it rests: %w", err)
		}
	}
	return report, err
}

// A run is the state of an attempt.
type run struct {
	Options
	ledger *ledger.Ledger
	store  *store.Store
	report *Report

	state      store.State // of the aliases, when the run began
	champion   *champion   // nil: there is none
	position   int64
	resolution *ledger.Resolution
	tombstones *ledger.Tombstones
	looks      looks
	withheld   map[int64]bool // events that a dry run would quarantine

	split     *Split
	candidate *candidate
}

// attempt is one pass from what is live now to a promotion, or to the reason why
// there is none.
func attempt(ctx context.Context, l *ledger.Ledger, s *store.Store, o Options) (*Report, error) {
	r := &run{Options: o, ledger: l, store: s, report: &Report{Model: o.Model, DryRun: o.DryRun, Ledger: l.ID(), Reasons: []string{}}, withheld: map[int64]bool{}}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"champion", r.readChampion}, // what is live, its record and recipe, the etag
		{"ledger", r.readLedger},     // what is said now, what is forgotten, earlier looks
		{"rows", r.gather},           // base and ledger, parted into training and hold-out
		{"training", r.train},        // the candidate, if the data are not the champion's
		{"guards", r.guard},          // doubtful labels wait; then rows and candidate are made anew
		{"comparison", r.judge},      // on the hold-out, and the gate's verdict
		{"dry run", r.preview},       // ends a dry run
		{"record", r.record},         // the look is counted
		{"publication", r.publish},   // candidate, training record, verdict
		{"promotion", r.promote},     // the alias moves if it is where it was
	} {
		if err := r.do(ctx, step.name, step.do); err != nil {
			return nil, err
		}
		if r.report.Outcome != "" {
			break
		}
	}
	if o.DryRun {
		return r.report, nil
	}
	// Whatever came of the candidate, revisions that hold forgotten texts go.
	if err := r.do(ctx, "forgotten texts", r.withdraw); err != nil {
		return nil, err
	}
	return r.report, nil
}

func (r *run) do(ctx context.Context, name string, step func(context.Context) error) error {
	err := step(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%s: %w", name, err)
}

// readLedger reads the ledger as it is now.
func (r *run) readLedger(ctx context.Context) error {
	var err error
	if r.position, err = r.ledger.Position(ctx); err != nil {
		return err
	}
	if r.resolution, err = r.resolve(ctx, r.position); err != nil {
		return err
	}
	if r.tombstones, err = r.ledger.Tombstones(ctx); err != nil {
		return err
	}
	if r.looks, err = readLooks(ctx, r.ledger, r.Model); err != nil {
		return err
	}
	if r.champion != nil && r.champion.position > r.position {
		return fmt.Errorf("the champion was trained up to event %d, and the ledger ends at %d: is it a copy of an earlier time?", r.champion.position, r.position)
	}
	return nil
}

// resolve is what the ledger said at a position; at 0 nothing.
func (r *run) resolve(ctx context.Context, at int64) (*ledger.Resolution, error) {
	if at == 0 {
		return &ledger.Resolution{}, nil
	}
	return r.ledger.Resolve(ctx, at)
}

// input is what rows are made of now.
func (r *run) input() Input {
	return Input{
		Base: r.Base, BaseHeads: r.BaseHeads, Heads: r.Heads, Resolution: r.resolution, Tombstones: r.tombstones, SourceCap: r.SourceCap,
	}
}

// gather makes the rows and parts them.
func (r *run) gather(context.Context) error {
	in := r.input()
	in.Resolution = r.without(in.Resolution)
	rows, err := Gather(in)
	if err != nil {
		return err
	}
	r.split = rows.Split(Holdout{r.looks.epoch(), r.Share})
	r.report.describe(r)
	return nil
}

// without is a resolution without what a dry run would quarantine.
func (r *run) without(from *ledger.Resolution) *ledger.Resolution {
	if len(r.withheld) == 0 {
		return from
	}
	to := *from
	to.Rows = nil
	for _, row := range from.Rows {
		labels := map[string]ledger.Settled{}
		for head, s := range row.Labels {
			if !slices.ContainsFunc(s.Seqs, func(seq int64) bool { return r.withheld[seq] }) {
				labels[head] = s
			}
		}
		row.Labels = labels
		to.Rows = append(to.Rows, row)
	}
	return &to
}

// config is how the candidate is made: as was asked for, or as the champion was.
func (r *run) config() train.Config {
	cfg := r.Config
	switch {
	case r.Search:
		r.report.Choice = "searched for"
	case r.Recipe != nil:
		cfg, r.report.Choice = r.Recipe.Config(), "of the recipe that was given"
	case r.champion != nil && r.champion.recipe != nil:
		cfg, r.report.Choice = r.champion.recipe.Config(), "of the champion's recipe"
	default:
		r.report.Choice = "searched for, as there is no recipe"
	}
	cfg.Progress = r.Progress
	return cfg
}

// train makes the candidate, unless it would be the champion again.
func (r *run) train(ctx context.Context) error {
	cfg := r.config()
	if !r.Search && r.Recipe == nil && r.knowsAll() {
		return r.nothing("the champion was trained on the same data")
	}
	var err error
	if r.candidate, err = trainOn(ctx, r.split, cfg); err != nil {
		return err
	}
	r.report.Candidate = &Revision{Revision: r.candidate.model.Revision(), TrainingData: r.candidate.model.TrainingData(), Position: r.position}
	r.report.warnAll(r.candidate.report.Warnings)
	if r.champion != nil && r.candidate.model.Revision() == r.champion.revision {
		return r.nothing("the candidate is the champion, byte for byte")
	}
	return nil
}

// knowsAll reports whether the champion was trained on just the data of now, less
// what was held out then.
func (r *run) knowsAll() bool {
	c := r.champion
	if c == nil || c.recipe == nil {
		return false
	}
	split := r.split
	if c.training != nil && c.holdout() != split.Holdout {
		split = r.split.Split(c.holdout())
	}
	return train.DataSum(split.Training(), split.Heads) == c.card.TrainingData
}

// nothing ends the run: there is nothing to judge.
func (r *run) nothing(reason string) error {
	r.report.Outcome, r.report.Reasons = NothingToDo, []string{reason}
	if len(r.report.Quarantined) > 0 {
		r.report.Outcome, r.report.Reasons = HeldBack, []string{"what is new waits in quarantine; without it " + reason}
	}
	return nil
}

// guardRounds is how often labels may be taken out before what is left is taken
// as it is: with less poison in it a candidate sees better what is wrong.
const guardRounds = 3

// guard quarantines labels that the candidate finds too surprising, and makes
// rows and candidate anew without them.
func (r *run) guard(ctx context.Context) error {
	since := int64(0)
	var champion answers
	if r.champion != nil {
		since, champion = r.champion.position, r.champion.answers(r)
	}
	for range guardRounds {
		held := r.split.quarantine(r.candidate.surprises(champion), since)
		if len(held) == 0 {
			break
		}
		r.report.Quarantined = append(r.report.Quarantined, held...)
		if err := r.withhold(ctx, held); err != nil {
			return err
		}
		if err := r.gather(ctx); err != nil {
			return err
		}
		if err := r.train(ctx); err != nil || r.report.Outcome != "" {
			return err
		}
	}
	r.report.warnAll(r.split.imbalances(since))
	return nil
}

// withhold quarantines labels in the ledger, and reads it again; a dry run only
// takes them out.
func (r *run) withhold(ctx context.Context, held []Held) error {
	var list []ledger.Quarantined
	for _, h := range held {
		list = append(list, h.Quarantined)
		if r.DryRun {
			r.withheld[h.Seq] = true
		}
	}
	if r.DryRun {
		return nil
	}
	if err := r.ledger.Quarantine(ctx, list); err != nil {
		return err
	}
	return r.readLedger(ctx)
}

func (r *run) warn(format string, args ...any) {
	r.report.warnAll([]string{fmt.Sprintf(format, args...)})
}
