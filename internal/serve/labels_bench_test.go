package serve

import (
	"fmt"
	"testing"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// BenchmarkCreateLabels gives labels of texts of 200 bytes, so many a call, each call
// after the other and durable in a file.
func BenchmarkCreateLabels(b *testing.B) {
	for _, size := range []int{1, 100, 500} {
		b.Run(fmt.Sprintf("labels=%d", size), func(b *testing.B) {
			d := startDesk(b, Config{})
			n := 0
			for b.Loop() {
				labels := make([]*parleyv1.NewLabel, size)
				for i := range labels {
					n++
					labels[i] = label(fmt.Sprintf("%0200d", n), "topic", "sport")
				}
				if _, err := d.labels.BatchCreateLabels(b.Context(), newLabels(fmt.Sprint(n), labels...)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "labels/s")
		})
	}
}
