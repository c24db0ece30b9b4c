package dataset

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// parquetOf returns a Parquet file of rows.
func parquetOf[T any](t testing.TB, rows []T, opts ...parquet.WriterOption) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, opts...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type article struct {
	ID     int64    `parquet:"id"`
	Text   *string  `parquet:"text,optional"`
	Topic  string   `parquet:"topic,dict"`
	Source string   `parquet:"group,zstd"`
	Score  *float64 `parquet:"score,optional"`
	Good   bool     `parquet:"good"`
}

func articles(n int) []article {
	var rows []article
	for i := range n {
		text, score := fmt.Sprintf("text “%d”", i), float64(i)/4
		rows = append(rows, article{int64(i), &text, []string{"sport", "money"}[i%2], "g" + fmt.Sprint(i%3), &score, i%2 == 0})
	}
	return rows
}

func TestParquet(t *testing.T) {
	rows := articles(3)
	rows[1].Text, rows[2].Score = nil, nil
	nul := "a\x00"
	bad := "\xff"
	rows = append(rows, article{Text: &nul}, article{Text: &bad}, rows[0])
	nan := math.NaN()
	rows[5].Score = &nan
	data := parquetOf(t, rows)
	want := []string{
		`1: "text “0”" id=0 group=g0 [sport]`, "bad: f.parquet:2: text: want a string, got null", `3: "text “2”" id=2 group=g2 [sport]`,
		"bad: f.parquet:4: text: NUL byte at byte 2", "bad: f.parquet:5: text: invalid UTF-8 at byte 1", `6: "text “0”" id=0 group=g0 [sport]`,
	}
	opts := Options{Heads: []string{"topic"}}
	compare(t, dump(text("f.parquet", data), opts), want)
	compare(t, dump(text("f.csv", data), opts), strings.Split(strings.ReplaceAll(strings.Join(want, "\n"), "f.parquet", "f.csv"), "\n"))
	opts.Format = FormatParquet
	compare(t, dump(text("f.parquet", data), opts), want)

	got := kept(t, text("f.parquet", data), Options{NoLabels: true, Keep: []string{KeepAll}})
	if want := `topic=sport group=g0 score:0 good:true`; got[0] != want {
		t.Errorf("got %s, want %s", got[0], want)
	}
	if want := `topic=sport group=g2 score:null good:true`; got[2] != want || !strings.Contains(got[5], "score:null") {
		t.Errorf("got %s and %s, want %s", got[2], got[5], want)
	}
}

// Rows of many pages and groups, from a file and from a stream, which leaves no
// temporary file.
func TestLargeParquet(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	data := parquetOf(t, articles(20_000), parquet.MaxRowsPerRowGroup(3000), parquet.PageBufferSize(4096))
	name := filepath.Join(t.TempDir(), "f.parquet")
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, src := range []Source{file(name), text("-", data)} {
		n := 0
		for ex, err := range Rows(src, Options{NoLabels: true}) {
			if err != nil || ex.Line != n+1 || ex.ID != fmt.Sprint(n) || ex.Text != fmt.Sprintf("text “%d”", n) {
				t.Fatalf("%s, row %d: got %+v, error %v", src.Name(), n+1, ex, err)
			}
			n++
		}
		if n != 20_000 {
			t.Errorf("%s: got %d rows", src.Name(), n)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, error %v", left, err)
	}
	if set, err := ReadAll([]Source{file(name)}, Options{}); err != nil || len(set.Examples) != 20_000 || set.Examples[1].Labels[0] != "money" {
		t.Errorf("got %v, error %v", set, err)
	}
}

func TestParquetTypes(t *testing.T) {
	type typed struct {
		Text  string    `parquet:"text"`
		Day   int32     `parquet:"day,date"`
		Milli time.Time `parquet:"milli,timestamp(millisecond)"`
		Nano  time.Time `parquet:"nano,timestamp(nanosecond:local)"`
		Clock int32     `parquet:"clock,time(millisecond)"`
		Price int64     `parquet:"price,decimal(2:9)"`
		Big   uint64    `parquet:"big"`
		Small uint8     `parquet:"small"`
		F     float32   `parquet:"f"`
		JSON  string    `parquet:"json,json"`
		UUID  [16]byte  `parquet:"uuid,uuid"`
		Kind  string    `parquet:"kind,enum"`
		Bytes []byte    `parquet:"bytes"`
	}
	at := time.Date(2025, 8, 15, 11, 30, 5, 250_000_000, time.UTC)
	data := parquetOf(t, []typed{{
		"a", 20315, at, at.Add(7), 3_723_004, -105, math.MaxUint64, 255, 0.1, " {\"a\":\n[1, 2]} ", [16]byte{0xde, 0xad, 15: 1}, "x", []byte("raw"),
	}})
	const want = `day=2025-08-15 milli=2025-08-15T11:30:05.25Z nano=2025-08-15T11:30:05.250000007 clock=01:02:03.004 price:-1.05 ` +
		`big:18446744073709551615 small:255 f:0.1 json:{"a":[1,2]} uuid=dead0000-0000-0000-0000-000000000001 kind=x bytes=raw`
	if got := kept(t, text("f.parquet", data), Options{NoLabels: true, Keep: []string{KeepAll}}); len(got) != 1 || got[0] != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParquetColumns(t *testing.T) {
	type nested struct {
		Body string   `parquet:"body"`
		Tags []string `parquet:"tags,list"`
		Nr   int32    `parquet:"nr"`
	}
	data := parquetOf(t, []nested{{"some text", []string{"a"}, 1}, {"more", nil, 2}})
	for _, c := range []struct {
		opts Options
		want string
	}{
		{Options{}, `final: f.parquet: no text column "text"; the columns are "body", "nr"`},
		{Options{Columns: Columns{Text: "body", ID: "nr"}}, `1: "some text" id=1 2: "more" id=2`},
		{Options{Columns: Columns{Text: "tags"}}, `final: f.parquet: column "tags" is no plain column: a list, a map or a group cannot be read`},
		{Options{Columns: Columns{Text: "body"}, Keep: []string{"*"}}, `final: f.parquet: column "tags" is no plain column: a list, a map or a group cannot be read`},
		{Options{Columns: Columns{Text: "body", ID: "none"}}, `final: f.parquet: no id column "none"; the columns are "body", "nr"`},
		{Options{Columns: Columns{Text: "nr"}}, "bad: f.parquet:1: nr: want a string, got number bad: f.parquet:2: nr: want a string, got number"},
		{Options{Columns: Columns{Text: "body"}, MaxRowBytes: 5}, `bad: f.parquet:1: row longer than the limit of 5 bytes 2: "more"`},
	} {
		c.opts.NoLabels = true
		if got := strings.Join(dump(text("f.parquet", data), c.opts), " "); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.opts, got, c.want)
		}
	}
	guess := columnError(t, lastError(text("f.parquet", data), Options{NoLabels: true}))
	if guess.TextGuess != "body" {
		t.Errorf("got the guess %q", guess.TextGuess)
	}
}

func TestBrokenParquet(t *testing.T) {
	data := parquetOf(t, articles(5000), parquet.PageBufferSize(4096))
	huge := strings.Repeat("\xff", 4)
	for _, c := range []struct{ name, file, data, want string }{
		{"cut", "f.parquet", data[:len(data)/2], "f.parquet: broken Parquet: the file ends early"},
		{"nothing but the beginning", "f.parquet", "PAR1", "f.parquet: broken Parquet: the file ends early"},
		{"a footer without end", "f.parquet", data[:len(data)-8] + huge + "PAR1", "f.parquet: broken Parquet: the footer is longer than the file"},
		{"no Parquet", "f.parquet", "text\na\n", "f.parquet: the file is no Parquet"},
		{"in gzip", "f.parquet.gz", zipped(t, data), "f.parquet.gz: the file is Parquet in gzip: unpack it first"},
		{"empty", "f.parquet", "", "f.parquet: no rows"},
		{"no rows", "f.parquet", parquetOf(t, []article{}), "f.parquet: no rows"},
	} {
		if got := lastError(text(c.file, c.data), Options{NoLabels: true}); got == nil || got.Error() != c.want {
			t.Errorf("%s: got error %v, want %s", c.name, got, c.want)
		}
	}
	if got := lastError(text("f.csv", data), Options{NoLabels: true, Format: FormatCSV}); got == nil || got.Error() != "f.csv: the file is Parquet" {
		t.Errorf("called CSV: got error %v", got)
	}
	middle := []byte(data)
	copy(middle[len(middle)/3:], bytes.Repeat([]byte{0xa5}, 5000))
	if got := lastError(text("f.parquet", string(middle)), Options{NoLabels: true}); got == nil || !strings.HasPrefix(got.Error(), "f.parquet: ") {
		t.Errorf("broken in the middle: got error %v", got)
	}
}

// No bytes make the reader fail otherwise than by an error.
func FuzzParquet(f *testing.F) {
	f.Add([]byte(parquetOf(f, articles(3))), 10, byte(0xff))
	f.Add([]byte(parquetOf(f, articles(40), parquet.MaxRowsPerRowGroup(7), parquet.PageBufferSize(64))), 100, byte(0x80))
	f.Fuzz(func(t *testing.T, data []byte, at int, with byte) {
		if data = bytes.Clone(data); len(data) > 0 {
			data[uint(at)%uint(len(data))] ^= with
		}
		for ex, err := range Rows(Reader("f.parquet", bytes.NewReader(data)), Options{NoLabels: true, MaxRowBytes: fuzzLimit, Keep: []string{KeepAll}}) {
			if err == nil {
				checkExample(t, ex)
			}
		}
	})
}

func BenchmarkParquetRows(b *testing.B) {
	data := parquetOf(b, articles(10_000))
	name := filepath.Join(b.TempDir(), "f.parquet")
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range Rows(file(name), Options{NoLabels: true}) {
			if err != nil && err != io.EOF {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
