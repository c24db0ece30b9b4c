package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var (
	source  = filepath.Join("..", "..")
	scratch string // of the whole run
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "deploy-test-*")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var (
	builtOnce  = sync.OnceValues(func() (string, error) { return buildInto("classifier") })
	workerOnce = sync.OnceValues(func() (string, error) { return buildInto("parley-beam") })
)

func buildInto(program string) (string, error) {
	binary := filepath.Join(scratch, program)
	return binary, build(context.Background(), source, spec{program: program, arch: "amd64"}, binary)
}

// built returns the path of the static binary.
func built(t *testing.T) string {
	t.Helper()
	return once(t, builtOnce)
}

func once(t *testing.T, build func() (string, error)) string {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

var flagName = regexp.MustCompile(`--[a-z][a-z0-9-]*`)

// serveFlags are the flags of "classifier serve", as its help has them.
func serveFlags(t *testing.T) map[string]bool {
	t.Helper()
	out, err := exec.Command(built(t), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, line := range strings.Split(string(out), "\n") {
		if field := strings.TrimSpace(line); strings.HasPrefix(field, "-") {
			if name := flagName.FindString(field); name != "" {
				known[name] = true
			}
		}
	}
	if !known["--addr"] || !known["--drain-timeout"] {
		t.Fatalf("no flags in the help:\n%s", out)
	}
	return known
}

// checkServeArgs wants "serve" and then flags that it has.
func checkServeArgs(t *testing.T, args []string) {
	t.Helper()
	if len(args) < 2 || args[0] != "serve" {
		t.Fatalf("arguments %q", args)
	}
	known := serveFlags(t)
	for _, a := range args[1:] {
		name, _, hasValue := strings.Cut(a, "=")
		if !known[name] || !hasValue {
			t.Errorf("classifier serve has no flag %s with a value", a)
		}
	}
}

// checkServeVariable wants a variable that is a flag of serve.
func checkServeVariable(t *testing.T, name string) {
	t.Helper()
	rest, ok := strings.CutPrefix(name, "CLASSIFIER_SERVE_")
	if flag := "--" + strings.ToLower(strings.ReplaceAll(rest, "_", "-")); !ok || !serveFlags(t)[flag] {
		t.Errorf("the variable %s is no flag of classifier serve", name)
	}
}
