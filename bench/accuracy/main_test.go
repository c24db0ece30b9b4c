package main

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"accuracy": main}) }

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"shape": shape},
	})
}

func setup(e *testscript.Env) error {
	// With the race detector each of the many processes would end with a second
	// of sleep.
	e.Setenv("GORACE", "atexit_sleep_ms=0")
	return writeSets(filepath.Join(e.WorkDir, "sets"))
}

var (
	number = regexp.MustCompile(`([ (])[+-]?\d+(\.\d+)?([ ).:;])`)
	chosen = regexp.MustCompile(`(?m)(MB) \| [^|]* \|$`)
)

// shape writes a copy of a Markdown file with 0 for every number and without
// the configurations that were chosen: shape FILE COPY.
func shape(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shape FILE COPY")
	}
	s := chosen.ReplaceAllString(ts.ReadFile(args[0]), "$1 | CHOSEN |")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(number.ReplaceAllString(s, "${1}0$3")), 0o600))
}

// A line is a row of a generated set.
type line struct {
	ID     string `json:"id"`
	Text   string `json:"text"`
	Label  string `json:"label"`
	Target string `json:"target,omitempty"`
	Group  string `json:"group,omitempty"`
}

// generated returns n rows whose words tell the label most of the time. Some
// have no text; with targets, two rows are of one group.
func generated(seed uint64, prefix string, n int, labels, targets []string) []line {
	rng := rand.New(rand.NewPCG(seed, 7))
	var list []line
	for i := range n {
		l := line{ID: fmt.Sprint(prefix, i), Label: labels[rng.IntN(len(labels))]}
		words := make([]string, 6+rng.IntN(6))
		for j := range words {
			if rng.IntN(4) == 0 {
				words[j] = fmt.Sprint(strings.ToLower(l.Label), rng.IntN(5))
			} else {
				words[j] = fmt.Sprint("word", rng.IntN(40))
			}
		}
		if i%20 != 19 {
			l.Text = strings.Join(words, " ")
		}
		if targets != nil {
			l.Target, l.Group = targets[i%len(targets)], fmt.Sprint(prefix, "group", i/2)
		}
		list = append(list, l)
	}
	return list
}

// writeSets makes a folder with three sets and a folder that is none.
func writeSets(dir string) error {
	stances, targets := []string{"AGAINST", "FAVOR", "NONE"}, []string{"tax", "war"}
	for path, rows := range map[string][]line{
		"mails/train.jsonl":    generated(1, "t", 120, []string{"ham", "spam"}, nil),
		"mails/dev.jsonl":      generated(2, "d", 20, []string{"ham", "spam"}, nil),
		"mails/test.jsonl":     generated(3, "e", 40, []string{"ham", "spam"}, nil),
		"notes/all.jsonl.gz":   generated(4, "n", 100, []string{"home", "school", "work"}, nil),
		"views/train.jsonl.gz": generated(5, "t", 160, stances, targets),
		"views/test.jsonl.gz":  generated(6, "e", 60, stances, targets),
		"other/train.jsonl":    generated(7, "o", 2, stances, nil),
	} {
		if err := writeRows(filepath.Join(dir, path), rows); err != nil {
			return err
		}
	}
	return nil
}

func writeRows(path string, rows []line) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var w io.WriteCloser = f
	if strings.HasSuffix(path, ".gz") {
		w = gzip.NewWriter(f)
		defer w.Close()
	}
	enc := json.NewEncoder(w)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}
