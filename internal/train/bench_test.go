package train

import "testing"

// BenchmarkTrain is a whole run with the default search.
func BenchmarkTrain(b *testing.B) {
	examples := generated(1, 500)
	size := 0
	for _, ex := range examples {
		size += len(ex.Text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		mustTrain(b, examples, twoHeads, Default())
	}
}
