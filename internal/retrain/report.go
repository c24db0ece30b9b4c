package retrain

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/judge"
)

// An Outcome is how a run ended.
type Outcome string

// The outcomes. A dry run has that of the run it stands for.
const (
	Promoted    Outcome = "promoted"      // the candidate is live
	HeldBack    Outcome = "held back"     // it is published, and the champion stays
	NothingToDo Outcome = "nothing to do" // the candidate would be the champion
	Overtaken   Outcome = "overtaken"     // another run promoted one that knows more
)

// A Report is what a run found and did.
type Report struct {
	Model     string        `json:"model"`
	Ledger    string        `json:"ledger"` // its id
	DryRun    bool          `json:"dry_run,omitempty"`
	Outcome   Outcome       `json:"outcome"`
	Verdict   judge.Verdict `json:"verdict,omitempty"`
	Reasons   []string      `json:"reasons"`
	Forced    bool          `json:"forced,omitempty"`     // promoted against the verdict
	ByAnother bool          `json:"by_another,omitempty"` // another run promoted the same candidate

	Occasion  judge.Occasion `json:"reason,omitempty"` // why the model is trained anew
	Champion  *Revision      `json:"champion,omitempty"`
	Candidate *Revision      `json:"candidate,omitempty"`
	StandIn   *StandIn       `json:"stand_in,omitempty"` // in the champion's place in the comparison
	Choice    string         `json:"choice,omitempty"`   // of how the candidate is made

	Data    Data         `json:"data"`
	Holdout Looked       `json:"holdout"`
	Heads   []HeadReport `json:"heads,omitempty"`

	FixRates    []FixRate `json:"fix_rates,omitempty"`
	Quarantined []Held    `json:"quarantined,omitempty"`
	Capped      []Capped  `json:"capped,omitempty"`
	Receipt     *Receipt  `json:"receipt,omitempty"`
	Preview     *Preview  `json:"preview,omitempty"`
	Warnings    []string  `json:"warnings,omitempty"`

	Event int64  `json:"event,omitempty"` // of the ledger, that counts the look
	Etag  string `json:"etag"`            // of the model's aliases
}

// A HeadReport is the comparison of a head on the hold-out.
type HeadReport = judge.HeadComparison

// A Revision is one of the two that are compared.
type Revision struct {
	Revision     string `json:"revision"`
	TrainingData string `json:"training_data"` // SHA-256 over its training rows
	Position     int64  `json:"position"`      // of the ledger, up to which it was trained; 0: not on it
}

// A StandIn is a model by the champion's recipe, on the champion's rows without
// those held out.
type StandIn struct {
	Revision string `json:"revision"`
	Rows     int    `json:"rows"`
}

// Data says how many rows there are, and from where.
type Data struct {
	Rows      int `json:"rows"`
	Base      int `json:"base"`      // whose text a base file has
	Ledger    int `json:"ledger"`    // whose labels the ledger gave or changed
	Training  int `json:"training"`  // to train on
	Conflicts int `json:"conflicts"` // texts of the ledger whose annotators are at odds
	Waiting   int `json:"waiting"`   // labels in quarantine, of earlier runs too
	Forgotten int `json:"forgotten"` // base rows left out as their texts are forgotten
}

// Looked says what is held out, and how often it was looked at.
type Looked struct {
	Holdout
	Rows    int `json:"rows"`
	Sources int `json:"sources"`
	Look    int `json:"look"` // at this hold-out, this run's included
	Of      int `json:"of"`   // looks, after which another is drawn
}

// describe tells of the rows as they are now.
func (r *Report) describe(of *run) {
	s := of.split
	d := Data{Rows: len(s.List), Conflicts: len(of.resolution.Conflicts), Waiting: len(of.resolution.Quarantined) + len(of.withheld), Forgotten: s.Forgotten}
	held := 0
	for i := range s.List {
		base, given := false, false
		for h := range s.List[i].Given {
			base = base || s.List[i].Given[h].Base
			given = given || s.List[i].Given[h].byLedger()
		}
		d.Base, d.Ledger = d.Base+one(base), d.Ledger+one(given)
		held += one(s.held[i])
	}
	d.Training = d.Rows - held
	r.Data, r.Capped = d, s.Capped
	r.Holdout = Looked{s.Holdout, held, s.heldSources(), of.looks.at(s.Epoch), maxLooks}
}

// warnAll adds warnings that are not there yet.
func (r *Report) warnAll(list []string) {
	for _, w := range list {
		if !slices.Contains(r.Warnings, w) {
			r.Warnings = append(r.Warnings, w)
		}
	}
}

// A verdictDetails is what a card keeps of a verdict.
type verdictDetails struct {
	Occasion    judge.Occasion `json:"reason"`
	Verdict     judge.Verdict  `json:"verdict"`
	Reasons     []string       `json:"reasons"`
	Forced      bool           `json:"forced,omitempty"`
	Champion    string         `json:"champion,omitempty"`
	StandIn     string         `json:"stand_in,omitempty"`
	Ledger      string         `json:"ledger"`
	Position    int64          `json:"position"`
	Epoch       int            `json:"holdout_epoch"`
	Share       float64        `json:"holdout_share"`
	Heads       []HeadReport   `json:"heads"`
	FixRates    []FixRate      `json:"fix_rates,omitempty"`
	Quarantined int            `json:"quarantined,omitempty"`
}

func (r *Report) verdictDetails() verdictDetails {
	v := verdictDetails{
		Occasion: r.Occasion, Verdict: r.Verdict, Reasons: r.Reasons, Forced: r.Forced, Ledger: r.Ledger, Position: r.Candidate.Position,
		Epoch: r.Holdout.Epoch, Share: r.Holdout.Share, Heads: r.Heads, FixRates: r.FixRates, Quarantined: len(r.Quarantined),
	}
	if r.Champion != nil {
		v.Champion = r.Champion.Revision
	}
	if r.StandIn != nil {
		v.StandIn = r.StandIn.Revision
	}
	return v
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	r.writeOutcome(b)
	r.writeData(b)
	for i := range r.Heads {
		writeHead(b, &r.Heads[i])
	}
	for _, f := range r.FixRates {
		fmt.Fprintf(b, "fixed       %s: %d of %d corrections that the champion has wrong; %d of %d not trained on\n",
			f.Head, f.All.Right, f.All.Of, f.Unseen.Right, f.Unseen.Of)
	}
	r.writeGuards(b)
	r.writeReceipt(b)
	r.writePreview(b)
	for _, w := range r.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", w)
	}
	return b.Flush()
}

func short(revision string) string { return fmt.Sprintf("%.12s", revision) }

func (r *Report) writeOutcome(b *bufio.Writer) {
	outcome := string(r.Outcome)
	switch {
	case r.DryRun:
		outcome = "would be: " + outcome + " (dry run: nothing was changed)"
	case r.ByAnother:
		outcome += ", by another run with the same data"
	case r.Forced:
		outcome += ", forced against the verdict: " + string(r.Verdict)
	}
	fmt.Fprintf(b, "outcome     %s\n", outcome)
	for _, reason := range r.Reasons {
		fmt.Fprintf(b, "            %s\n", reason)
	}
	if r.Occasion != "" {
		fmt.Fprintf(b, "reason      %s\n", r.Occasion)
	}
	if r.Champion != nil {
		fmt.Fprintf(b, "champion    %s, trained up to event %d\n", short(r.Champion.Revision), r.Champion.Position)
	}
	if r.Candidate != nil {
		fmt.Fprintf(b, "candidate   %s, trained up to event %d, %s\n", short(r.Candidate.Revision), r.Candidate.Position, r.Choice)
	}
	if r.StandIn != nil {
		fmt.Fprintf(b, "compared    with %s, which is made as the champion was, of %d rows without those held out\n", short(r.StandIn.Revision), r.StandIn.Rows)
	}
}

func (r *Report) writeData(b *bufio.Writer) {
	d, h := &r.Data, &r.Holdout
	fmt.Fprintf(b, "rows        %d: %d in base files, %d labelled in the ledger; %d to train on\n", d.Rows, d.Base, d.Ledger, d.Training)
	fmt.Fprintf(b, "hold-out    %d rows of %d sources, look %d of %d\n", h.Rows, h.Sources, h.Look, h.Of)
	if d.Conflicts+d.Waiting+d.Forgotten > 0 {
		fmt.Fprintf(b, "left out    %d texts on which annotators disagree, %d labels in quarantine, %d base rows that are forgotten\n", d.Conflicts, d.Waiting, d.Forgotten)
	}
}

func writeHead(b *bufio.Writer, h *HeadReport) {
	f := &h.MacroF1
	fmt.Fprintf(b, "%-11s macro-F1 %.3f -> %.3f on %d held-out labels, difference %+.1f points (95%% interval %+.1f to %+.1f, p %.3f), NLL %.3f -> %.3f\n",
		h.Head, f.Champion, f.Challenger, h.Examples, 100*f.Difference, 100*f.Interval.Low, 100*f.Interval.High, f.PValue, h.NLL.Champion, h.NLL.Challenger)
	for _, l := range h.Fallen() {
		fmt.Fprintf(b, "            label %q fell from F1 %.3f to %.3f\n", l.Label, l.Champion, l.Challenger)
	}
}

// listed is how many of a list are written for people.
const listed = 10

func (r *Report) writeGuards(b *bufio.Writer) {
	for _, c := range r.Capped {
		fmt.Fprintf(b, "capped      source %q: %d of its %d rows were left out\n", c.Source, c.Out, c.Rows)
	}
	seen := map[string]int{}
	var reasons []string
	for _, q := range r.Quarantined {
		if seen[q.Reason]++; seen[q.Reason] == 1 {
			reasons = append(reasons, q.Reason)
		}
	}
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintf(b, "quarantine  %d labels wait for a second opinion (labels confirm, labels annotate --quarantined)\n", len(r.Quarantined))
	for _, reason := range reasons[:min(len(reasons), listed)] {
		fmt.Fprintf(b, "            %d: %s\n", seen[reason], reason)
	}
	if more := len(reasons) - listed; more > 0 {
		fmt.Fprintf(b, "            and %d more reasons\n", more)
	}
}

func (r *Report) writeReceipt(b *bufio.Writer) {
	x := r.Receipt
	if x == nil {
		return
	}
	fmt.Fprintf(b, "\nforgotten   %d texts that the champion was trained on\n", x.Texts)
	if x.Before != nil {
		fmt.Fprintf(b, "  before    revision %s, training data %s\n", x.Before.Revision, x.Before.TrainingData)
	}
	if x.After != nil {
		fmt.Fprintf(b, "  after     revision %s, training data %s\n", x.After.Revision, x.After.TrainingData)
	}
	for _, w := range x.Withdrawn {
		fmt.Fprintf(b, "  withdrawn %s: it can be promoted no more, and models gc removes it\n", w)
	}
	for _, u := range x.InUse {
		fmt.Fprintf(b, "  in use    %s, by alias %s: it goes on answering until that moves\n", u.Revision, strings.Join(u.Aliases, ", "))
	}
	for _, u := range x.Unknown {
		fmt.Fprintf(b, "  unknown   %s: nothing says what it was trained on\n", u)
	}
	fmt.Fprintf(b, "  proof     %s\n", x.Proof)
}

func (r *Report) writePreview(b *bufio.Writer) {
	p := r.Preview
	if p == nil {
		return
	}
	fmt.Fprintf(b, "\n%d answers to %d texts would change\n", len(p.Flips), p.Of)
	for _, f := range p.Flips[:min(len(p.Flips), listed)] {
		truth := ""
		if f.Truth != "" {
			truth = fmt.Sprintf(", labelled %q", f.Truth)
		}
		fmt.Fprintf(b, "  %s %s: %q -> %q %.2f%s\n", f.Text, f.Head, f.From, f.To, f.Probability, truth)
	}
	if more := len(p.Flips) - listed; more > 0 {
		fmt.Fprintf(b, "  and %d more (--json has all)\n", more)
	}
}
