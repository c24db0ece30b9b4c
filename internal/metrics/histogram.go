package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// A Histogram counts values by size. Values are whole numbers, so that sums are
// exact. Any number of goroutines may use it.
type Histogram struct {
	unit   float64 // how many of the values' units make one of the exported ones
	bounds []int64 // ascending; a value that equals a bound is below it
	counts []atomic.Uint64
	sum    atomic.Int64
}

// NewHistogram returns a histogram with these upper bounds and a bucket for what
// is above them all. Exported values are unit times smaller than those observed.
func NewHistogram(unit float64, bounds ...int64) *Histogram {
	return &Histogram{unit: unit, bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts a value.
func (h *Histogram) Observe(v int64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(v)
}

// metric returns the histogram as it is now. The number of values is the sum of
// the buckets, whatever is observed meanwhile.
func (h *Histogram) metric(d *prometheus.Desc, labels ...string) prometheus.Metric {
	buckets, count := make(map[float64]uint64, len(h.bounds)), uint64(0)
	for i, bound := range h.bounds {
		count += h.counts[i].Load()
		buckets[float64(bound)/h.unit] = count
	}
	count += h.counts[len(h.bounds)].Load()
	return prometheus.MustNewConstHistogram(d, count, float64(h.sum.Load())/h.unit, buckets, labels...)
}
