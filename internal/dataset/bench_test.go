package dataset

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRows reads paragraphs of about 700 bytes.
func BenchmarkRows(b *testing.B) {
	para := strings.Repeat("He said “no deal”, and the talks in Alaska went on. ", 13)
	for _, f := range []struct{ name, head, row string }{
		{"in.jsonl", "", "{\"id\":%d,\"text\":\"%s\",\"topic\":\"summit\",\"stance\":\"neutral\"}\n"},
		{"in.csv", "id,text,topic,stance\n", "%d,\"%s\",summit,neutral\n"},
		{"in.tsv", "id\ttext\ttopic\tstance\n", "%d\t%s\tsummit\tneutral\n"},
	} {
		data := f.head + strings.Repeat(fmt.Sprintf(f.row, 1, para), 1000)
		b.Run(f.name[3:], func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range Rows(text(f.name, data), Options{}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
