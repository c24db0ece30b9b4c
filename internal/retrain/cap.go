package retrain

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
)

const (
	// capLeast is how many rows every source may add.
	capLeast = 200
	// capShare is the part of all rows that a source may have beyond that.
	capShare = 4
)

// A Capped is a source of which rows were left out.
type Capped struct {
	Source string `json:"source"`
	Rows   int    `json:"rows"` // that it has
	Out    int    `json:"left_out"`
}

// cap leaves out rows of sources that have more than most: no single source may
// say what the model learns. 0 stands for a quarter of all rows, or capLeast if
// that is more, where there are base files; without them the ledger is all there
// is, and nothing is left out. Below 0 nothing is left out either.
//
// Rows count for a source if no other vouches for any label of theirs and no
// base file has the text. Those that stay are chosen by a hash of their text: a
// fair sample of the source, and the same ones when it grows.
func (r *Rows) cap(most int, base bool) {
	switch {
	case most < 0 || most == 0 && !base:
		return
	case most == 0:
		most = max(capLeast, len(r.List)/capShare)
	}
	out := map[int]bool{}
	for _, s := range r.bySource() {
		if len(s.rows) <= most {
			continue
		}
		slices.SortFunc(s.rows, func(a, b int) int { return compareHashes(r.List[a].Text, r.List[b].Text) })
		for _, i := range s.rows[most:] {
			out[i] = true
		}
		r.Capped = append(r.Capped, Capped{s.name, len(s.rows), len(s.rows) - most})
	}
	if len(out) == 0 {
		return
	}
	var kept []Row
	for i, row := range r.List {
		if !out[i] {
			kept = append(kept, row)
		}
	}
	r.List = kept
}

// A sourceRows is the rows that one source alone gave.
type sourceRows struct {
	name string
	rows []int
}

// bySource lists the sources of the ledger's rows, ascending.
func (r *Rows) bySource() []sourceRows {
	at := map[string]int{}
	var list []sourceRows
	for i, row := range r.List {
		name, only := row.onlySource()
		if !only {
			continue
		}
		if _, known := at[name]; !known {
			at[name] = len(list)
			list = append(list, sourceRows{name: name})
		}
		list[at[name]].rows = append(list[at[name]].rows, i)
	}
	slices.SortFunc(list, func(a, b sourceRows) int { return cmp.Compare(a.name, b.name) })
	return list
}

// onlySource is the source that all labels of a row come from, if there is one.
func (r *Row) onlySource() (name string, only bool) {
	for h := range r.Given {
		g := &r.Given[h]
		switch {
		case g.Base:
			return "", false
		case !g.byLedger():
			continue
		case len(g.Sources) != 1 || only && g.Sources[0] != name:
			return "", false
		}
		name, only = g.Sources[0], true
	}
	return name, only
}

func compareHashes(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return bytes.Compare(x[:], y[:])
}
