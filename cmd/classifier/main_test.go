package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts and in README.md")

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"classifier": main}) }

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"waitfile": waitFile, "repeat": repeat, "fetch": fetch},
		Setup: func(env *testscript.Env) error { // model files of another library
			bayesian, err := filepath.Abs("../../internal/bayesian/testdata")
			env.Setenv("BAYESIAN", bayesian)
			corpus, corpusErr := filepath.Abs("../../data")
			env.Setenv("CORPUS", corpus)
			return errors.Join(err, corpusErr)
		},
	})
}

// waitFile waits until a file is there and puts its first line into $name:
// waitfile FILE NAME.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfile FILE NAME")
	}
	path := ts.MkAbs(args[0])
	for range 3000 { // training under the race detector takes a while
		if b, err := os.ReadFile(path); err == nil {
			ts.Setenv(args[1], string(b[:len(b)-1]))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear within five minutes", args[0])
}

// repeat writes every line of a file so many times, each with another number in
// the place of {n}: repeat FILE TIMES OUT.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: repeat FILE TIMES OUT")
	}
	times, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		for n := range times {
			b.WriteString(strings.ReplaceAll(line, "{n}", strconv.Itoa(n+1)))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(b.String()), 0o644))
}
