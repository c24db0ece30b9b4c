package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/parley-nlp/parley/internal/agreement"
	"github.com/parley-nlp/parley/internal/ledger"
)

// A unit is what annotators vote on: a text and a target of it, by their numbers.
type unit struct{ text, target int64 }

// votes are what every annotator says last of a unit and head by himself: labels
// that settle a disagreement are left out, as who gave them had seen the others'.
type votes map[string]map[unit]map[string]ledger.Event // by head, unit and annotator

// readVotes reads all labels, page by page, and calls them what they are called
// now. Those that are void are left out, like those of texts that were forgotten.
func readVotes(e *env, led *ledger.Ledger, head string, remaps []ledger.Remap) (votes, error) {
	v := votes{}
	list := labelsListCmd{Kind: ledger.KindLabel, Head: head}
	_, _, err := list.each(e, led, func(event *ledger.Event) error {
		if !event.Forgotten && !event.Adjudicated {
			v.add(*event, remaps)
		}
		return nil
	})
	return v, err
}

func (v votes) add(e ledger.Event, remaps []ledger.Remap) {
	u := unit{e.TextID, e.TargetID}
	if v[e.Head] == nil {
		v[e.Head] = map[unit]map[string]ledger.Event{}
	}
	if v[e.Head][u] == nil {
		v[e.Head][u] = map[string]ledger.Event{}
	}
	e.Label = calledNow(&e, remaps)
	if e.Label == "" { // taken back, or void
		delete(v[e.Head][u], e.Annotator)
		return
	}
	v[e.Head][u][e.Annotator] = e
}

// calledNow is what a label is called after the remaps that came later, "" when
// they leave none.
func calledNow(e *ledger.Event, remaps []ledger.Remap) string {
	label := e.Label
	for _, r := range remaps { // by number
		switch {
		case r.Seq < e.Seq || r.Head != e.Head || r.From != label || label == "":
		case len(r.To) == 1:
			label = r.To[0]
		default:
			label = ""
		}
	}
	return label
}

// agreement measures how well the annotators of every head agree.
func (v votes) agreement() []headAgreement {
	list := []headAgreement{}
	for _, head := range slices.Sorted(maps.Keys(v)) {
		var all []agreement.Vote
		units := slices.SortedFunc(maps.Keys(v[head]), func(a, b unit) int { return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.target, b.target)) })
		for i, u := range units {
			for _, e := range v[head][u] {
				all = append(all, agreement.Vote{Unit: i, Annotator: e.Annotator, Label: e.Label})
			}
		}
		h := headAgreement{head, agreement.Krippendorff(all), agreement.Cohen(all)}
		if h.Kappas == nil {
			h.Kappas = []agreement.Kappa{}
		}
		list = append(list, h)
	}
	return list
}
