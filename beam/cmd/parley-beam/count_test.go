package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

func TestCountsAndModelAreThoseOfOneMachine(t *testing.T) {
	setUp(t)
	list, folder := labelled(t), t.TempDir()
	files := writeFiles(t, list, 1)
	at := func(name string) string { return filepath.Join(folder, name) }
	const size = "--sample-rows=200"
	classifier(t, 0, "count", files[0], "-o", at("counts"), "--sample", at("sample.jsonl"), size)
	choice := []string{"--estimator=mnb", "--value=binary", "--alpha=1", "--members=1", size}
	classifier(t, 0, slices.Concat([]string{"train", "--counted", files[0], "-o", at("one.model"), "--preset=long", "--no-strings"}, choice)...)
	for _, n := range []int{1, 7, 64} {
		out := t.TempDir()
		said := parleyBeam(t, 0, "count", "-o", out, size, pieceBytes(t, files, n), files[0])
		same(t, fmt.Sprint("counts of ", n, " pieces"), output(t, out, work.CountsName), readFile(t, at("counts")))
		same(t, fmt.Sprint("sample of ", n, " pieces"), output(t, out, work.SampleName), readFile(t, at("sample.jsonl")))
		if !strings.Contains(said, "378 rows in") || !strings.Contains(said, "errors: no label 8") {
			t.Errorf("it said %q", said)
		}
		classifier(t, 0, slices.Concat([]string{"train", "--from-counts", filepath.Join(out, work.CountsName), "--sample", filepath.Join(out, work.SampleName), "-o", at("beam.model")}, choice)...)
		same(t, fmt.Sprint("model of ", n, " pieces"), readFile(t, at("beam.model")), readFile(t, at("one.model")))
	}

	classifier(t, 0, "count", files[0], "-o", at("named"), "--strings", "--no-forget", "--preset=short")
	out := t.TempDir()
	flags := slices.Concat(startPrismProcess(t), process(t), writeFiles(t, list, 9))
	parleyBeam(t, 0, slices.Concat([]string{"count", "-o", out, "--strings", "--no-forget", "--preset=short"}, flags)...)
	same(t, "counts with names, of other processes", output(t, out, work.CountsName), readFile(t, at("named")))
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
		{"no sample", 2, []string{write(list...), "--sample-rows=0"}, "--sample-rows 0: want at least 1"},
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
