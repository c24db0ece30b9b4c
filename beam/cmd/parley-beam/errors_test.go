package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestClearErrors(t *testing.T) {
	setUp(t)
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := writeFiles(t, lines(20, false), 1)[0]
	packed := string(gzipped(t, []byte(strings.Join(lines(400, false), ""))))
	broken := file("broken.jsonl.gz", packed[:len(packed)/2])
	empty, table := file("empty.jsonl", "\n"), file("table.csv", "body,x\na,b\n")
	damaged := file("damaged.model", readFile(t, shared.model)[:1000])
	model := []string{"-m", shared.model}
	for _, c := range []struct {
		name string
		code int
		args []string
		want string
	}{
		{"no model", 1, []string{"-m", filepath.Join(folder, "none.model"), good}, "none.model: no such file or directory"},
		{"a damaged model", 1, []string{"-m", damaged, good}, "damaged.model"},
		{"no store", 1, []string{"--store", filepath.Join(folder, "store"), good}, `not found`},
		{"no file", 1, append(model, filepath.Join(folder, "none.jsonl")), "none.jsonl: no such file or directory"},
		{"no bucket", 1, append(model, "s3:///none.jsonl"), "no bucket is named"},
		{"another kind of place", 1, append(model, "ftp://host/a.jsonl"), "want a path, s3://BUCKET/KEY or gs://BUCKET/KEY"},
		{"standard input", 1, append(model, "-"), "standard input cannot be read by workers"},
		{"no text column", 1, append(model, table), `no text column "text"; the columns are "body", "x"`},
		{"no text column, further on", 1, append(model, good, table), `table.csv: no text column "text"`},
		{"a broken archive", 1, append(model, good, broken), "broken.jsonl.gz: gzip data broken after row"},
		{"no rows", 1, append(model, empty), "empty.jsonl: no rows"},
		{"no head", 1, append(model, good, "--head=mood"), `the model has no head "mood"`},
		{"no dates", 1, append(model, good, "--by=source:month", "--summary="+filepath.Join(folder, "s.json")), `--by source:month: row "p0000000" has "s0", whose format is not known`},
		{"neither model nor store", 2, []string{good}, "--model"},
		{"pieces of no bytes", 2, append(model, good, "--piece-bytes=0"), "--piece-bytes 0"},
		{"shares of no format", 2, append(model, good, "--summary=a.txt"), "a.txt: want a name that ends in .json or .html"},
		{"by without a summary", 2, append(model, good, "--by=source"), "--by is for --summary"},
		{"no such runner", 2, append(model, good, "--runner=hadoop"), "--runner hadoop: want one of prism, PrismRunner, flink"},
		{"no runner", 1, append(model, good, "--runner=universal", "--endpoint=localhost:1"), "--endpoint localhost:1: no runner is there: "},
		{"no job server", 1, append(model, good, "--runner=flink"), "no job service endpoint specified"},
		{"no such flag of Beam", 2, append(model, good, "--endpoints=a"), "--endpoints"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := t.TempDir()
			said := parleyBeam(t, c.code, slices.Concat([]string{"score", "-o", out}, c.args)...)
			if !strings.Contains(said, c.want) {
				t.Errorf("it said %q, want %q", said, c.want)
			}
			if len(said) > 400 {
				t.Errorf("it said %d bytes: %s", len(said), said)
			}
			nothingLeft(t, out)
		})
	}
}

func TestTooManyErrors(t *testing.T) {
	setUp(t)
	files, out := writeFiles(t, lines(300, true), 1), t.TempDir()
	said := parleyBeam(t, 1, "score", "-m", shared.model, "-o", out, "--max-errors=5", pieceBytes(t, files, 7), files[0])
	if !strings.Contains(said, "6 of 303 rows have errors, at most 5 may") {
		t.Errorf("it said %q", said)
	}
	nothingLeft(t, out)
}

func TestOutputIsNotLost(t *testing.T) {
	setUp(t)
	files, out := writeFiles(t, lines(100, false), 1), t.TempDir()
	args := []string{"score", files[0], "-m", shared.model, "-o", out}
	parleyBeam(t, 0, append(args, pieceBytes(t, files, 7))...)
	want := output(t, out, "*")
	if said := parleyBeam(t, 1, args...); !strings.Contains(said, "there is output of an earlier job (job.json)") {
		t.Errorf("it said %q", said)
	}
	broken := writeFiles(t, []string{"{\n"}, 1)[0]
	parleyBeam(t, 1, "score", broken, "-m", shared.model, "-o", out, "--overwrite", "--max-errors=0")
	same(t, "after a job that failed", output(t, out, "*"), want)
	parleyBeam(t, 0, append(args, "--overwrite", pieceBytes(t, files, 3))...)
	if got := leftovers(t, out); fmt.Sprint(got) != "[job.json rows-00000-of-00003.jsonl rows-00001-of-00003.jsonl rows-00002-of-00003.jsonl]" {
		t.Errorf("files %q", got)
	}
}

func TestStore(t *testing.T) {
	setUp(t)
	store, files, out := filepath.Join(t.TempDir(), "store"), writeFiles(t, lines(100, false), 1), t.TempDir()
	classifier(t, 0, "models", "publish", "--store", store, "--model", "news", "--alias", "live", shared.model)
	parleyBeam(t, 0, "score", "--store", store, "--model-name=news", "-o", out, files[0])
	same(t, "a model of a store", output(t, out, "rows-*"), scored(t, 0, files))

	models, err := filepath.Glob(filepath.Join(store, "models", "news", "files", "*.model"))
	if err != nil || len(models) != 1 {
		t.Fatalf("models %q, error %v", models, err)
	}
	content := []byte(readFile(t, models[0]))
	content[len(content)/2]++
	if err := os.WriteFile(models[0], content, 0o666); err != nil {
		t.Fatal(err)
	}
	if said := parleyBeam(t, 1, "score", "--store", store, "--model-name=news", "-o", t.TempDir(), files[0]); !strings.Contains(said, "its SHA-256 is") {
		t.Errorf("a damaged model: it said %q", said)
	}
}

// TestServersThatCannotStart: Beam would panic, or say nothing.
func TestServersThatCannotStart(t *testing.T) {
	setUp(t)
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := fmt.Sprint("--port=", l.Addr().(*net.TCPAddr).Port)
	for _, server := range []string{"prism", "worker-pool"} {
		if said := parleyBeam(t, 1, server, taken); !strings.Contains(said, "address already in use") || strings.Contains(said, "goroutine") {
			t.Errorf("%s said %q", server, said)
		}
	}
	if said := parleyBeam(t, 2, "worker-pool", "--allow=10.1.2.3/99"); !strings.Contains(said, "--allow") {
		t.Errorf("it said %q", said)
	}
}
