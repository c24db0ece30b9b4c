package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/work"
)

// pieceBytes makes n pieces of files.
func pieceBytes(t testing.TB, files []string, n int) string {
	t.Helper()
	size := int64(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return fmt.Sprint("--piece-bytes=", (size+int64(n)-1)/int64(n))
}

// scored are the rows that classifier score writes about files.
func scored(t testing.TB, code int, files []string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.jsonl")
	classifier(t, code, slices.Concat([]string{"score", "-m", shared.model, "-o", out}, args, files)...)
	return readFile(t, out)
}

func TestPiecesOfOneFile(t *testing.T) {
	setUp(t)
	files := writeFiles(t, lines(1500, true), 1)
	want := scored(t, 1, files)
	for _, n := range []int{1, 7, 64} {
		out := t.TempDir()
		said := parleyBeam(t, 1, "score", "-m", shared.model, "-o", out, "--errors=inline", pieceBytes(t, files, n), files[0])
		same(t, fmt.Sprint(n, " pieces"), output(t, out, "rows-*"), want)
		if got := len(leftovers(t, out)); got != n+1 {
			t.Errorf("%d pieces: %d files: %q", n, got, leftovers(t, out))
		}
		if want := "31 of 1515 rows could not be classified"; !strings.Contains(said, want) || !strings.Contains(said, "errors: empty text 16, not readable 15") {
			t.Errorf("it said %q, want %q", said, want)
		}
	}
}

func TestManyFiles(t *testing.T) {
	setUp(t)
	for _, n := range []int{1, 7, 64} {
		files := writeFiles(t, lines(1500, true), n)
		want, out := scored(t, 1, files), t.TempDir()
		parleyBeam(t, 1, "score", "-m", shared.model, "-o", out, filepath.Dir(files[0]))
		same(t, fmt.Sprint(n, " files"), sorted(output(t, out, "rows-*", "errors-*")), sorted(want))
		if rows := output(t, out, "rows-*"); strings.Contains(rows, `"error"`) || rows == "" {
			t.Errorf("%d files: there are error rows among the others", n)
		}
	}
}

// packed writes the rows in other formats and returns the files.
func packed(t *testing.T, list []string) []string {
	t.Helper()
	folder := t.TempDir()
	var gz, csvText bytes.Buffer
	z := gzip.NewWriter(&gz)
	fmt.Fprint(z, strings.Join(list, ""))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ ID, Text, Source string }
	var rows []row
	table := csv.NewWriter(&csvText)
	table.Write([]string{"id", "text", "source"})
	for _, line := range list {
		var r row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
		table.Write([]string{r.ID, r.Text + "\nin two lines", r.Source})
	}
	table.Flush()
	var parquetFile bytes.Buffer
	schema := parquet.NewGenericWriter[struct {
		ID     string `parquet:"id"`
		Text   string `parquet:"text"`
		Source string `parquet:"source"`
	}](&parquetFile)
	for _, r := range rows {
		if _, err := schema.Write([]struct {
			ID     string `parquet:"id"`
			Text   string `parquet:"text"`
			Source string `parquet:"source"`
		}{{r.ID, r.Text, r.Source}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := schema.Close(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, content := range map[string][]byte{
		"a.jsonl.gz": gz.Bytes(), "b.jsonl.zst": encoder.EncodeAll([]byte(strings.Join(list, "")), nil),
		"c.csv": csvText.Bytes(), "d.parquet": parquetFile.Bytes(), "e.csv.gz": gzipped(t, csvText.Bytes()),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.Join(folder, name))
	}
	slices.Sort(names)
	return names
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFormats(t *testing.T) {
	setUp(t)
	files := packed(t, lines(120, false))
	out := t.TempDir()
	args := []string{"--keep=source", "--top=3", "--explain=2", "--min-margin=0.1"}
	parleyBeam(t, 0, slices.Concat([]string{"score", "-m", shared.model, "-o", out}, args, files)...)
	same(t, "JSONL", output(t, out, "rows-*"), scored(t, 0, files, args...))

	args = append(args, "--to=csv")
	out = t.TempDir()
	parleyBeam(t, 0, slices.Concat([]string{"score", "-m", shared.model, "-o", out}, args, files)...)
	want := scored(t, 0, files, args...)
	header, _, _ := strings.Cut(want, "\n")
	got := output(t, out, "rows-*.csv")
	if n := strings.Count(got, header+"\n"); n != len(files) {
		t.Errorf("%d headers in %d files", n, len(files))
	}
	same(t, "CSV", header+"\n"+strings.ReplaceAll(got, header+"\n", ""), want)
}

func TestShares(t *testing.T) {
	setUp(t)
	files := writeFiles(t, lines(1500, true), 1)
	folder := t.TempDir()
	args := []string{"--by=source", "--by=date:month", "--top=-1"}
	want := filepath.Join(folder, "want.json")
	scored(t, 1, files, append(args, "--summary="+want)...)
	for _, n := range []int{1, 7, 64} {
		got := filepath.Join(folder, fmt.Sprintf("got-%d.json", n))
		parleyBeam(t, 1, slices.Concat([]string{"prevalence", "-m", shared.model, "-o", got, "-o", got + ".html", pieceBytes(t, files, n)}, args, files)...)
		same(t, fmt.Sprint("prevalence of ", n, " pieces"), readFile(t, got), readFile(t, want))
		if page := readFile(t, got+".html"); !strings.Contains(page, "</html>") {
			t.Errorf("the page has no end: %d bytes", len(page))
		}
	}
	got := filepath.Join(folder, "with-rows.json")
	parleyBeam(t, 1, slices.Concat([]string{"score", "-m", shared.model, "-o", filepath.Join(folder, "out"), "--summary=" + got, pieceBytes(t, files, 5)}, args, files)...)
	same(t, "score --summary", readFile(t, got), readFile(t, want))
	for _, name := range leftovers(t, folder) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s is left", name)
		}
	}
}

func TestCounters(t *testing.T) {
	setUp(t)
	files := writeFiles(t, lines(400, true), 1)
	c := scoreCmd{Files: files, Out: t.TempDir(), To: "jsonl", MaxErrors: -1, askFlags: askFlags{Model: shared.model, Top: 1}}
	c.Format, c.Encoding, c.PieceBytes, c.Progress = "auto", "auto", 50_000, "none"
	e := &env{t.Context(), os.Stderr}
	s, chunks, err := c.spec(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WritePlan(e.ctx, chunks); err != nil {
		t.Fatal(err)
	}
	beam.Init()
	p, scope := beam.NewPipelineWithRoot()
	work.Score(scope, *s, chunks)
	result, err := c.run(e, p, s.Token)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := s.Receipt(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	metrics := result.Metrics()
	if got, want := counters(&metrics), work.Totals(receipt.Summary); fmt.Sprint(got) != fmt.Sprint(want) || want["rows"] != 404 || want["errors: empty text"] != 4 {
		t.Errorf("the runner counts %v, the receipt %v", got, want)
	}
	var whole score.Summary
	whole.Add(receipt.Summary)
	if len(whole.Heads) == 0 || receipt.Revision == "" {
		t.Errorf("receipt %+v", receipt)
	}
}
