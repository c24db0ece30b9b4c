package suggest

import (
	"cmp"
	"math"
	"slices"
)

const (
	// maxClusters bounds the work of a large batch: beyond it a cluster gives more
	// texts than one.
	maxClusters = 64
	// clusterSteps is how often clusters are moved to their middle.
	clusterSteps = 4
	// leastWeight is that of a text of which the model is sure.
	leastWeight = 1e-3
)

// spread clusters candidates by their words and ranks those of each cluster: 0 for
// the one that is nearest to its middle. It is k-means on the sphere: Dhillon and
// Modha, "Concept decompositions for large sparse text data using clustering"
// (2001). Clusters start from candidates that chance puts first.
func spread(list []*candidate, k int) {
	texts := make([]string, len(list))
	for i, c := range list {
		texts[i] = c.Text
	}
	vectors, words := vectorise(texts)
	start := slices.Clone(list)
	slices.SortFunc(start, func(a, b *candidate) int { return cmp.Compare(a.place, b.place) })
	at := map[*candidate]int{}
	for i, c := range list {
		at[c] = i
	}
	middles := make([][]float64, min(k, len(list)))
	for m := range middles {
		middles[m] = make([]float64, words)
		vectors[at[start[m]]].addTo(middles[m], 1)
	}
	cluster, near := make([]int, len(list)), make([]float64, len(list))
	for range clusterSteps {
		for i, v := range vectors {
			cluster[i], near[i] = v.nearest(middles)
		}
		for m := range middles {
			clear(middles[m])
		}
		for i, v := range vectors {
			v.addTo(middles[cluster[i]], list[i].weight())
		}
		for _, m := range middles {
			normalise(m)
		}
	}
	rank(list, cluster, near)
}

// weight is how much a candidate counts in its cluster.
func (c *candidate) weight() float64 {
	if len(c.Answers) == 0 {
		return 1
	}
	return max(leastWeight, c.uncertainty)
}

// rank numbers the candidates of each cluster by their distance from its middle.
func rank(list []*candidate, cluster []int, near []float64) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(near[b], near[a]), compareCandidates(list[a], list[b]))
	})
	ranks := map[int]int{}
	for _, i := range order {
		list[i].rank = ranks[cluster[i]]
		ranks[cluster[i]]++
	}
}

// nearest is the middle that is nearest, and the cosine to it; of equal ones the
// first.
func (v vector) nearest(middles [][]float64) (int, float64) {
	best, most := 0, -1.0
	for m, middle := range middles {
		sum := 0.0
		for j, word := range v.words {
			sum += float64(v.values[j] * middle[word])
		}
		if sum > most {
			best, most = m, sum
		}
	}
	return best, most
}

func (v vector) addTo(middle []float64, weight float64) {
	for j, word := range v.words {
		middle[word] += float64(weight * v.values[j])
	}
}

// normalise brings values to length 1, unless all are 0.
func normalise(values []float64) {
	sum := 0.0
	for _, x := range values {
		sum += float64(x * x)
	}
	if sum == 0 {
		return
	}
	for i, length := 0, math.Sqrt(sum); i < len(values); i++ {
		values[i] /= length
	}
}
