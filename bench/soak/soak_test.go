//go:build servers

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"soak": main}) }

// The scripts run short soaks with real servers. What they want is what holds
// on a machine of any speed: promises about times are printed, not wanted.
func TestScript(t *testing.T) {
	classifier := filepath.Join(t.TempDir(), "classifier")
	if out, err := exec.Command("go", "build", "-o", classifier, "github.com/parley-nlp/parley/cmd/classifier").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"try": try},
		Setup: func(e *testscript.Env) error {
			e.Setenv("CLASSIFIER", classifier)
			e.Setenv("TMPDIR", e.WorkDir)
			return os.Mkdir(filepath.Join(e.WorkDir, "logs"), 0o755)
		},
	})
}

// try runs a command that may fail: try PROGRAM ARGUMENT...
func try(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: try PROGRAM ARGUMENT...")
	}
	_ = ts.Exec(args[0], args[1:]...)
}
