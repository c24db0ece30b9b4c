package retrain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/store"
)

// gateName is what the verdicts of Run are called in a card.
const gateName = "retrain"

// publish makes the candidate a revision of the store, with what it was trained
// on and the verdict, whatever that is: what was held back can be looked at.
func (r *run) publish(ctx context.Context) error {
	if err := r.checkForgotten(ctx); err != nil {
		return err
	}
	recipe, err := json.Marshal(r.candidate.report.Recipe)
	if err != nil {
		return err
	}
	config, err := json.Marshal(configuration{Recipe: recipe, SourceCap: r.SourceCap})
	if err != nil {
		return err
	}
	revision := r.report.Candidate.Revision
	about := store.Provenance{TrainerVersion: r.Program, Configuration: config, Note: r.Note}
	if r.champion != nil {
		about.Parent = r.champion.revision
	}
	if _, err := r.store.PublishTrained(ctx, r.Model, r.candidate.model, about, r.training(config)); err != nil {
		return err
	}
	r.report.Forced = r.forced()
	return r.addVerdict(ctx, revision)
}

// training is what the candidate was trained on.
func (r *run) training(config json.RawMessage) store.Training {
	t := store.Training{
		LedgerID: r.ledger.ID(), Position: r.position, Base: r.BaseFiles, Heads: r.split.Heads, Configuration: config,
	}
	t.Holdout.Epoch, t.Holdout.Share = r.split.Epoch, r.split.Share
	for _, ex := range r.candidate.examples {
		t.Digests = append(t.Digests, r.tombstones.Digest(ex.Text))
	}
	return t
}

// addVerdict adds the verdict to the card, unless an earlier run that came to
// the same one did.
func (r *run) addVerdict(ctx context.Context, revision string) error {
	details, err := json.Marshal(r.report.verdictDetails())
	if err != nil {
		return err
	}
	earlier, err := r.store.Verdicts(ctx, r.Model, revision)
	if err != nil {
		return err
	}
	v := store.Verdict{Gate: gateName, Passed: r.report.Verdict == judge.Promote, Details: details}
	if slices.ContainsFunc(earlier, func(o store.Verdict) bool {
		return o.Gate == v.Gate && o.Passed == v.Passed && bytes.Equal(compacted(o.Details), details)
	}) {
		return nil
	}
	return r.store.AddVerdict(ctx, r.Model, revision, v)
}

// compacted is JSON without spaces, as json.Marshal writes it.
func compacted(data json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return nil
	}
	return b.Bytes()
}

// checkForgotten refuses a candidate with a text that was forgotten while it was
// trained.
func (r *run) checkForgotten(ctx context.Context) error {
	tombstones, err := r.ledger.Tombstones(ctx)
	if err != nil {
		return err
	}
	for _, ex := range r.candidate.examples {
		if tombstones.Has(ex.Text) {
			return errors.New("a text that the candidate was trained on was forgotten meanwhile: run again")
		}
	}
	return nil
}

// promote moves the alias to the candidate, if the gate or force says so and the
// champion is still the one that it was compared with.
func (r *run) promote(ctx context.Context) error {
	if r.report.Verdict != judge.Promote && !r.Force {
		r.report.Outcome = HeldBack
		return nil
	}
	if err := r.checkForgotten(ctx); err != nil {
		return err
	}
	revision := r.report.Candidate.Revision
	state, err := r.store.SetAlias(ctx, r.Model, store.Live, revision, r.state.Etag, r.moveReason())
	if errors.Is(err, store.ErrEtagMismatch) {
		return r.moved(ctx, err)
	}
	if err != nil {
		return err
	}
	r.report.Outcome, r.report.Forced, r.report.Etag = Promoted, r.forced(), state.Etag
	return nil
}

// moved says what it means that an alias has moved since the run began: another
// run promoted the same candidate, or one of newer labels, or the champion is
// one that this candidate must be compared with yet.
func (r *run) moved(ctx context.Context, mismatch error) error {
	state, err := r.store.State(ctx, r.Model)
	if err != nil {
		return err
	}
	live := state.Aliases[store.Live].Revision
	if live == r.report.Candidate.Revision {
		r.report.Outcome, r.report.Etag, r.report.ByAnother = Promoted, state.Etag, true
		return nil
	}
	if t, err := r.store.Training(ctx, r.Model, live); err == nil && t.LedgerID == r.ledger.ID() && t.Position > r.position {
		r.report.Outcome = Overtaken
		r.report.Reasons = append(r.report.Reasons, fmt.Sprintf("another run promoted %.12s meanwhile, which knows newer labels (up to event %d, this one up to %d)", live, t.Position, r.position))
		return nil
	}
	return mismatch
}

// moveReason is what the history of the alias says.
func (r *run) moveReason() string {
	reason := fmt.Sprintf("retrain: %s, ledger event %d", r.report.Occasion, r.report.Event)
	if r.forced() {
		reason += ", forced against the verdict: " + string(r.report.Verdict)
	}
	if r.Note != "" {
		reason += ": " + r.Note
	}
	return strings.ToValidUTF8(reason, "")
}

// forgotten are the texts forgotten since the champion that it was trained on.
// Of one without a training record all may be.
func (r *run) forgotten() []ledger.Tombstone {
	var list []ledger.Tombstone
	for _, t := range r.tombstones.List() {
		if r.champion != nil && t.Seq > r.champion.position && (r.champion.training == nil || r.champion.trainedOn(t.Digest)) {
			list = append(list, t)
		}
	}
	return list
}
