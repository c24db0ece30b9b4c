package suggest

import (
	"cmp"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

const (
	// keptPerLabel is how many candidates of a label are kept for each one that a
	// batch may have, so that some are left when those nearly the same are skipped.
	keptPerLabel = 64
	// maxKept bounds the candidates of all labels; where labels are many, less of
	// each are kept.
	maxKept = 20000
	// maxKin is how many candidates of a label may be of one kin: a thousand copies
	// of a circular must not crowd out everything else.
	maxKin = 3
)

// A candidate is a text that may be suggested.
type candidate struct {
	Row         // with the answers that count
	place       uint64
	uncertainty float64
	kin         model.FeatureID
	rank        int // in its cluster
}

// kinOf is the same for two near-duplicates with a probability of their similarity,
// and hardly ever for others: the shingle of least hash (Broder, "On the resemblance
// and containment of documents", 1997).
func kinOf(shingles []model.FeatureID) model.FeatureID {
	least := model.FeatureID(0)
	for _, s := range shingles {
		if h := s * 0x9e3779b97f4a7c15; least == 0 || h < least {
			least = h
		}
	}
	return least
}

// compareCandidates puts the less sure first, then goes by chance.
func compareCandidates(a, b *candidate) int {
	return cmp.Or(cmp.Compare(b.uncertainty, a.uncertainty), cmp.Compare(a.place, b.place))
}

// A keeper keeps the best candidates of each label. What it keeps does not depend
// on the order in which they come.
type keeper struct {
	size    int // of a bucket
	kept    int
	buckets map[string][]*candidate // best first
}

func newKeeper(n int) keeper {
	return keeper{size: min(maxKept, keptPerLabel*mostPerLabel(n, 0)), buckets: map[string][]*candidate{}}
}

// bucket names the label of the head that is least sure.
func (c *candidate) bucket() string {
	name, least := "", 2.0
	for _, a := range c.Answers {
		if m := margin(a.Scores); m < least {
			name, least = a.Head+"\x00"+a.Scores[0].Label, m
		}
	}
	return name
}

// wants reports whether c is good enough.
func (k *keeper) wants(c *candidate) bool {
	list := k.buckets[c.bucket()]
	return len(list) < k.size || compareCandidates(c, list[len(list)-1]) < 0
}

// add adds a candidate that the keeper wants, unless better ones of its kin are
// there.
func (k *keeper) add(c *candidate) {
	name := c.bucket()
	list := k.buckets[name]
	kin, worst := 0, -1
	for i, o := range list {
		if c.kin != 0 && o.kin == c.kin {
			kin, worst = kin+1, i
		}
	}
	k.kept -= len(list)
	if kin >= maxKin {
		if compareCandidates(list[worst], c) < 0 {
			k.kept += len(list)
			return
		}
		list = slices.Delete(list, worst, worst+1)
	}
	at, _ := slices.BinarySearchFunc(list, c, compareCandidates)
	list = slices.Insert(list, at, c)
	list = list[:min(len(list), k.size)]
	k.buckets[name] = list
	k.kept += len(list)
	for k.kept > maxKept && k.size > 1 {
		k.shrink()
	}
}

// shrink halves the buckets.
func (k *keeper) shrink() {
	k.size /= 2
	k.kept = 0
	for name, list := range k.buckets {
		if len(list) > k.size {
			list = slices.Clone(list[:k.size])
			k.buckets[name] = list
		}
		k.kept += len(list)
	}
}

// all returns the candidates, best first.
func (k *keeper) all() []*candidate {
	var list []*candidate
	for _, b := range k.buckets {
		list = append(list, b...)
	}
	slices.SortFunc(list, compareCandidates)
	return list
}
