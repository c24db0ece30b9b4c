package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram is set for processes of this test binary that are to be parley-beam:
// those that tests start, and the workers that runners start. Its value marks
// those of one test run.
const asProgram = "PARLEY_BEAM_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	code := m.Run()
	if shared.folder != "" {
		os.RemoveAll(shared.folder)
	}
	os.Exit(code)
}

// patience is how long anything may take, however busy the machine.
const patience = 1 * time.Minute

// shared is what all tests use: the program classifier, and a model it trained.
var shared struct {
	sync.Mutex
	folder, classifier, model string
	texts                     []string
}

func setUp(t testing.TB) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.folder != "" {
		return
	}
	folder, err := os.MkdirTemp("", "parley-beam-test-")
	if err != nil {
		t.Fatal(err)
	}
	shared.folder = folder
	shared.classifier, shared.model = filepath.Join(folder, "classifier"), filepath.Join(folder, "m.model")
	build := exec.Command("go", "build", "-o", shared.classifier, "./cmd/classifier")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building classifier: %v\n%s", err, out)
	}
	data := filepath.Join("..", "..", "..", "data", "dev.jsonl")
	classifier(t, 0, "train", data, "-o", shared.model, "--preset=long", "--estimator=mnb", "--alpha=1", "--value=binary", "--members=1")
	b, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var row struct{ Text string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		shared.texts = append(shared.texts, row.Text)
	}
}

// classifier runs classifier and checks its exit code.
func classifier(t testing.TB, code int, args ...string) string {
	t.Helper()
	return finish(t, code, exec.Command(shared.classifier, args...))
}

// parleyBeam runs parley-beam and checks its exit code. It returns what it says.
func parleyBeam(t testing.TB, code int, args ...string) string {
	t.Helper()
	return finish(t, code, command(t, args...))
}

func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self(t), args...)
	cmd.Env = append(os.Environ(), asProgram+"="+shared.folder)
	return cmd
}

func finish(t testing.TB, code int, cmd *exec.Cmd) string {
	t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if err != nil && !failed || failed && exit.ExitCode() != code || !failed && code != 0 {
		t.Fatalf("%s %s: %v, want exit code %d\n%s", filepath.Base(cmd.Path), strings.Join(cmd.Args[1:], " "), err, code, said.String())
	}
	return said.String()
}

func self(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// lines makes n rows as JSON lines; bad ones are among them if wanted.
func lines(n int, bad bool) []string {
	var list []string
	for i := range n {
		row := map[string]string{
			"id": fmt.Sprintf("p%07d", i), "text": shared.texts[i%len(shared.texts)],
			"source": fmt.Sprint("s", i%37), "date": fmt.Sprintf("2025-%02d-%02d", 1+i%12, 1+i%28),
		}
		if bad && i%97 == 13 {
			row["text"] = ""
		}
		if i%5 == 4 {
			delete(row, "id") // such rows are called FILE:LINE
		}
		b, err := json.Marshal(row)
		if err != nil {
			panic(err)
		}
		list = append(list, string(b)+"\n")
		if bad && i%101 == 7 {
			list = append(list, "{\"id\": broken\n", "\n")
		}
	}
	return list
}

// writeFiles writes lines into n files and returns their names.
func writeFiles(t testing.TB, list []string, n int) []string {
	t.Helper()
	folder := t.TempDir()
	var names []string
	for i := range n {
		name := filepath.Join(folder, fmt.Sprintf("in-%02d.jsonl", i))
		content := strings.Join(list[len(list)*i/n:len(list)*(i+1)/n], "")
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// output is what a folder of output has in the files that match the patterns, one
// after the other.
func output(t testing.TB, folder string, patterns ...string) string {
	t.Helper()
	var b strings.Builder
	for _, p := range patterns {
		names, err := filepath.Glob(filepath.Join(folder, p))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(content)
		}
	}
	return b.String()
}

func sorted(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// same compares texts without printing them.
func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	show := func(s string) string { return s[max(0, at-60):min(len(s), at+60)] }
	t.Fatalf("%s: %d bytes, want %d; they differ from byte %d on: %q, want %q", what, len(got), len(want), at, show(got), show(want))
}

// leftovers are the names in a folder of output, but for input.
func leftovers(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// workers are the process ids of the workers that processes of this test run
// have started.
func workers(t testing.TB) []int {
	t.Helper()
	var list []int
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		args, _ := os.ReadFile(filepath.Join(f, "cmdline")) // it may just have ended
		env, _ := os.ReadFile(filepath.Join(f, "environ"))
		pid := 0
		fmt.Sscan(filepath.Base(f), &pid)
		if bytes.Contains(args, []byte("--worker=true")) && bytes.Contains(env, []byte(asProgram+"="+shared.folder)) && pid > 0 {
			list = append(list, pid)
		}
	}
	return list
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in %s", what, patience)
		}
	}
}

// startPrismProcess starts Beam's runner as a process of its own, which starts
// workers as asProgram, and returns the flags that choose it.
func startPrismProcess(t testing.TB) []string {
	t.Helper()
	port := freePort(t)
	cmd := exec.Command(self(t), "prism", fmt.Sprint("--port=", port))
	cmd.Env = append(os.Environ(), asProgram+"="+shared.folder)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Process.Wait()
		eventually(t, "workers end with their runner", func() bool { return len(workers(t)) == 0 })
		if t.Failed() {
			t.Logf("prism said: %s", said.String())
		}
	})
	endpoint := fmt.Sprint("localhost:", port)
	waitFor(t, endpoint)
	return []string{"--runner=universal", "--endpoint=" + endpoint}
}
