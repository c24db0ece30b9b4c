package main

import (
	"math"
	"slices"
)

// A spread is what repeated runs gave.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Runs   int     `json:"runs"`
}

// spreadOf returns the spread of a list, all zeros when it is empty.
func spreadOf(list []float64) spread {
	n := len(list)
	if n == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(list))
	return spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1], n}
}

// exactly is the spread of a value that is the same in all runs.
func exactly(v float64) spread { return spreadOf([]float64{v}) }

// quotients divides run by run.
func quotients(a, b []float64) []float64 {
	list := make([]float64, min(len(a), len(b)))
	for i := range list {
		list[i] = a[i] / b[i]
	}
	return list
}

// differences subtracts run by run.
func differences(a, b []float64) []float64 {
	list := make([]float64, min(len(a), len(b)))
	for i := range list {
		list[i] = a[i] - b[i]
	}
	return list
}

// times multiplies all of list.
func times(list []float64, factor float64) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = v * factor
	}
	return out
}

// percentile returns the least value that at least a share of the list does not
// exceed: the nearest rank. List is sorted and not empty.
func percentile(list []float64, share float64) float64 {
	rank := int(math.Ceil(share * float64(len(list))))
	return list[max(rank, 1)-1]
}
