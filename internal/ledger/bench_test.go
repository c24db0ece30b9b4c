package ledger

import (
	"fmt"
	"path/filepath"
	"testing"
)

// BenchmarkAdd: durable labels, so many a call.
func BenchmarkAdd(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l := benchLedger(b)
			n := 0
			for b.Loop() {
				addMany(b, l, n, size)
				n += size
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "labels/s")
		})
	}
}

// BenchmarkResolve: 100,000 labels.
func BenchmarkResolve(b *testing.B) {
	l := benchLedger(b)
	for n := 0; n < 100_000; n += MaxBatch {
		addMany(b, l, n, MaxBatch)
	}
	for b.Loop() {
		if r, err := l.Resolve(b.Context(), 0); err != nil || len(r.Rows) != 100_000 {
			b.Fatal(len(r.Rows), err)
		}
	}
}

func benchLedger(b *testing.B) *Ledger {
	l, err := Open(b.Context(), filepath.Join(b.TempDir(), "labels.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}

func addMany(b *testing.B, l *Ledger, first, size int) {
	labels := make([]NewLabel, size)
	for i := range labels {
		labels[i] = label(fmt.Sprintf("text %d, which is about as long as a short paragraph would be in a newspaper", first+i), "topic", "x", "ann")
	}
	if _, err := l.Add(b.Context(), fmt.Sprint(first), labels); err != nil {
		b.Fatal(err)
	}
}
