package cut

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// rows are what reading sources one after the other yields, as text.
func rows(sources []dataset.Source, o dataset.Options) []string {
	var list []string
	for _, s := range sources {
		for ex, err := range dataset.Rows(s, o) {
			if err != nil {
				list = append(list, "error "+err.Error())
			} else {
				list = append(list, fmt.Sprintf("%s:%d %q %q", ex.File, ex.Line, ex.ID, ex.Text))
			}
		}
	}
	return list
}

// pieces cuts files as workers do, and returns how many of them are whole.
func pieces(t *testing.T, files []place.File, o dataset.Options, size int64) (list []Piece, whole int) {
	t.Helper()
	byFile := map[int][]Scanned{}
	chunks := Chunks(files, o.Format, size)
	list = make([]Piece, len(chunks))
	for _, c := range chunks {
		if c.Of == 1 {
			list[c.Part] = c.Whole()
			whole++
			continue
		}
		s, err := c.Scan(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		byFile[c.File] = append(byFile[c.File], s)
	}
	for _, scanned := range byFile {
		for _, p := range Pieces(scanned) {
			if list[p.Part] = p; p.Whole {
				whole++
			}
		}
	}
	return list, whole
}

func write(t testing.TB, name, content string) []place.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	files, err := place.Files(t.Context(), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// check compares the rows of a file cut at every size with those of the file.
func check(t *testing.T, name, content string, o dataset.Options, wantWhole bool) {
	t.Helper()
	files := write(t, name, content)
	want := rows([]dataset.Source{Chunks(files, o.Format, 1<<40)[0].Whole().Source(t.Context())}, o)
	for size := 1 + int64(len(content))/60; size <= int64(len(content))+1; size += 1 + size/3 {
		list, whole := pieces(t, files, o, size)
		var sources []dataset.Source
		for _, p := range list {
			sources = append(sources, p.Source(context.Background()))
		}
		if got := rows(sources, o); !reflect.DeepEqual(got, want) {
			t.Errorf("%q in pieces of %d: got\n%s\nwant\n%s", content, size, strings.Join(got, "\n"), strings.Join(want, "\n"))
			return
		}
		if len(list) > 1 && (whole > 0) != wantWhole {
			t.Errorf("%q in %d pieces: %d whole ones", content, len(list), whole)
		}
	}
}

func TestPiecesHaveTheRowsOfTheFile(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf(`{"id": "r%d", "text": "Nr. %d – ä"}`, i, i) }
	for _, content := range []string{
		row(1), row(1) + "\n", row(1) + "\n" + row(2), row(1) + "\r\n\r\n" + row(2) + "\r\n",
		"\n\n" + row(1) + "\n\n\n" + row(2) + "\n\n", "\ufeff" + row(1) + "\n\ufeff" + row(2) + "\n",
		row(1) + "\n{broken\n" + row(2) + "\n[1]\n\x00\n" + row(3), `{"text": "a", "x": "` + strings.Repeat("long ", 99) + `"}` + "\n" + row(2) + "\n",
		`{"text":"ä"}` + "\n" + `{"text":"` + "\xff" + `"}` + "\n" + row(3) + "\n" + "\xff\xfe\n" + row(4),
		row(1) + "\n" + `{"other": 1}` + "\n" + `{"other": 2}` + "\n",
	} {
		check(t, "a.jsonl", content, dataset.Options{NoLabels: true}, false)
		check(t, "a.jsonl", content, dataset.Options{NoLabels: true, MaxRowBytes: 40}, false)
	}
}

func TestFilesThatCannotBeCutAreReadWhole(t *testing.T) {
	text := strings.Repeat(`{"text": "caf`+"\xe9"+` r`+"\xe9"+`sum`+"\xe9"+` here"}`+"\n", 5)
	check(t, "a.jsonl", text, dataset.Options{NoLabels: true}, true)
	check(t, "a.jsonl", `{"text": "plain"}`+"\n"+text, dataset.Options{NoLabels: true}, true)
	check(t, "a.jsonl", text, dataset.Options{NoLabels: true, Encoding: dataset.Windows1252}, true)
	named := dataset.Options{NoLabels: true, Columns: dataset.Columns{ID: "key"}}
	late := strings.Repeat(`{"text": "a"}`+"\n", 150) + `{"text": "a", "key": "1"}` + "\n"
	check(t, "a.jsonl", late, named, true)
	check(t, "a.jsonl", strings.ReplaceAll(late, `"a"}`, `"a", "key": 7}`), named, false)
	check(t, "a.jsonl", late, dataset.Options{NoLabels: true, Keep: []string{dataset.KeepAll}}, true)
	check(t, "a.csv", "id,text\n1,\"a\nb\"\n2,c\n", dataset.Options{NoLabels: true}, true)
	if got := len(Chunks(write(t, "a.jsonl.gz", strings.Repeat("x", 1000)), dataset.FormatAuto, 10)); got != 1 {
		t.Errorf("a packed file: %d chunks", got)
	}
}

func TestNoTextColumnIsSaidOnce(t *testing.T) {
	files := write(t, "a.jsonl", strings.Repeat(`{"body": "a"}`+"\n", 10))
	_, err := Chunks(files, dataset.FormatAuto, 20)[0].Scan(t.Context(), dataset.Options{NoLabels: true})
	if err == nil || !strings.Contains(err.Error(), `no text column "text"; the columns are "body"`) {
		t.Errorf("error %v", err)
	}
}

func TestRandomLinesInRandomPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 25 {
		var b strings.Builder
		b.WriteString(`{"text": "first"}` + "\n")
		for range rng.IntN(20) {
			b.WriteString([]string{"", "{", `{"text": "é"}`, `{"text": "` + strings.Repeat("z", rng.IntN(60)) + `"}`, "\r", `{"text": 1}`}[rng.IntN(6)])
			b.WriteString([]string{"\n", "\r\n", "\n\n"}[rng.IntN(3)])
		}
		content := b.String()
		check(t, "a.jsonl", content[:len(content)-rng.IntN(2)], dataset.Options{NoLabels: true}, false)
	}
}

func TestChunksAreCountedWithoutThem(t *testing.T) {
	files := []place.File{{Name: "a.jsonl", Bytes: 1 << 40}, {Name: "b.csv", Bytes: 1 << 40}, {Name: "c.jsonl"}}
	if got := Count(files, dataset.FormatAuto, 64); got != 1<<34+2 {
		t.Errorf("%d chunks", got)
	}
	files[0].Bytes = 1000
	for _, size := range []int64{1, 7, 999, 1000, 1001, 1 << 62} {
		if got, want := Count(files, dataset.FormatAuto, size), len(Chunks(files, dataset.FormatAuto, size)); got != int64(want) {
			t.Errorf("%d chunks of %d bytes, want %d", got, size, want)
		}
	}
}

func TestAFileThatShrinksIsAnError(t *testing.T) {
	files := write(t, "a.jsonl", strings.Repeat(`{"text": "a"}`+"\n", 10))
	chunks := Chunks(files, dataset.FormatAuto, 50)
	if err := os.Truncate(files[0].Name, 60); err != nil {
		t.Fatal(err)
	}
	if _, err := chunks[2].Scan(t.Context(), dataset.Options{}); err == nil || !strings.Contains(err.Error(), "a.jsonl: it has become shorter") {
		t.Errorf("error %v", err)
	}
}

// FuzzPieces: whatever a file holds, its pieces have its rows and errors, with their
// lines; only what is wrong with all of it may be said before.
func FuzzPieces(f *testing.F) {
	f.Add(`{"text": "a"}`+"\n\r\n"+`{"text": "é", "id": 1}`+"\n{", uint8(7))
	f.Add("\ufeff"+`{"text": "caf`+"\xe9"+`"}`+"\n"+`{"text": "b"}`, uint8(3))
	f.Add("\xff\xfe{\x00", uint8(1))
	f.Add("\ufeff\n"+`{"text": "0"}`, uint8(3)) // a line with a mark and nothing else
	f.Fuzz(func(t *testing.T, content string, size uint8) {
		o := dataset.Options{NoLabels: true, MaxRowBytes: 200}
		files := write(t, "a.jsonl", content)
		whole := Chunks(files, o.Format, 1<<40)[0].Whole().Source(t.Context())
		if _, err := dataset.Cuttable(whole, o); err != nil {
			return
		}
		list, _ := pieces(t, files, o, 1+int64(size))
		var sources []dataset.Source
		for _, p := range list {
			sources = append(sources, p.Source(t.Context()))
		}
		if got, want := rows(sources, o), rows([]dataset.Source{whole}, o); !reflect.DeepEqual(got, want) {
			t.Errorf("%q in pieces of %d: got\n%s\nwant\n%s", content, 1+int64(size), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
