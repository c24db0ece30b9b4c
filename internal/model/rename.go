package model

import (
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/quote"
)

// LabelName is what a label is called.
func (h *Head) LabelName(label int) string {
	if len(h.Names) == 0 {
		return h.Labels[label]
	}
	return h.Names[label]
}

// Rename returns the model with other names for labels of a head: names says
// what a label is called from now on, where the label itself takes its name
// away. Other labels are called as before. Only the names change, and with them
// the model's identity: renamed back, it has the file that it had. The errors
// say what there is to be renamed, or what is wrong with a name.
func (m *Model) Rename(head string, names map[string]string) (*Model, error) {
	at := m.Head(head)
	if at < 0 {
		var heads []string
		for _, h := range m.spec.Heads {
			heads = append(heads, h.Name)
		}
		return nil, fmt.Errorf("the model has no head %q: it has %s", head, quote.List(heads))
	}
	h := m.spec.Heads[at]
	if err := h.rename(names); err != nil {
		return nil, fmt.Errorf("head %q: %w", head, err)
	}
	s := specOf(m)
	s.Heads[at].Names = h.Names
	return New(*s)
}

// rename gives h a new list of names.
func (h *Head) rename(names map[string]string) error {
	list := make([]string, len(h.Labels))
	found := 0
	for i, label := range h.Labels {
		list[i] = h.LabelName(i)
		if name, ok := names[label]; ok {
			list[i] = name
			found++
		}
	}
	if found < len(names) {
		return fmt.Errorf("no label %s: it has %s", quote.List(h.strangers(names)), quote.List(h.Labels))
	}
	h.Names = list
	if slices.Equal(list, h.Labels) {
		h.Names = nil
	}
	return h.checkNames()
}

// strangers returns the keys of names that are no labels of h, ascending.
func (h *Head) strangers(names map[string]string) []string {
	var list []string
	for label := range names {
		if _, found := slices.BinarySearch(h.Labels, label); !found {
			list = append(list, label)
		}
	}
	slices.Sort(list)
	return list
}

// specOf returns what m is made of, read from its tables.
func specOf(m *Model) *Spec {
	s := m.spec
	s.Heads = slices.Clone(m.spec.Heads)
	s.IDs, s.Weights, s.IDF = rowsOf(&m.table, m.spec.Heads)
	for i := range s.Heads {
		if h := &s.Heads[i]; len(h.Targets) > 0 {
			h.TargetIDs, h.TargetWeights, _ = rowsOf(&m.targets[i], m.spec.Heads[i:i+1])
		}
	}
	s.Strings = m.Strings()
	return &s
}

// rowsOf reads the rows of a table into the lists of a Spec.
func rowsOf(t *table, heads []Head) (ids []FeatureID, weights []int16, idf []uint16) {
	for row := range uint32(t.rows) {
		ids = append(ids, t.id(row))
		for h, columns := range t.first {
			for _, column := range columns {
				if column >= 0 {
					for l := range heads[h].Labels {
						weights = append(weights, int16(t.weight(row, column+l)))
					}
				}
			}
		}
		if t.idf > 0 {
			idf = append(idf, t.idfOf(row))
		}
	}
	return ids, weights, idf
}
