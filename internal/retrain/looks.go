package retrain

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/ledger"
)

// lookKind is the kind of the events that count the looks.
const lookKind = "retrain"

// maxLooks is after how many looks at a hold-out another is drawn: who looks
// often enough at the same rows finds something that is good on them alone.
const maxLooks = 20

// A look is what the ledger keeps of a run that came to a verdict.
type look struct {
	Model        string         `json:"model"`
	Store        string         `json:"store"`
	Candidate    string         `json:"candidate"`
	Champion     string         `json:"champion,omitempty"`
	TrainingData string         `json:"training_data"`
	Position     int64          `json:"position"`
	Epoch        int            `json:"holdout_epoch"`
	Share        float64        `json:"holdout_share"`
	Occasion     judge.Occasion `json:"reason"`
	Verdict      judge.Verdict  `json:"verdict"`
	Reasons      []string       `json:"reasons"`
	Forced       bool           `json:"forced,omitempty"`

	seq int64
}

// looks are those at a model's hold-outs, oldest first.
type looks []look

// readLooks reads the looks at a model's hold-outs.
func readLooks(ctx context.Context, l *ledger.Ledger, model string) (looks, error) {
	var list looks
	for after := int64(0); ; {
		events, err := l.Events(ctx, ledger.Query{After: after, Kind: lookKind, Limit: 1000})
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			after = e.Seq
			k := look{seq: e.Seq}
			if err := json.Unmarshal(e.Details, &k); err != nil {
				return nil, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			if k.Model == model {
				list = append(list, k)
			}
		}
		if len(events) == 0 {
			return list, nil
		}
	}
}

// epoch is that of the hold-out to look at next.
func (l looks) epoch() int {
	if len(l) == 0 {
		return 0
	}
	epoch := l[len(l)-1].Epoch
	if l.at(epoch) >= maxLooks {
		epoch++
	}
	return epoch
}

// at is how many looks there were at the hold-out of an epoch.
func (l looks) at(epoch int) int {
	n := 0
	for _, k := range l {
		if k.Epoch == epoch {
			n++
		}
	}
	return n
}

// same is an earlier look that compared the same two models on the same terms,
// or nil: to look again would show nothing new.
func (l looks) same(k *look) *look {
	for i := range l {
		o := &l[i]
		if o.Candidate == k.Candidate && o.Champion == k.Champion && o.Epoch == k.Epoch && o.Share == k.Share && o.Occasion == k.Occasion && o.Verdict == k.Verdict {
			return o
		}
	}
	return nil
}

// record counts the look in the ledger. A run that comes to the same candidate,
// champion and verdict as an earlier one has seen nothing new, and is not counted
// again: a job that runs every night does not wear out the hold-out.
func (r *run) record(ctx context.Context) error {
	k := &look{
		Model: r.Model, Store: r.store.String(), Candidate: r.report.Candidate.Revision, TrainingData: r.report.Candidate.TrainingData,
		Position: r.position, Epoch: r.split.Epoch, Share: r.split.Share,
		Occasion: r.report.Occasion, Verdict: r.report.Verdict, Reasons: r.report.Reasons, Forced: r.forced(),
	}
	if r.champion != nil {
		k.Champion = r.champion.revision
	}
	if earlier := r.looks.same(k); earlier != nil && earlier.Forced == k.Forced {
		r.report.Event = earlier.seq
		return nil
	}
	details, err := json.Marshal(k)
	if err != nil {
		return err
	}
	r.report.Event, err = r.ledger.Record(ctx, lookKind, details)
	r.report.Holdout.Look++
	return err
}

// forced reports whether the candidate is promoted against the gate.
func (r *run) forced() bool { return r.Force && r.report.Verdict != judge.Promote }
