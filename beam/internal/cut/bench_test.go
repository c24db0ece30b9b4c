package cut

import (
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

// How fast line ends are counted, which is all that is read twice.
func BenchmarkScan(b *testing.B) {
	line := `{"id": "p000000001", "text": "` + strings.Repeat("Words of a paragraph, ", 18) + `"}` + "\n"
	files := write(b, "a.jsonl", strings.Repeat(line, 100_000))
	c := Chunks(files, dataset.FormatAuto, files[0].Bytes/2+1)[1]
	b.SetBytes(c.To - c.From)
	for b.Loop() {
		if _, err := c.Scan(b.Context(), dataset.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
