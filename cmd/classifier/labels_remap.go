package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsRemapCmd is "classifier labels remap".
type labelsRemapCmd struct {
	Head  string   `arg:"" help:"Head whose labels change."`
	Pairs []string `arg:"" name:"from=to" help:"A label and what it is called from now on. Two labels with one new name are merged; one label with several (FROM=A FROM=B) is split; FROM= drops it. After -- a label may begin with a dash."`
	annotatorFlag
	Reason string `placeholder:"TEXT" help:"Why; the event keeps it."`
	DryRun bool   `help:"Show how many labels would change, and change none."`
}

// Help says what happens to labels.
func (c *labelsRemapCmd) Help() string {
	return `A remap is an event. It concerns the labels that were given before it, those of base
files at retraining too; labels that are given later keep the name that they have.

A label that is split is void until somebody gives the new one: which it is, nobody
has said. So is one that is dropped.`
}

// A remapped is one remap and how many labels it concerns.
type remapped struct {
	Seq    int64    `json:"seq,omitempty"`
	Head   string   `json:"head"`
	From   string   `json:"from"`
	To     []string `json:"to"`
	Labels int      `json:"labels"` // that stand now
	DryRun bool     `json:"validate_only,omitempty"`
}

// Run writes the remaps. All pairs are meant at once: a=b b=c does not make a to c.
func (c *labelsRemapCmd) Run(e *env, l *labelsCmd) error {
	who, err := c.name()
	if err != nil {
		return err
	}
	return l.with(e, func(led *ledger.Ledger) error {
		r, err := led.Resolve(e.ctx, 0)
		if err != nil {
			return err
		}
		counts := labelsOf(r, c.Head)
		list, err := c.remaps(counts)
		if err != nil {
			return err
		}
		var done []remapped
		for _, m := range list {
			m.Annotator, m.Reason = who, c.Reason
			seq := int64(0)
			if !c.DryRun {
				if seq, err = led.Remap(e.ctx, "", m); err != nil {
					return err
				}
			}
			done = append(done, remapped{seq, m.Head, m.From, m.To, counts[m.From], c.DryRun})
		}
		return l.write(e, done, func(w io.Writer) {
			for i := range done {
				done[i].text(w)
			}
		})
	})
}

// labelsOf counts the labels of a head that stand.
func labelsOf(r *ledger.Resolution, head string) map[string]int {
	counts := map[string]int{}
	for i := range r.Rows {
		if label, ok := r.Rows[i].Labels[head]; ok {
			counts[label.Label]++
		}
	}
	return counts
}

// remaps makes remaps of the pairs, in an order in which none concerns what
// another has made.
func (c *labelsRemapCmd) remaps(counts map[string]int) ([]ledger.Remap, error) {
	var known []string
	for label := range counts {
		known = append(known, label)
	}
	slices.Sort(known)
	var list []ledger.Remap
	for _, pair := range c.Pairs {
		from, to, found := cutLabel(pair, known)
		if !found || from == "" {
			return nil, usagef("%q: want FROM=TO", pair)
		}
		i := slices.IndexFunc(list, func(m ledger.Remap) bool { return m.From == from })
		if i < 0 {
			list = append(list, ledger.Remap{Head: c.Head, From: from, To: []string{}})
			i = len(list) - 1
		} else if to == "" || len(list[i].To) == 0 {
			return nil, usagef("%q: the label cannot be dropped and renamed", from)
		}
		if to != "" {
			list[i].To = append(list[i].To, to)
		}
	}
	return inOrder(list)
}

// inOrder puts a remap behind those of the labels that it makes. In a circle there
// is no such order.
func inOrder(list []ledger.Remap) (ordered []ledger.Remap, err error) {
	for len(list) > 0 {
		i := slices.IndexFunc(list, func(m ledger.Remap) bool {
			return !slices.ContainsFunc(list, func(other ledger.Remap) bool {
				return other.From != m.From && slices.Contains(m.To, other.From)
			})
		})
		if i < 0 {
			return nil, usagef("%q and others change places: rename one to a name that is not used first", list[0].From)
		}
		ordered = append(ordered, list[i])
		list = slices.Delete(list, i, i+1)
	}
	return ordered, nil
}

func (m *remapped) text(w io.Writer) {
	verb := ""
	if m.DryRun {
		verb = "would be "
	}
	switch len(m.To) {
	case 0:
		verb += "dropped"
	case 1:
		verb += "called " + m.To[0]
	default:
		verb += "void until labelled " + strings.Join(m.To, " or ")
	}
	fmt.Fprintf(w, "%s: %s %s: %s\n", beginning(m.Head, 40), beginning(m.From, 40), beginning(verb, 100), plural(m.Labels, "label"))
}
