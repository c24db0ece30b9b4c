package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/load"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A correctCmd is "soak correct".
type correctCmd struct {
	commonFlags
	Corrections int           `default:"500" help:"Texts whose wrong answers are corrected, in each part. Default: ${default}."`
	Flipped     float64       `default:"0.3" help:"Share of the labels that are wrong in the second part. Default: ${default}."`
	Base        float64       `default:"0.1" help:"Share of the documents in the base file of the deployed model. Default: ${default}."`
	Audit       int           `default:"600" help:"Texts drawn at random and labelled before it is deployed. Default: ${default}."`
	Holdout     float64       `default:"0.5" help:"--holdout of retrain. Default: ${default}."`
	Rate        float64       `default:"100" help:"Calls a second meanwhile. Default: ${default}."`
	Within      time.Duration `default:"60s" help:"Time from the first label to the last server. Default: ${default}."`
}

// correctHeads are those of the corpus that are corrected.
var correctHeads = []string{"topic", "stance"}

// Run corrects what a deployed model has wrong, by calls of LabelService; the new
// revision goes live on three servers under load. Then a source sends a batch in
// which labels are wrong.
func (c *correctCmd) Run(e *env) error {
	return c.soak(e, func(w *workshop) error {
		k := &correcting{w: w, cmd: c, random: rand.New(rand.NewPCG(c.Seed, 8)), live: map[string]string{}}
		if err := k.deploy(); err != nil {
			return err
		}
		defer k.client.Close()
		defer k.target.Close()
		calls := w.stream(k.target, load.Config{Rate: c.Rate, MaxInFlight: 10000, Timeout: timeout, Seed: c.Seed}, k.watch)
		defer calls.end()
		if err := k.honest(); err != nil {
			return err
		}
		if err := k.poisoned(); err != nil {
			return err
		}
		r, err := calls.end()
		if err != nil {
			return err
		}
		w.title("the calls meanwhile: %s", r.Load)
		for _, e := range r.Errors {
			w.figure("error "+e.Code, "%d times %s: %s", e.Count, e.Reason, e.Example)
		}
		w.promise(r.Failed == 0 && r.Answered > 0, "no call failed", "%d of %d", r.Failed, r.Answered+r.Failed)
		return nil
	})
}

// A correcting is a model in use and the people who correct it.
type correcting struct {
	w      *workshop
	cmd    *correctCmd
	random *rand.Rand
	rest   []dataset.Example // not in the base file nor audited
	client *client.Client
	target *load.Target

	ledger, store, base string

	mu   sync.Mutex
	live map[string]string // by server: the revision that it last answered by
}

func (k *correcting) watch(c load.Call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Failure == nil {
		k.live[c.Server()] = filepath.Base(c.Revision)
	}
}

// deploy trains the first revision, on a base file and an audit, and serves it.
func (k *correcting) deploy() error {
	w := k.w
	k.ledger, k.store, k.base = w.file("labels.db"), w.file("store"), w.file("base.jsonl")
	base, audit, err := k.divide()
	if err != nil {
		return err
	}
	if err := errors.Join(writeRows(k.base, base), writeRows(w.file("audit.jsonl"), audit)); err != nil {
		return err
	}
	if err := run(w.ctx, w.Classifier, "labels", "--ledger", k.ledger, "add", "--annotator", "auditor", "--source", "audit", "--selection", "random", w.file("audit.jsonl")); err != nil {
		return err
	}
	first, err := k.retrain("--preset", "long", "--source-cap=-1")
	if err != nil {
		return err
	}
	if first.Outcome != "promoted" {
		return fmt.Errorf("the first revision was not promoted: %s", first.Outcome)
	}
	var servers []*server
	for range 3 {
		s, err := w.serve(patient, "--store", k.store, "--ledger", k.ledger, "--poll", "200ms", "--log-level", "warn")
		if err != nil {
			return err
		}
		servers = append(servers, s)
	}
	if k.client, err = client.Dial(addressesOf(servers), client.WithPlaintext()); err != nil {
		return err
	}
	k.target, err = load.Dial(addressesOf(servers), 4)
	return err
}

// divide draws documents for the base file and, of the others, texts to audit.
func (k *correcting) divide() (base, audit []dataset.Example, err error) {
	set, err := corpus()
	if err != nil {
		return nil, nil, err
	}
	var groups []string
	for _, ex := range set {
		if !slices.Contains(groups, ex.Group) {
			groups = append(groups, ex.Group)
		}
	}
	slices.Sort(groups)
	k.random.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	in := groups[:int(k.cmd.Base*float64(len(groups)))]
	var others []dataset.Example
	for _, ex := range set {
		if slices.Contains(in, ex.Group) {
			base = append(base, ex)
		} else {
			others = append(others, ex)
		}
	}
	k.random.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	n := min(k.cmd.Audit, len(others))
	k.rest = others[n:]
	return base, others[:n], nil
}

func writeRows(path string, rows []dataset.Example) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, ex := range rows {
		row := map[string]string{"text": ex.Text, "id": ex.ID, "group": ex.Group}
		for h, name := range correctHeads {
			row[name] = ex.Labels[h]
		}
		if err := e.Encode(row); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// A retrained is what the soak wants to know of a report of retrain.
type retrained struct {
	Outcome   string   `json:"outcome"`
	Reasons   []string `json:"reasons"`
	Candidate *struct {
		Revision string `json:"revision"`
	} `json:"candidate"`
	Heads []struct {
		Head    string `json:"head"`
		MacroF1 struct {
			Champion, Challenger, Difference float64
			Interval                         struct{ Low, High float64 }
		} `json:"macro_f1"`
	} `json:"heads"`
	FixRates []struct {
		Head   string `json:"head"`
		All    fixed  `json:"all"`
		Unseen fixed  `json:"not_trained_on"`
	} `json:"fix_rates"`
	Quarantined []struct {
		Event  int64  `json:"event"`
		Reason string `json:"reason"`
	} `json:"quarantined"`
}

type fixed struct{ Right, Of int }

// heldBack is the exit code of a retraining that promotes nothing.
const heldBack = 3

// retrain runs the command, and reads its report.
func (k *correcting) retrain(flags ...string) (*retrained, error) {
	args := append([]string{"retrain", "--json", "--ledger", k.ledger, "--store", k.store, "--base", k.base, "--holdout", fmt.Sprint(k.cmd.Holdout)}, flags...)
	cmd := exec.CommandContext(k.w.ctx, k.w.Classifier, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, environment()
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !(ok && exit.ExitCode() == heldBack) {
		return nil, fmt.Errorf("retrain: %w\n%s", err, errs.Bytes())
	}
	r := &retrained{}
	return r, json.Unmarshal(out.Bytes(), r)
}

// tell prints what a retraining found.
func (k *correcting) tell(r *retrained) {
	for _, h := range r.Heads {
		f := &h.MacroF1
		k.w.figure("macro-F1 of "+h.Head, "%.3f -> %.3f on the hold-out, difference %+.1f points, 95%% interval %+.1f to %+.1f",
			f.Champion, f.Challenger, 100*f.Difference, 100*f.Interval.Low, 100*f.Interval.High)
	}
	for _, f := range r.FixRates {
		k.w.figure("fixed, "+f.Head, "%d of %d corrections; of those not trained on %d of %d", f.All.Right, f.All.Of, f.Unseen.Right, f.Unseen.Of)
	}
	seen := map[string]int{}
	for _, q := range r.Quarantined {
		seen[q.Reason]++
	}
	for _, reason := range r.Reasons {
		k.w.figure("reason", "%s", reason)
	}
	if n := len(r.Quarantined); n > 0 {
		q := r.Quarantined[0].Reason
		k.w.figure("quarantine", "%d labels; %d: %s", n, seen[q], q)
	}
}

// corrections are labels for texts of the rest that the live model has wrong, of
// which a share is flipped. It also returns how many are.
func (k *correcting) corrections(source func(i int) string, flipped float64) (labels []*parleyv1.NewLabel, wrong int, err error) {
	choices := [2][]string{}
	for h := range correctHeads {
		choices[h] = dataset.LabelsOf(k.rest, h)
	}
	texts := 0
	for i := 0; i < len(k.rest) && texts < k.cmd.Corrections; i++ {
		ex := k.rest[i]
		answer, err := k.client.Classify(k.w.ctx, ex.Text, nil)
		if err != nil {
			return nil, 0, err
		}
		mistaken := false
		for _, p := range answer.GetClassification().GetPredictions() {
			if h := slices.Index(correctHeads, p.GetHead()); h >= 0 {
				mistaken = mistaken || p.GetScores()[0].GetLabel() != ex.Labels[h]
			}
		}
		if !mistaken {
			continue
		}
		who := source(texts)
		texts++
		for h, head := range correctHeads {
			label := ex.Labels[h]
			if k.random.Float64() < flipped {
				wrong++
				for label == ex.Labels[h] {
					label = choices[h][k.random.IntN(len(choices[h]))]
				}
			}
			labels = append(labels, &parleyv1.NewLabel{Text: ex.Text, TextId: ex.ID, Group: ex.Group, Head: head, Label: label,
				Annotator: who + " desk", Source: who, Selection: parleyv1.Selection_SELECTION_CORRECTION})
		}
	}
	if texts == 0 {
		return nil, 0, errors.New("the model has nothing wrong")
	}
	return labels, wrong, nil
}

// give sends labels by LabelService.
func (k *correcting) give(labels []*parleyv1.NewLabel) error {
	for _, err := range k.client.CreateLabels(k.w.ctx, slices.Values(labels)) {
		if err != nil {
			return err
		}
	}
	return nil
}

// honest is the first part.
func (k *correcting) honest() error {
	w := k.w
	labels, _, err := k.corrections(func(i int) string { return fmt.Sprint("desk-", i%5) }, 0)
	if err != nil {
		return err
	}
	w.title("%d corrected texts by five desks, %d labels", len(labels)/len(correctHeads), len(labels))
	began := time.Now()
	if err := k.give(labels); err != nil {
		return err
	}
	w.figure("labels durable after", "%.2f s", time.Since(began).Seconds())
	r, err := k.retrain()
	if err != nil {
		return err
	}
	w.figure("retrained after", "%.1f s: %s", time.Since(began).Seconds(), r.Outcome)
	k.tell(r)
	if r.Outcome != "promoted" {
		w.promise(false, "the corrected model goes live", "%s", r.Outcome)
		return nil
	}
	err = w.await("all servers answer by the new revision", func() bool { return k.allLive(r.Candidate.Revision) })
	took := time.Since(began)
	w.promise(err == nil && took <= k.cmd.Within, "live on all three servers", "%.1f s after the first label, at most %s", took.Seconds(), k.cmd.Within)
	return nil
}

func (k *correcting) allLive(revision string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.w.servers {
		if k.live[s.address] != revision {
			return false
		}
	}
	return true
}

// poisoned is the second part: one source, some of whose labels are wrong.
func (k *correcting) poisoned() error {
	w := k.w
	labels, wrong, err := k.corrections(func(int) string { return "mirror" }, k.cmd.Flipped)
	if err != nil {
		return err
	}
	w.title("%d corrected texts by one source, %d of %d labels wrong", len(labels)/len(correctHeads), wrong, len(labels))
	if err := k.give(labels); err != nil {
		return err
	}
	r, err := k.retrain()
	if err != nil {
		return err
	}
	k.tell(r)
	w.promise(r.Outcome == "held back", "the batch is held back", "%s; %d of %d labels in quarantine", r.Outcome, len(r.Quarantined), len(labels))
	return nil
}
