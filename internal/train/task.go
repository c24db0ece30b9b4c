package train

import (
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// A task is one head to be trained on a corpus.
type task struct {
	*corpus
	name      string
	labels    []string // ascending
	truth     []int    // per example: its label, or -1 for none
	component []int    // per example: its source, see groups
	fold      []int    // per example; -1: kept out of sight
	folds     int      // 0: too few sources to split
	cut       cut      // what is too rare to be known
	learnt    []*seen  // per fold: what the other folds know
	known     []bool   // per example: it has a word that occurs outside its fold

	knownShares []float64 // per example: of its words those that occur outside its fold

	// Targets that have enough texts for tables of their own, ascending.
	targets []string
	target  []int // per example: its target, or -1
}

// newTask returns the task of the i-th head.
func newTask(c *corpus, name string, i int) *task {
	t := &task{corpus: c, name: name, truth: make([]int, len(c.examples))}
	for _, ex := range c.examples {
		if ex.Labels[i] != "" {
			t.labels = append(t.labels, ex.Labels[i])
		}
	}
	slices.Sort(t.labels)
	t.labels = slices.Compact(t.labels)
	if c.counted != nil {
		t.labels, _ = c.counted.heads[i].sorted()
	}
	for j, ex := range c.examples {
		at, found := slices.BinarySearch(t.labels, ex.Labels[i])
		if t.truth[j] = at; !found {
			t.truth[j] = -1
		}
	}
	t.findTargets()
	if c.counted != nil {
		t.forgetTargets()
	}
	return t
}

const (
	// minTargetTexts is how many texts a target needs for tables of its own:
	// with fewer the table of all targets is better.
	minTargetTexts = 50
	// maxTargets bounds them; the largest are taken.
	maxTargets = 64
)

// findTargets lists the targets with enough texts. A single one needs no table
// of its own: all texts are about it.
func (t *task) findTargets() {
	counts := map[string]map[int]int{}
	for i, ex := range t.examples {
		name := model.CanonicalTarget(ex.Target)
		if t.truth[i] < 0 || name == "" {
			continue
		}
		if counts[name] == nil {
			counts[name] = map[int]int{}
		}
		counts[name][t.truth[i]]++
	}
	texts := func(name string) int {
		n := 0
		for _, k := range counts[name] {
			n += k
		}
		return n
	}
	for name := range counts {
		if texts(name) >= minTargetTexts && len(counts[name]) > 1 && len(counts) > 1 && model.CheckName(name) == nil {
			t.targets = append(t.targets, name)
		}
	}
	slices.Sort(t.targets)
	slices.SortStableFunc(t.targets, func(a, b string) int { return texts(b) - texts(a) })
	t.targets = t.targets[:min(len(t.targets), maxTargets)]
	slices.Sort(t.targets)
	t.target = make([]int, len(t.examples))
	for i, ex := range t.examples {
		at, found := slices.BinarySearch(t.targets, model.CanonicalTarget(ex.Target))
		if t.target[i] = at; !found {
			t.target[i] = -1
		}
	}
}

// forgetTargets treats texts about any target alike.
func (t *task) forgetTargets() {
	t.targets = nil
	for i := range t.target {
		t.target[i] = -1
	}
}

// dealt returns the task with its examples dealt to folds.
func (t *task) dealt(component, fold []int, folds int) *task {
	d := *t
	d.component, d.fold, d.folds = component, fold, folds
	d.learnt = d.seenByOthers(fold, folds)
	for f, s := range d.learnt {
		d.learnt[f] = s.without(d.cut, d.kinds)
	}
	d.knownShares, d.known = d.knownToOthers(fold, d.learnt)
	return &d
}

// dealAs deals the examples as those of another task of the same corpus.
func (t *task) dealAs(other *task) {
	t.component, t.fold, t.folds = other.component, other.fold, other.folds
	t.learnt, t.known, t.knownShares = other.learnt, other.known, other.knownShares
}

// without returns the task with fold f kept out of sight and the other folds
// renumbered.
func (t *task) without(f int) *task {
	inner := *t
	inner.truth = slices.Clone(t.truth)
	fold := slices.Clone(t.fold)
	for i := range fold {
		switch {
		case fold[i] == f:
			fold[i], inner.truth[i] = -1, -1
		case fold[i] > f:
			fold[i]--
		}
	}
	return inner.dealt(t.component, fold, t.folds-1)
}

// labelled lists the examples with a label for which keep holds.
func (t *task) labelled(keep func(i int) bool) []int {
	var list []int
	for i, l := range t.truth {
		if l >= 0 && keep(i) {
			list = append(list, i)
		}
	}
	return list
}

// docCounts counts the labels of examples.
func (t *task) docCounts(examples []int) []uint64 {
	if t.counted != nil {
		return t.counted.docCounts(t.name)
	}
	docs := make([]uint64, len(t.labels))
	for _, i := range examples {
		docs[t.truth[i]]++
	}
	return docs
}

// shares are the labels' shares of the examples, one of each label added
// (Laplace's rule of succession): the answer to a text without evidence.
func (t *task) shares(examples []int) []float64 {
	p, docs, total := make([]float64, len(t.labels)), t.docCounts(examples), 0.0
	for _, n := range docs {
		total += float64(n)
	}
	for l, n := range docs {
		p[l] = (float64(n) + 1) / (total + float64(len(t.labels)))
	}
	return p
}

// judgement compares what is said of example i with its label.
func (t *task) judgement(i int, probabilities []float64) judge.Judgement {
	ex := t.examples[i]
	return judge.Judgement{
		Truth: t.truth[i], Predicted: argmax(probabilities), Source: t.component[i],
		Probabilities: probabilities, Row: row(ex),
	}
}

// argmax returns the position of the largest value, of equal ones the first.
func argmax[T float32 | float64](values []T) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
