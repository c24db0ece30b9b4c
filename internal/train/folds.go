package train

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// groups returns for every example the number of its component: examples of
// one source document, and examples whose texts are near-duplicates, belong
// together, since a copy of a training text on the other side of a split would
// be judged from memory. Components are numbered in order of first appearance.
func groups(examples []dataset.Example) []int {
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
	joinNearDuplicates(examples, u)
	number := map[int]int{}
	component := make([]int, len(examples))
	for i := range examples {
		root := u.find(i)
		if _, ok := number[root]; !ok {
			number[root] = len(number)
		}
		component[i] = number[root]
	}
	return component
}

const (
	// shingleWords is the length of the word sequences by which texts are
	// compared. Broder, "On the resemblance and containment of documents"
	// (1997).
	shingleWords = 3
	// nearDuplicate is the share of shingles (Jaccard index) from which two
	// texts count as copies of one another.
	nearDuplicate = 0.5
	// commonShingle is how many texts a shingle leads back to: of a phrase that
	// more have, the latest. A copy of many copies thus still finds one.
	commonShingle = 64
)

// joinNearDuplicates joins examples whose texts are nearly the same.
func joinNearDuplicates(examples []dataset.Example, u unionFind) {
	x, err := model.NewExtractor(model.Features{Words: shingleWords}, 0)
	if err != nil {
		panic(err) // a constant that NewExtractor takes
	}
	sizes := make([]int, len(examples))
	holders := map[model.FeatureID][]int32{} // the latest texts with a shingle
	for i, ex := range examples {
		shingles := countFeatures(onlyLongest(x.Extract(ex.Text)))
		sizes[i] = len(shingles)
		shared := map[int32]int{}
		for _, s := range shingles {
			h := holders[s.id]
			for _, j := range h {
				shared[j]++
			}
			holders[s.id] = append(h[max(0, len(h)-commonShingle+1):], int32(i))
		}
		for j, n := range shared { // joins commute: the order does not matter
			if float64(n) >= nearDuplicate*float64(sizes[i]+sizes[j]-n) {
				u.join(i, int(j))
			}
		}
	}
	joinEqualTexts(examples, u)
}

// joinEqualTexts joins texts that are too short for shingles.
func joinEqualTexts(examples []dataset.Example, u unionFind) {
	first := map[string]int{}
	for i, ex := range examples {
		if j, ok := first[ex.Text]; ok {
			u.join(i, j)
		} else {
			first[ex.Text] = i
		}
	}
}

// onlyLongest returns the features of shingleWords words.
func onlyLongest(features []model.Feature) []model.Feature {
	return slices.DeleteFunc(slices.Clone(features), func(f model.Feature) bool { return f.Words != shingleWords })
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
