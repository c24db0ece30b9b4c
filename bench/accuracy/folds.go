package main

import (
	"fmt"
	"slices"
)

// stratifiedFolds deals rows with the given labels to k folds of about equal
// shares of each label: the same as scikit-learn's StratifiedKFold(k,
// shuffle=True, random_state=0). It fails when no label has k rows.
func stratifiedFolds(labels []string, k int) ([]int, error) {
	codes, sizes := encode(labels)
	if len(sizes) == 0 || slices.Max(sizes) < k {
		return nil, fmt.Errorf("no label has the %d rows that %d folds take", k, k)
	}
	rng := newMersenneTwister(0)
	queues := make([][]int, len(sizes)) // of each label, the folds of its rows in order
	for label, folds := range allocate(sizes, k) {
		for fold, n := range folds {
			queues[label] = append(queues[label], slices.Repeat([]int{fold}, n)...)
		}
		rng.shuffle(queues[label])
	}
	folds := make([]int, len(labels))
	for i, c := range codes {
		folds[i], queues[c] = queues[c][0], queues[c][1:]
	}
	return folds, nil
}

// encode numbers labels by first appearance and counts them.
func encode(labels []string) (codes, sizes []int) {
	at := map[string]int{}
	for _, l := range labels {
		c, ok := at[l]
		if !ok {
			c = len(sizes)
			at[l] = c
			sizes = append(sizes, 0)
		}
		codes = append(codes, c)
		sizes[c]++
	}
	return codes, sizes
}

// allocate says how many rows of each label go to each fold, when rows sorted
// by label are dealt in turn.
func allocate(sizes []int, k int) [][]int {
	byLabel := make([][]int, len(sizes))
	dealt := 0
	for l, n := range sizes {
		byLabel[l] = make([]int, k)
		for range n {
			byLabel[l][dealt%k]++
			dealt++
		}
	}
	return byLabel
}
