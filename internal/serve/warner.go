package serve

import (
	"slices"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A warner notices labels that the live model does not have. They are taken, as new
// labels are how models grow, but they may be typos.
type warner struct {
	heads []model.Head
	seen  map[[2]string]parleyv1.LabelWarning // by head and label
	// What was warned of: heads of the model, and whether one that it has not.
	warned      map[string]bool
	unknownHead bool
}

// warner returns one of the live model; without a model it warns of nothing.
func (s *Server) warner() *warner {
	w := &warner{seen: map[[2]string]parleyv1.LabelWarning{}, warned: map[string]bool{}}
	if h := s.held.Load(); h != nil {
		w.heads = h.live.model.Heads()
	}
	return w
}

// warning says what looks like a mistake.
func (w *warner) warning(n *ledger.NewLabel) parleyv1.LabelWarning {
	key := [2]string{n.Head, n.Label}
	warning, seen := w.seen[key]
	if !seen && len(w.heads) > 0 {
		warning = w.look(n.Head, n.Label)
		w.seen[key] = warning
	}
	return warning
}

func (w *warner) look(head, label string) parleyv1.LabelWarning {
	i := slices.IndexFunc(w.heads, func(h model.Head) bool { return h.Name == head })
	switch {
	case i < 0:
		w.unknownHead = true
		return parleyv1.LabelWarning_LABEL_WARNING_UNKNOWN_HEAD
	case label != "" && !slices.Contains(w.heads[i].Labels, label):
		w.warned[head] = true
		return parleyv1.LabelWarning_LABEL_WARNING_UNKNOWN_LABEL
	}
	return parleyv1.LabelWarning_LABEL_WARNING_UNSPECIFIED
}

// known is what the model has instead.
func (w *warner) known() []*parleyv1.KnownHead {
	var list []*parleyv1.KnownHead
	for i := range w.heads {
		h := &w.heads[i]
		switch {
		case w.warned[h.Name]:
			list = append(list, &parleyv1.KnownHead{Head: h.Name, Labels: h.Labels})
		case w.unknownHead:
			list = append(list, &parleyv1.KnownHead{Head: h.Name})
		}
	}
	return list
}
