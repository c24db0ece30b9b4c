package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A step is a command of README.md's console blocks and what it prints.
type step struct {
	command string
	output  []string // a line "..." stands for any lines
	at, end int      // lines of README.md that hold the output
}

// TestReadme follows README.md word by word, in a copy of the files that it
// uses. With -update it writes what the commands print into README.md, except
// where a "..." leaves lines out.
func TestReadme(t *testing.T) {
	readme := filepath.Join("..", "..", "README.md")
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	steps := consoleSteps(lines)
	if len(steps) < 8 {
		t.Fatalf("%d commands in the console blocks of README.md, want at least 8", len(steps))
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join("..", "..", "examples"))); err != nil {
		t.Fatal(err)
	}
	var outputs [][]string
	for _, s := range steps {
		outputs = append(outputs, runStep(t, dir, s))
	}
	for i := len(steps) - 1; i >= 0; i-- { // from the end: -update moves what follows
		s, got := steps[i], outputs[i]
		switch {
		case matches(s.output, got):
		case *update:
			lines = append(lines[:s.at:s.at], append(got, lines[s.end:]...)...)
		default:
			t.Errorf("README.md:%d: $ %s\ngot:\n%s\nwant:\n%s", s.at, s.command, strings.Join(got, "\n"), strings.Join(s.output, "\n"))
		}
	}
	if *update {
		if err := os.WriteFile(readme, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// consoleSteps returns the commands of the ```console blocks.
func consoleSteps(lines []string) []step {
	var steps []step
	inside := false
	for i, line := range lines {
		switch {
		case line == "```console":
			inside = true
		case line == "```":
			inside = false
		case inside && strings.HasPrefix(line, "$ "):
			steps = append(steps, step{command: line[2:], at: i + 1, end: i + 1})
		case inside && len(steps) > 0:
			s := &steps[len(steps)-1]
			s.output, s.end = append(s.output, line), i+1
		}
	}
	return steps
}

// goRun is how README.md calls the program; the test calls the one it is part
// of.
var goRun = regexp.MustCompile(`go run \./cmd/classifier|\./classifier`)

// runStep executes a command and returns the lines it prints.
func runStep(t *testing.T, dir string, s step) []string {
	t.Helper()
	if strings.HasPrefix(s.command, "go build ") || strings.HasPrefix(s.command, "go test ") {
		return nil // what it builds is the program under test
	}
	cmd := exec.Command("sh", "-c", goRun.ReplaceAllString(s.command, "classifier"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("classifier: ")) {
		t.Fatalf("$ %s: %v\n%s", s.command, err, out)
	}
	text := strings.TrimRight(string(out), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// matches compares lines; "..." in want stands for any number of them.
func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == "..." {
		for skip := 0; skip <= len(got); skip++ {
			if matches(want[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && want[0] == got[0] && matches(want[1:], got[1:])
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{"a b", "a b", true},
		{"a ... d", "a b c d", true},
		{"a ... d", "a d", true},
		{"a ...", "a", true},
		{"a ... d", "a b c", false},
		{"a", "a b", false},
		{"a b", "a", false},
	} {
		if got := matches(strings.Fields(c.want), strings.Fields(c.got)); got != c.ok {
			t.Errorf("matches(%q, %q) = %v, want %v", c.want, c.got, got, c.ok)
		}
	}
}

// TestReadmeLinks wants every file that README.md and ARCHITECTURE.md link to.
func TestReadmeLinks(t *testing.T) {
	root := os.DirFS(filepath.Join("..", ".."))
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	found := 0
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "data/README.md"} {
		b, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(b), -1) {
			found++
			if _, err := fs.Stat(root, filepath.ToSlash(filepath.Join(filepath.Dir(name), m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
	if found == 0 {
		t.Error("no links found")
	}
}
