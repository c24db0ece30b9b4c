package train

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
)

// groups returns for every example the number of its component: examples of
// one source document, and examples whose texts are near-duplicates, belong
// together, since a copy of a training text on the other side of a split would
// be judged from memory. Components are numbered in order of first appearance.
func groups(examples []dataset.Example) []int {
	return components(examples, inMemory(examples), textBytes(examples))
}

// components is groups for texts that come by passes; bytes is about how long
// they are together.
func components(examples []dataset.Example, each pass, bytes int) []int {
	u := make(unionFind, len(examples))
	for i := range u {
		u[i] = i
	}
	first := map[string]int{}
	for i, ex := range examples {
		if ex.Group == "" {
			continue
		}
		if j, ok := first[ex.Group]; ok {
			u.join(i, j)
		} else {
			first[ex.Group] = i
		}
	}
	joinNearDuplicates(u, each, bytes)
	component, next := make([]int, len(examples)), 0
	for i := range examples {
		if root := u.find(i); root < i { // the smallest of a set is its root
			component[i] = component[root]
		} else {
			component[i] = next
			next++
		}
	}
	return component
}

// textBytes is the length of the examples' texts together.
func textBytes(examples []dataset.Example) int {
	n := 0
	for _, ex := range examples {
		n += len(ex.Text)
	}
	return n
}

// A unionFind is a forest of sets; each element points to its parent, a root
// to itself.
type unionFind []int

func (u unionFind) find(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

// join makes the smaller root that of both: the result does not depend on the
// order of joins.
func (u unionFind) join(i, j int) {
	i, j = u.find(i), u.find(j)
	u[max(i, j)] = min(i, j)
}

// folds deals the components to k folds, largest first, each to the fold that
// then has the most even share of every label of every head. It returns the
// fold of every example. Another deal gives another order to components of the
// same size.
func folds(component []int, labels [][]int, k int, deal uint64) []int {
	members := make([][]int, slices.Max(component)+1)
	for i, c := range component {
		members[c] = append(members[c], i)
	}
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	if deal > 0 {
		rand.New(rand.NewPCG(deal, 0x6465616c)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(members[b]), len(members[a])) })
	d := newDealer(labels, k)
	fold := make([]int, len(component))
	for _, c := range order {
		best := d.best(members[c])
		d.deal(best, members[c])
		for _, i := range members[c] {
			fold[i] = best
		}
	}
	return fold
}

// A dealer keeps count of the labels in each fold.
type dealer struct {
	labels [][]int   // per head, per example: the label or -1
	counts [][][]int // per fold, head and label
	totals [][]int   // per head and label
	sizes  []int     // per fold
}

func newDealer(labels [][]int, k int) *dealer {
	d := &dealer{labels: labels, counts: make([][][]int, k), sizes: make([]int, k)}
	for _, of := range labels {
		d.totals = append(d.totals, make([]int, slices.Max(of)+1))
	}
	for h, of := range labels {
		for _, l := range of {
			if l >= 0 {
				d.totals[h][l]++
			}
		}
	}
	for f := range d.counts {
		for h := range labels {
			d.counts[f] = append(d.counts[f], make([]int, len(d.totals[h])))
		}
	}
	return d
}

// best returns the fold that a component of these members suits best: the one
// whose labels would stray least above an even share; of equal ones the
// smallest, then the first.
func (d *dealer) best(members []int) int {
	best, bestCost := 0, 0.0
	for f := range d.counts {
		cost := d.cost(f, members)
		if f == 0 || cost < bestCost || cost == bestCost && d.sizes[f] < d.sizes[best] {
			best, bestCost = f, cost
		}
	}
	return best
}

// cost is how much fuller fold f would be with members, per label weighted by
// its rarity: the growth of the sum of squared shares.
func (d *dealer) cost(f int, members []int) float64 {
	cost := 0.0
	for h, of := range d.labels {
		for _, i := range members {
			if l := of[i]; l >= 0 {
				cost += float64(d.counts[f][h][l]) / float64(d.totals[h][l])
			}
		}
	}
	return cost
}

func (d *dealer) deal(f int, members []int) {
	d.sizes[f] += len(members)
	for h, of := range d.labels {
		for _, i := range members {
			if l := of[i]; l >= 0 {
				d.counts[f][h][l]++
			}
		}
	}
}
