package main

import (
	"flag"
	"os"
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
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"waitfile": waitFile},
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
