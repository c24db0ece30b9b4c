package retrain

import "github.com/parley-nlp/parley/internal/ledger"

// A renaming follows the remaps of labels that came after a position, in their
// order. A nil one changes nothing.
type renaming struct{ remaps []ledger.Remap }

// newRenaming takes those remaps that are newer than a position.
func newRenaming(remaps []ledger.Remap, after int64) *renaming {
	r := &renaming{}
	for _, m := range remaps {
		if m.Seq > after {
			r.remaps = append(r.remaps, m)
		}
	}
	return r
}

// of is what a label is called now, or "" when it was split or dropped: then
// nobody has said what it is now.
func (r *renaming) of(head, label string) string {
	if r == nil {
		return label
	}
	for _, m := range r.remaps {
		switch {
		case label == "" || m.Head != head || m.From != label:
		case len(m.To) == 1:
			label = m.To[0]
		default:
			label = ""
		}
	}
	return label
}
