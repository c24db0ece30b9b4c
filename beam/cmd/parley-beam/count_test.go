package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"

	"github.com/parley-nlp/parley/beam/internal/work"
)

// labelled are the rows of the built-in corpus, a few without a label.
func labelled(t testing.TB) []string {
	t.Helper()
	list := slices.Collect(strings.Lines(readFile(t, filepath.Join("..", "..", "..", "data", "dev.jsonl"))))
	for i := 0; i < len(list); i += 50 {
		list = slices.Insert(list, i, fmt.Sprintf("{\"text\": \"Nr. %d\"}\n", i))
	}
	return list
}

func read(t testing.TB, files ...string) *dataset.Set {
	t.Helper()
	sources, err := dataset.Files(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.ReadAll(sources, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func modelOf(t testing.TB, s *train.Statistics, sample []dataset.Example) *model.Model {
	t.Helper()
	m, _, err := train.FromStatistics(t.Context(), s, sample, train.Default())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCountsAndModelAreThoseOfOneMachine(t *testing.T) {
	setUp(t)
	list := labelled(t)
	files := writeFiles(t, list, 1)
	set := read(t, files...)
	want, err := train.NewStatistics(train.LongText, set.Heads, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := want.Learn(set.Examples); err != nil {
		t.Fatal(err)
	}
	const size = 200
	wantModel := modelOf(t, want, train.Sample(set.Examples, size))
	for _, n := range []int{1, 7, 64} {
		out := t.TempDir()
		said := parleyBeam(t, 0, "count", "-o", out, fmt.Sprint("--sample=", size), pieceBytes(t, files, n), files[0])
		same(t, fmt.Sprint("counts of ", n, " pieces"), output(t, out, work.CountsName), string(want.Encode()))
		if !strings.Contains(said, "378 rows in") || !strings.Contains(said, "errors: no label 8") {
			t.Errorf("it said %q", said)
		}
		got, err := train.DecodeStatistics([]byte(output(t, out, work.CountsName)))
		if err != nil {
			t.Fatal(err)
		}
		if m := modelOf(t, got, read(t, filepath.Join(out, work.SampleName)).Examples); !bytes.Equal(m.Bytes(), wantModel.Bytes()) {
			t.Errorf("%d pieces: the model is not that of one machine", n)
		}
	}
	prism := startPrismProcess(t)
	out := t.TempDir()
	parleyBeam(t, 0, slices.Concat([]string{"count", "-o", out, fmt.Sprint("--sample=", size)}, prism, process(t), writeFiles(t, list, 9))...)
	same(t, "counts of other processes", output(t, out, work.CountsName), string(want.Encode()))
}

func TestCountErrors(t *testing.T) {
	setUp(t)
	list := labelled(t)
	write := func(lines ...string) string { return writeFiles(t, lines, 1)[0] }
	late := slices.Concat(slices.Repeat([]string{`{"text": "a b", "topic": "x"}` + "\n"}, 200), []string{`{"text": "c", "stance": "pro"}` + "\n"})
	for _, c := range []struct {
		name string
		code int
		args []string
		want string
	}{
		{"a bad row", 1, []string{write(slices.Insert(slices.Clone(list), 3, "{broken\n")...)}, "in-00.jsonl:4: broken JSON"},
		{"a late head", 1, []string{write(late...)}, `in-00.jsonl:201: there is a label of head "stance"`},
		{"no labels", 1, []string{write(`{"text": "a", "topic": ""}` + "\n")}, "no row has a text and a label"},
		{"no column of labels", 1, []string{write(`{"text": "a"}` + "\n")}, `no label column "topic" or "stance"`},
		{"no such head", 1, []string{write(list...), "--head=mood"}, "no row has a text and a label"},
		{"a head like a column", 2, []string{write(list...), "--head=group"}, "--head group"},
		{"one fold", 2, []string{write(list...), "--folds=1"}, "1 folds: want 2 to 100"},
		{"no sample", 2, []string{write(list...), "--sample=0"}, "--sample 0: want at least 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := t.TempDir()
			if said := parleyBeam(t, c.code, slices.Concat([]string{"count", "-o", out}, c.args)...); !strings.Contains(said, c.want) {
				t.Errorf("it said %q, want %q", said, c.want)
			}
			nothingLeft(t, out)
		})
	}
	out := t.TempDir()
	parleyBeam(t, 0, "count", "-o", out, "--skip-bad-rows", write(slices.Insert(list, 3, "{broken\n")...))
	if _, err := os.Stat(filepath.Join(out, work.ReceiptName)); err != nil {
		t.Error(err)
	}
}
