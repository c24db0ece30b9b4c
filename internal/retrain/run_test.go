package retrain

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

func TestFirstRunAndAgain(t *testing.T) {
	b := newBench(t, examples(1, 0, 300, 0.4))
	first := b.run(Promoted)
	if b.live() != first.Candidate.Revision {
		t.Fatal("the candidate is not live")
	}
	looks := b.position()
	if again := b.run(NothingToDo); b.position() != looks || again.Verdict != "" {
		t.Errorf("the same data were looked at again: position %d -> %d", looks, b.position())
	}
	training, err := b.store.Training(t.Context(), "news", b.live())
	if err != nil {
		t.Fatal(err)
	}
	rows, heads, err := Rebuild(t.Context(), b.ledger, &dataset.Set{Examples: b.options.Base, Heads: heads}, training)
	if err != nil {
		t.Fatal(err)
	}
	if got := train.DataSum(rows, heads); got != first.Candidate.TrainingData {
		t.Errorf("rebuilt rows have the sum %s, the model was trained on %s", got, first.Candidate.TrainingData)
	}
}

// Corrections make a better model, and the report says how many are fixed.
func TestCorrectionsGoLive(t *testing.T) {
	all := examples(2, 0, 900, 0.4)
	b := newBench(t, all[:120])
	b.run(Promoted)
	corrections := b.wrong(all[120:])
	b.give(all[120:400], "audit", ledger.Random)
	b.give(corrections, "desk", ledger.Correction)
	r := b.run(Promoted)
	if r.Occasion != judge.Correction || len(r.FixRates) != 2 {
		t.Fatalf("occasion %q, fix rates %v", r.Occasion, r.FixRates)
	}
	for _, f := range r.FixRates {
		if f.All.Of < 50 || f.All.Right*2 < f.All.Of || f.Unseen.Of == 0 || f.Unseen.Of >= f.All.Of {
			t.Errorf("%s: fixed %v, of those not trained on %v", f.Head, f.All, f.Unseen)
		}
	}
	verdicts, err := b.store.Verdicts(t.Context(), "news", b.live())
	if err != nil || len(verdicts) != 1 || !verdicts[0].Passed {
		t.Errorf("verdicts %v, %v", verdicts, err)
	}
}

// Labels that make the model worse do not go live, though they are published with the
// reason.
func TestHarmIsHeldBack(t *testing.T) {
	all := examples(3, 0, 800, 0.4)
	b := newBench(t, all[:400])
	first := b.run(Promoted)
	for i, source := range []string{"a", "b", "c", "d"} { // all are alike: no source stands out
		b.give(flipped(all[400+i*100:500+i*100], 0.9, uint64(i)), source, ledger.Correction)
	}
	r := b.run(HeldBack)
	if b.live() != first.Candidate.Revision {
		t.Error("the champion is not live")
	}
	if r.Verdict == judge.Promote || len(r.Reasons) == 0 {
		t.Errorf("verdict %q, reasons %v", r.Verdict, r.Reasons)
	}
}

// What the gate holds back is published with the reason, and force promotes it.
func TestForce(t *testing.T) {
	all := examples(15, 0, 130, 0.3)
	b := newBench(t, all[:100])
	b.run(Promoted)
	b.give(all[100:], "desk", ledger.Other)
	r := b.run(HeldBack)
	verdicts, err := b.store.Verdicts(t.Context(), "news", r.Candidate.Revision)
	if err != nil || len(verdicts) != 1 || verdicts[0].Passed || !strings.Contains(string(verdicts[0].Details), string(r.Verdict)) {
		t.Errorf("verdicts %+v, %v", verdicts, err)
	}
	if _, err := b.store.Training(t.Context(), "news", r.Candidate.Revision); err != nil {
		t.Errorf("it has no record of its training: %v", err)
	}
	if forced := b.run(Promoted, func(o *Options) { o.Force = true }); !forced.Forced || b.live() != forced.Candidate.Revision {
		t.Error("force does not promote, or does not say so")
	}
}

// A source with many wrong labels waits as a whole; honest ones pass.
func TestPoisonedSourceWaits(t *testing.T) {
	caught := 0
	for seed := range uint64(5) {
		all := examples(10+seed, 0, 900, 0.5)
		b := newBench(t, all[:400])
		b.run(Promoted)
		b.give(all[400:600], "honest", ledger.Other)
		b.give(flipped(all[600:900], 0.3, seed), "mirror", ledger.Other)
		o := b.options
		r, err := Run(t.Context(), b.ledger, b.store, o)
		if err != nil {
			t.Fatal(err)
		}
		mirror, honest := 0, 0
		for _, q := range r.Quarantined {
			if strings.Contains(q.Reason, `"mirror"`) {
				mirror++
			} else if strings.Contains(q.Reason, `"honest"`) {
				honest++
			}
		}
		if honest > 0 {
			t.Errorf("seed %d: %d labels of the honest source wait", seed, honest)
		}
		if mirror > 500 {
			caught++
		}
	}
	if caught < 4 {
		t.Errorf("the poisoned source was caught %d times of 5", caught)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	all := examples(4, 0, 700, 0.4)
	b := newBench(t, all[:200])
	b.run(Promoted)
	b.give(all[200:600], "desk", ledger.Random)
	revisions := func() []string {
		ids, err := b.store.IDs(t.Context(), "news")
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	at, ids, live := b.position(), revisions(), b.live()
	dry := b.run(Promoted, func(o *Options) { o.DryRun, o.Probe = true, all[600:] })
	if b.position() != at || !reflect.DeepEqual(revisions(), ids) || b.live() != live {
		t.Error("a dry run changed something")
	}
	if dry.Preview == nil || len(dry.Preview.Flips) == 0 || dry.Preview.Diff == nil {
		t.Error("a dry run shows nothing")
	}
	if r := b.run(Promoted); r.Candidate.Revision != dry.Candidate.Revision {
		t.Error("the dry run was of another candidate")
	}
}

// Texts that are forgotten leave the training rows; the revisions that hold them can be
// promoted no more.
func TestForgetting(t *testing.T) {
	all := examples(5, 0, 500, 0.4)
	b := newBench(t, all[:300])
	b.give(all[300:400], "desk", ledger.Random)
	first := b.run(Promoted)
	training, err := b.store.Training(t.Context(), "news", first.Candidate.Revision)
	if err != nil {
		t.Fatal(err)
	}
	stones, err := b.ledger.Tombstones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := champion{training: &training}
	var refs []ledger.TextRef
	for _, ex := range []dataset.Example{all[0], all[301], all[5], all[310], all[20], all[330]} { // of base files and of the ledger
		if c.trainedOn(stones.Digest(ex.Text)) {
			refs = append(refs, ledger.TextRef{Text: ex.Text})
		}
	}
	if len(refs) < 2 {
		t.Fatal("none of the texts was trained on")
	}
	if _, err := b.ledger.Forget(t.Context(), "", refs, "asked to"); err != nil {
		t.Fatal(err)
	}
	r := b.run(Promoted)
	x := r.Receipt
	if r.Occasion != judge.Forgetting || x == nil || x.Texts != len(refs) || !reflect.DeepEqual(x.Withdrawn, []string{first.Candidate.Revision}) {
		t.Fatalf("occasion %q, receipt %+v", r.Occasion, x)
	}
	if x.Before.TrainingData == x.After.TrainingData || x.Proof != "the proof" {
		t.Errorf("receipt %+v", x)
	}
	_, err = b.store.SetAlias(t.Context(), "news", store.Live, first.Candidate.Revision, "", "")
	if !errors.Is(err, store.ErrWithdrawn) {
		t.Errorf("the revision before can be promoted: %v", err)
	}
	if _, err = b.store.Rollback(t.Context(), "news", store.Live, "", ""); err == nil {
		t.Error("it can be rolled back to")
	}
	after, err := b.store.Training(t.Context(), "news", b.live())
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		if (&champion{training: &after}).trainedOn(stones.Digest(ref.Text)) {
			t.Error("the new revision was trained on a forgotten text")
		}
	}
	// The same bytes as if the texts had never been there.
	fresh := newBench(t, nil)
	for _, ex := range all[:300] {
		if !gone(refs, ex) {
			fresh.options.Base = append(fresh.options.Base, ex)
		}
	}
	var kept []dataset.Example
	for _, ex := range all[300:400] {
		if !gone(refs, ex) {
			kept = append(kept, ex)
		}
	}
	fresh.give(kept, "desk", ledger.Random)
	if never := fresh.run(Promoted); never.Candidate.Revision != r.Candidate.Revision {
		t.Errorf("after forgetting %s, never having seen %s", r.Candidate.Revision, never.Candidate.Revision)
	}
}

func gone(refs []ledger.TextRef, ex dataset.Example) bool {
	for _, r := range refs {
		if r.Text == ex.Text {
			return true
		}
	}
	return false
}

// A champion that nothing is known of is compared by a stand-in that has not seen the
// hold-out.
func TestStandIn(t *testing.T) {
	all := examples(6, 0, 500, 0.4)
	b := newBench(t, all[:250])
	m, _, err := train.Train(t.Context(), all[:250], heads, b.options.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Publish(t.Context(), "news", m, store.Provenance{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.SetAlias(t.Context(), "news", store.Live, m.Revision(), "", ""); err != nil {
		t.Fatal(err)
	}
	b.give(all[250:], "desk", ledger.Random)
	o := b.options
	r, err := Run(t.Context(), b.ledger, b.store, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.StandIn == nil || r.StandIn.Rows == 0 || r.StandIn.Rows >= 250 {
		t.Errorf("stand-in %+v", r.StandIn)
	}
}

// The champion answers by the old name of a label that has another now.
func TestRenamedLabels(t *testing.T) {
	b := newBench(t, examples(7, 0, 400, 0.5))
	b.run(Promoted)
	if _, err := b.ledger.Remap(t.Context(), "", ledger.Remap{Head: "topic", From: "sport", To: []string{"games"}, Annotator: "ann"}); err != nil {
		t.Fatal(err)
	}
	r := b.run(Promoted)
	if r.Occasion != judge.NewLabel {
		t.Errorf("occasion %q", r.Occasion)
	}
	for _, h := range r.Heads {
		if h.MacroF1.Difference > 0.05 || h.MacroF1.Difference < -0.05 {
			t.Errorf("%s: macro-F1 %.3f -> %.3f by a renaming alone", h.Head, h.MacroF1.Champion, h.MacroF1.Challenger)
		}
	}
}

// Two runs at once with the same data promote the same revision, once.
func TestTwoAtOnce(t *testing.T) {
	all := examples(8, 0, 700, 0.4)
	b := newBench(t, all[:150])
	b.run(Promoted)
	b.give(all[150:700], "desk", ledger.Random)
	b.options.Force = true // what the gate says is no matter here
	var reports [2]*Report
	var errs [2]error
	var both sync.WaitGroup
	for i := range reports {
		l := b.open()
		both.Go(func() { reports[i], errs[i] = Run(context.Background(), l, b.store, b.options) })
	}
	both.Wait()
	for i := range reports {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if o := reports[i].Outcome; o != Promoted && o != NothingToDo {
			t.Errorf("outcome %q", o)
		}
	}
	moves, err := b.store.History(t.Context(), "news", store.Live, 100)
	if err != nil || len(moves) != 2 {
		t.Errorf("the alias moved %d times, want 2: %v", len(moves), err)
	}
}

// Another revision goes live while a run compares: the run compares with that one, or
// says that it was overtaken.
func TestChampionMovesMeanwhile(t *testing.T) {
	all := examples(9, 0, 700, 0.4)
	b := newBench(t, all[:150])
	b.run(Promoted)
	b.give(all[150:500], "desk", ledger.Random)
	b.options.Force = true         // what the gate says is no matter here
	once := sync.OnceFunc(func() { // when the first run trains
		b.give(all[500:700], "desk", ledger.Random)
		if r, err := Run(context.Background(), b.open(), b.store, b.options); err != nil || r.Outcome != Promoted {
			t.Errorf("the other run: %v, %v", r, err)
		}
	})
	r := b.run(Overtaken, func(o *Options) { o.Progress = func(int, int) { once() } })
	if len(r.Reasons) == 0 {
		t.Error("no reason")
	}
}

// Whatever fails, the alias stays, and another run does what is left.
func TestFailuresMoveNothing(t *testing.T) {
	all := examples(12, 0, 600, 0.4)
	b := newBench(t, all[:150])
	first := b.run(Promoted)
	b.give(all[150:600], "desk", ledger.Random)
	unmoved := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", what)
		}
		if b.live() != first.Candidate.Revision {
			t.Errorf("%s: the alias moved", what)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := b.options
	o.Progress = func(int, int) { cancel() }
	_, err := Run(ctx, b.ledger, b.store, o)
	unmoved("cancelled", err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	o.Progress = func(int, int) { _ = os.Rename(b.dir, b.dir+"-away") }
	_, err = Run(t.Context(), b.ledger, b.store, o)
	if err := os.Rename(b.dir+"-away", b.dir); err != nil {
		t.Fatal(err)
	}
	unmoved("the store is gone", err)
	b.run(Promoted)
}

// After as many looks as one may have, another hold-out is drawn.
func TestHoldoutIsRenewed(t *testing.T) {
	list := looks{}
	for range maxLooks {
		list = append(list, look{Epoch: list.epoch()})
	}
	if got := list.epoch(); got != 1 {
		t.Errorf("after %d looks: epoch %d, want 1", maxLooks, got)
	}
	rows, err := Gather(Input{Base: examples(1, 0, 200, 0.4), BaseHeads: heads})
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	a, c := rows.Split(Holdout{0, 0.3}), rows.Split(Holdout{1, 0.3})
	for i := range rows.List {
		same += one(a.held[i] && c.held[i])
	}
	if same > 60 {
		t.Errorf("%d of 200 rows are held out in both epochs", same)
	}
}

// The hold-out stays while data grow, and has no near-duplicate of what is trained on.
func TestHoldoutIsStableAndApart(t *testing.T) {
	all := examples(13, 0, 400, 0.4)
	copied := all[0]
	copied.Group, copied.Text = "group-999", copied.Text+" indeed"
	small, err := Gather(Input{Base: all[:300], BaseHeads: heads})
	if err != nil {
		t.Fatal(err)
	}
	large, err := Gather(Input{Base: append(append([]dataset.Example{}, all...), copied), BaseHeads: heads})
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]bool{}
	s, l := small.Split(Holdout{0, 0.3}), large.Split(Holdout{0, 0.3})
	for i, r := range l.List {
		held[r.Text] = l.held[i]
	}
	for i, r := range s.List {
		if r.Group != "group-0" && s.held[i] != held[r.Text] {
			t.Errorf("%s changed sides as data grew", r.ID)
		}
	}
	if held[copied.Text] != held[all[0].Text] {
		t.Error("a near-duplicate is on the other side")
	}
	trained := map[string]bool{}
	for _, ex := range l.Training() {
		trained[ex.Group] = true
	}
	for i, r := range l.List {
		if l.held[i] && trained[r.Group] {
			t.Fatalf("group %s is on both sides", r.Group)
		}
	}
}

func TestSourceCap(t *testing.T) {
	b := newBench(t, examples(14, 0, 100, 0.4))
	b.give(examples(14, 100, 500, 0.4), "crm", ledger.Other)
	resolution, err := b.ledger.Resolve(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Gather(Input{Base: b.options.Base, BaseHeads: heads, Resolution: resolution})
	if err != nil {
		t.Fatal(err)
	}
	if want := []Capped{{"crm", 400, 200}}; !reflect.DeepEqual(rows.Capped, want) || len(rows.List) != 300 {
		t.Errorf("capped %v, %d rows; want %v, 300", rows.Capped, len(rows.List), want)
	}
}
