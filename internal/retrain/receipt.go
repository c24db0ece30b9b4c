package retrain

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/parley-nlp/parley/internal/store"
)

// A Receipt says what became of revisions that were trained on texts that are
// forgotten.
type Receipt struct {
	// Texts are the forgotten texts that the champion was trained on, or may have
	// been.
	Texts int `json:"texts"`
	// Since is when the first of them was forgotten.
	Since  time.Time `json:"since,omitzero"`
	Before *Revision `json:"before,omitempty"`
	After  *Revision `json:"after,omitempty"`
	// Withdrawn can be promoted no more, and gc removes them.
	Withdrawn []string `json:"withdrawn"`
	// InUse hold forgotten texts too, but an alias points to them: they go on
	// answering until it moves.
	InUse []InUse `json:"in_use,omitempty"`
	// Unknown have no record of a training on this ledger, and were published
	// before the last text was forgotten.
	Unknown []string `json:"unknown,omitempty"`
	Proof   string   `json:"proof"` // the command
}

// An InUse is a revision that holds forgotten texts while aliases point to it.
type InUse struct {
	Revision string   `json:"revision"`
	Aliases  []string `json:"aliases"`
}

// withdrawReason is what the store says of a withdrawn revision.
const withdrawReason = "it was trained on texts that are forgotten"

// withdraw makes every revision that was trained on a forgotten text one that
// can be promoted no more. One that an alias points to goes on answering until it
// moves: a server must not lose the model that answers.
func (r *run) withdraw(ctx context.Context) error {
	if len(r.tombstones.List()) == 0 {
		return nil
	}
	receipt, err := r.taint(ctx)
	if err != nil {
		return err
	}
	receipt.Proof, receipt.Before = r.Proof, r.report.Champion
	if r.report.Outcome == Promoted {
		receipt.After = r.report.Candidate
	}
	for _, t := range r.forgotten() {
		if receipt.Texts++; receipt.Since.IsZero() || t.Time.Before(receipt.Since) {
			receipt.Since = t.Time
		}
	}
	if len(receipt.Withdrawn) > 0 {
		if _, err := r.store.Withdraw(ctx, r.Model, receipt.Withdrawn, withdrawReason); err != nil {
			return err
		}
	}
	if receipt.Texts > 0 || len(receipt.Withdrawn)+len(receipt.InUse)+len(receipt.Unknown) > 0 {
		r.report.Receipt = receipt
	}
	return nil
}

// taint sorts the revisions that hold forgotten texts.
func (r *run) taint(ctx context.Context) (*Receipt, error) {
	state, err := r.store.State(ctx, r.Model)
	if err != nil {
		return nil, err
	}
	var digests [][16]byte
	for _, t := range r.tombstones.List() {
		digests = append(digests, t.Digest)
	}
	hits, unknown, err := r.store.TrainedOn(ctx, r.Model, r.ledger.ID(), digests)
	if err != nil {
		return nil, err
	}
	receipt := &Receipt{Withdrawn: []string{}}
	for _, revision := range slices.Sorted(maps.Keys(hits)) {
		if names := aliasesOf(state, revision); len(names) > 0 {
			receipt.InUse = append(receipt.InUse, InUse{revision, names})
		}
		if state.Withdrawn(revision) == nil {
			receipt.Withdrawn = append(receipt.Withdrawn, revision)
		}
	}
	last := r.lastForgotten()
	for _, revision := range unknown {
		card, err := r.store.Card(ctx, r.Model, revision)
		if err != nil {
			return nil, err
		}
		if card.Published.Before(last) {
			receipt.Unknown = append(receipt.Unknown, revision)
		}
	}
	return receipt, nil
}

// lastForgotten is when the last text was forgotten: a revision published
// before may hold it.
func (r *run) lastForgotten() time.Time {
	var last time.Time
	for _, t := range r.tombstones.List() {
		if t.Time.After(last) {
			last = t.Time
		}
	}
	return last
}

func aliasesOf(state store.State, revision string) []string {
	var names []string
	for _, a := range state.Sorted() {
		if a.Revision == revision {
			names = append(names, a.Name)
		}
	}
	return names
}
