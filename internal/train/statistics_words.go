package train

import (
	"cmp"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// statisticWords are the features of statistics. One that no row has any longer keeps
// its number, and nothing else, until the statistics are written.
type statisticWords struct {
	idTable
	list  []statistic // by number
	names []string    // by number; empty when names are not kept
	gone  int         // features without rows
}

// A statistic is what there is of a feature. Without cells it is that of none.
type statistic struct {
	check model.FeatureID // its id by another hash
	cells []cell          // by ascending key: those of all rows, then those of labels
	kind  kind
}

// A cell counts a feature in the rows of a fold: in all, or in those of a label.
type cell struct {
	key         cellKey
	texts       uint32
	occurrences uint64 // in rows of a label
}

// A cellKey says which rows a cell is about: from the lowest bit on the fold, the label
// and one more than the head, which is 0 for all rows.
type cellKey uint32

const (
	foldBits  = 7
	labelBits = 16
	ofLabels  = 1 << (foldBits + labelBits) // and above: keys of labels
)

func allRows(fold int) cellKey { return cellKey(fold) }

func rowsOf(head, label, fold int) cellKey {
	return cellKey((head+1)<<(foldBits+labelBits) | label<<foldBits | fold)
}

func (k cellKey) fold() int  { return int(k & (1<<foldBits - 1)) }
func (k cellKey) label() int { return int(k >> foldBits & (1<<labelBits - 1)) }
func (k cellKey) head() int  { return int(k>>(foldBits+labelBits)) - 1 }

// with returns the key with another label.
func (k cellKey) with(label int) cellKey { return rowsOf(k.head(), label, k.fold()) }

// get returns the statistic of a feature, or nil if no row has it.
func (t *statisticWords) get(id model.FeatureID) *statistic {
	if len(t.ids) == 0 {
		return nil
	}
	n := t.find(id)
	if n < 0 || len(t.list[n].cells) == 0 {
		return nil
	}
	return &t.list[n]
}

// size is how many features there are.
func (t *statisticWords) size() int { return len(t.list) - t.gone }

// make returns the statistic of a feature, a new one with room for so many cells if no
// row has it. It is valid until the next call.
func (t *statisticWords) make(id model.FeatureID, new statistic, name string, cells int) *statistic {
	n := t.add(id)
	if n == len(t.list) {
		t.list = append(t.list, statistic{})
		t.gone++
	}
	w := &t.list[n]
	if len(w.cells) > 0 {
		return w
	}
	*w = new
	w.cells = make([]cell, 0, cells)
	t.gone--
	if name != "" {
		t.names = append(t.names, make([]string, len(t.list)-len(t.names))...)
		t.names[n] = name
	}
	return w
}

// name is what a feature is called, "" if that is not kept.
func (t *statisticWords) name(id model.FeatureID) string {
	if n := t.find(id); n < len(t.names) {
		return t.names[n]
	}
	return ""
}

// drop forgets a feature that no row has.
func (t *statisticWords) drop(id model.FeatureID) {
	n := t.find(id)
	t.list[n] = statistic{}
	t.gone++
	if n < len(t.names) {
		t.names[n] = ""
	}
}

// all calls yield with every feature.
func (t *statisticWords) all(yield func(model.FeatureID, *statistic) bool) {
	for n := range t.list {
		if len(t.list[n].cells) > 0 && !yield(t.ids[n], &t.list[n]) {
			return
		}
	}
}

// sorted calls yield with every feature by ascending id.
func (t *statisticWords) sorted(yield func(model.FeatureID, *statistic) bool) {
	order := make([]uint32, 0, t.size())
	for n := range t.list {
		if len(t.list[n].cells) > 0 {
			order = append(order, uint32(n))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(t.ids[a], t.ids[b]) })
	for _, n := range order {
		if !yield(t.ids[n], &t.list[n]) {
			return
		}
	}
}

// at returns the cell of a key, which is made if it is not there.
func (w *statistic) at(key cellKey) *cell {
	at, found := slices.BinarySearchFunc(w.cells, key, cell.compareKey)
	if !found {
		w.cells = slices.Insert(w.cells, at, cell{key: key})
	}
	return &w.cells[at]
}

// has returns what is counted for a key.
func (w *statistic) has(key cellKey) cell {
	if at, found := slices.BinarySearchFunc(w.cells, key, cell.compareKey); found {
		return w.cells[at]
	}
	return cell{key: key}
}

func (c cell) compareKey(key cellKey) int { return cmp.Compare(c.key, key) }

// ofAll are the cells of all rows, by fold.
func (w *statistic) ofAll() []cell {
	at, _ := slices.BinarySearchFunc(w.cells, ofLabels, cell.compareKey)
	return w.cells[:at]
}

// ofLabels are the cells of rows with labels, by head, label and fold.
func (w *statistic) ofLabels() []cell { return w.cells[len(w.ofAll()):] }

// texts is how many rows have the feature.
func (w *statistic) texts() uint32 {
	sum := uint32(0)
	for _, c := range w.ofAll() {
		sum += c.texts
	}
	return sum
}

// relabelled gives the labels of cells other numbers, by head and number.
func relabelled(cells []cell, numbers [][]int) []cell {
	list := slices.Clone(cells)
	for i, c := range list {
		if c.key >= ofLabels {
			list[i].key = c.key.with(numbers[c.key.head()][c.key.label()])
		}
	}
	slices.SortFunc(list, func(a, b cell) int { return cmp.Compare(a.key, b.key) })
	return list
}

// plus adds cells, of which the labels are numbered alike.
func (w *statistic) plus(cells []cell) {
	for _, c := range cells {
		to := w.at(c.key)
		to.texts += c.texts
		to.occurrences += c.occurrences
	}
}

// minus takes cells away, see covers.
func (w *statistic) minus(cells []cell) {
	for _, c := range cells {
		from := w.at(c.key)
		from.texts -= c.texts
		from.occurrences -= c.occurrences
	}
	w.cells = slices.DeleteFunc(w.cells, func(c cell) bool { return c.texts == 0 })
}

// covers reports whether cells can be taken away.
func (w *statistic) covers(cells []cell) bool {
	return !slices.ContainsFunc(cells, func(c cell) bool {
		own := w.has(c.key)
		return own.texts < c.texts || own.occurrences < c.occurrences
	})
}
