package main

import (
	"fmt"
	"io"

	"github.com/parley-nlp/parley/internal/agreement"
	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsConflictsCmd is "classifier labels conflicts".
type labelsConflictsCmd struct {
	Head string `placeholder:"NAME" help:"Only this head. Default: all."`
}

// Help says what the figures mean.
func (c *labelsConflictsCmd) Help() string {
	return `A conflict is a tie between annotators. It gives no label until somebody settles it:
labels annotate --conflicts. A quarantined label does not count until another
annotator confirms it: labels confirm, or labels annotate --quarantined.

Agreement is beyond chance: 1 is full, 0 what chance gives. Cohen's kappa is that of
two annotators on the texts that both labelled, Krippendorff's alpha that of all.
Labels that settled a disagreement are left out, as those who gave them had seen the
others'.`
}

// A labelsReport is what annotators disagree on.
type labelsReport struct {
	Conflicts   []labelsConflict `json:"conflicts"`
	Quarantined []labelsHeld     `json:"quarantined"`
	Agreement   []headAgreement  `json:"agreement"`
}

// labelsAbout says what text a conflict or a label is about.
type labelsAbout struct {
	TextID int64  `json:"text_id"`
	ID     string `json:"id,omitempty"`
	Target string `json:"target,omitempty"`
	Head   string `json:"head"`
	Text   string `json:"text"` // how it begins
}

type labelsConflict struct {
	labelsAbout
	Votes []labelsVote `json:"votes"`
}

type labelsVote struct {
	Seq       int64  `json:"seq"`
	Annotator string `json:"annotator"`
	Label     string `json:"label"`
}

type labelsHeld struct {
	labelsAbout
	labelsVote
	Surprise float64 `json:"surprise_nats,omitempty"`
	Reason   string  `json:"reason,omitempty"`
}

// headAgreement is how well the annotators of a head agree.
type headAgreement struct {
	Head   string            `json:"head"`
	Alpha  agreement.Alpha   `json:"krippendorff"`
	Kappas []agreement.Kappa `json:"cohen"`
}

// Run shows what annotators disagree on.
func (c *labelsConflictsCmd) Run(e *env, l *labelsCmd) error {
	return l.with(e, func(led *ledger.Ledger) error {
		r, err := led.Resolve(e.ctx, 0)
		if err != nil {
			return err
		}
		v, err := readVotes(e, led, c.Head, r.Remaps)
		if err != nil {
			return err
		}
		report := c.report(r)
		report.Agreement = v.agreement()
		return l.write(e, report, report.text)
	})
}

// textShown is how many characters of a text are shown.
const textShown = 60

// report is what a resolution has of the head.
func (c *labelsConflictsCmd) report(r *ledger.Resolution) *labelsReport {
	report := &labelsReport{Conflicts: []labelsConflict{}, Quarantined: []labelsHeld{}}
	for i := range r.Conflicts {
		x := &r.Conflicts[i]
		if c.Head != "" && x.Head != c.Head {
			continue
		}
		conflict := labelsConflict{labelsAbout: labelsAbout{x.TextID, x.ID, x.Target, x.Head, beginning(x.Text, textShown)}}
		for _, v := range x.Votes {
			conflict.Votes = append(conflict.Votes, labelsVote{v.Seq, v.Annotator, v.Label})
		}
		report.Conflicts = append(report.Conflicts, conflict)
	}
	for i := range r.Quarantined {
		h := &r.Quarantined[i]
		if c.Head == "" || h.Head == c.Head {
			report.Quarantined = append(report.Quarantined, labelsHeld{labelsAbout{h.TextID, h.ID, h.Target, h.Head, beginning(h.Text, textShown)},
				labelsVote{h.Seq, h.Annotator, h.Label}, h.Surprise, h.Reason})
		}
	}
	return report
}

func (r *labelsReport) text(w io.Writer) {
	fmt.Fprintf(w, "%s, %s in quarantine\n", plural(len(r.Conflicts), "conflict"), plural(len(r.Quarantined), "label"))
	for i := range r.Conflicts {
		c := &r.Conflicts[i]
		fmt.Fprintf(w, "\nconflict, %s", c.labelsAbout.line())
		for _, v := range c.Votes {
			fmt.Fprint(w, v.line())
		}
	}
	for i := range r.Quarantined {
		h := &r.Quarantined[i]
		fmt.Fprintf(w, "\nquarantined, %s%s", h.labelsAbout.line(), h.labelsVote.line())
		fmt.Fprintf(w, "  %s\n", beginning(heldBack(&ledger.Held{Surprise: h.Surprise, Reason: h.Reason}), 100))
	}
	for _, h := range r.Agreement {
		if h.Alpha.Units > 0 {
			h.text(w)
		}
	}
}

func (a *labelsAbout) line() string {
	s := beginning(a.Head, 40)
	for _, part := range [][2]string{{", id ", a.ID}, {", on ", a.Target}} {
		if part[1] != "" {
			s += part[0] + beginning(part[1], 40)
		}
	}
	return fmt.Sprintf("%s: %s\n", s, a.Text)
}

func (v *labelsVote) line() string {
	return fmt.Sprintf("  %d\t%s\t%s\n", v.Seq, beginning(v.Annotator, 40), beginning(v.Label, 40))
}

func (h *headAgreement) text(w io.Writer) {
	fmt.Fprintf(w, "\nagreement on %s: alpha %s, %s labelled by several\n", beginning(h.Head, 40), coefficient(h.Alpha.Alpha), plural(h.Alpha.Units, "text"))
	for _, k := range h.Kappas {
		fmt.Fprintf(w, "  %s\t%s\tkappa %s\t%.0f%% of %s\n", beginning(k.A, 40), beginning(k.B, 40), coefficient(k.Kappa), 100*k.Observed, plural(k.Units, "text"))
	}
}

// coefficient is one, if it can be known.
func coefficient(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.3f", *v)
}
