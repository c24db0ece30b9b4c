package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// process makes runners start workers as processes of this binary.
func process(t testing.TB) []string {
	t.Helper()
	config, err := json.Marshal(map[string]string{"command": self(t)})
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--environment_type=PROCESS", "--environment_config=" + string(config)}
}

// startPool starts a process that starts workers, and returns the flags that
// choose it.
func startPool(t testing.TB) []string {
	t.Helper()
	port := freePort(t)
	cmd := command(t, "worker-pool", fmt.Sprint("--port=", port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprint("localhost:", port)
	waitFor(t, address)
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	return []string{"--environment_type=EXTERNAL", "--environment_config=" + address}
}

func TestRunners(t *testing.T) {
	setUp(t)
	prism := startPrismProcess(t)
	files := writeFiles(t, lines(1500, true), 1)
	want := scored(t, 1, files)
	for name, workers := range map[string][]string{
		"in-process":                     nil,
		"a prism process, LOOPBACK":      append(prism, "--environment_type=LOOPBACK"),
		"a prism process, PROCESS":       append(prism, process(t)...),
		"a prism process, EXTERNAL":      append(prism, startPool(t)...),
		"the runner's name, not its own": append([]string{"--runner=flink", prism[1]}, "--environment_type=LOOPBACK"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 7, 64} {
				out := t.TempDir()
				parleyBeam(t, 1, slices.Concat([]string{"score", "-m", shared.model, "-o", out, pieceBytes(t, files, n)}, workers, files)...)
				same(t, fmt.Sprint(n, " pieces"), sorted(output(t, out, "rows-*", "errors-*")), sorted(want))
			}
		})
	}
	eventually(t, "workers end with their jobs", func() bool { return len(workers(t)) == 0 })
}

// running is a job that has begun to write.
func running(t testing.TB, out string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd, said := command(t, args...), &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "rows are written", func() bool {
		names, _ := filepath.Glob(filepath.Join(out, ".parley-beam-*", "rows-*"))
		return slices.ContainsFunc(names, func(name string) bool {
			info, err := os.Stat(name)
			return err == nil && info.Size() > 0
		})
	})
	return cmd, said
}

// large is input that takes seconds to score.
func large(t testing.TB) string {
	t.Helper()
	return writeFiles(t, slices.Repeat(lines(2500, false), 60), 1)[0]
}

// nothingLeft makes sure that a job which failed has left no output.
func nothingLeft(t testing.TB, out string) {
	t.Helper()
	eventually(t, "what is temporary is removed", func() bool { return len(leftovers(t, out)) == 0 })
}

func TestKilledWorker(t *testing.T) {
	setUp(t)
	prism, input, out := startPrismProcess(t), large(t), t.TempDir()
	cmd, said := running(t, out, slices.Concat([]string{"score", "-m", shared.model, "-o", out, input, "--piece-bytes=9000000"}, prism, process(t))...)
	pids := workers(t)
	if len(pids) != 1 {
		t.Fatalf("workers %v, want one", pids)
	}
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(said.String(), "SDK worker disconnected") {
		t.Errorf("exit code %d (%v), it said %q", code, err, said.String())
	}
	nothingLeft(t, out)
	if pids := workers(t); len(pids) > 0 {
		t.Errorf("workers %v are left", pids)
	}
}

func TestKilledRunner(t *testing.T) {
	setUp(t)
	prism, input, out := startPrismProcess(t), large(t), t.TempDir()
	cmd, said := running(t, out, slices.Concat([]string{"score", "-m", shared.model, "-o", out, input}, prism, process(t))...)
	killListener(t, prism[1])
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, it said %q", code, said.String())
	}
	if !strings.Contains(said.String(), "whether the job goes on is not known: what it has written so far stays in "+out) {
		t.Errorf("it said %q", said.String())
	}
	eventually(t, "workers end without their runner", func() bool { return len(workers(t)) == 0 })
	nothingNamed(t, out)
}

// nothingNamed makes sure that nothing in a folder looks like output: a worker
// that outlived the job may have written after the job was cleaned up.
func nothingNamed(t testing.TB, out string) {
	t.Helper()
	for _, name := range leftovers(t, out) {
		if !strings.HasPrefix(name, ".") {
			t.Errorf("%s is left", name)
		}
	}
}

// killListener kills the runner's process, which is a child of this one.
func killListener(t testing.TB, endpoint string) {
	t.Helper()
	port := endpoint[strings.LastIndexByte(endpoint, ':')+1:]
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		args, _ := os.ReadFile(filepath.Join(f, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(f, "environ"))
		if bytes.Contains(args, []byte("--port="+port+"\x00")) && bytes.Contains(env, []byte(asProgram+"="+shared.folder)) {
			pid := 0
			fmt.Sscan(filepath.Base(f), &pid)
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("there is no runner")
}

func TestInterrupted(t *testing.T) {
	setUp(t)
	prism, input := startPrismProcess(t), large(t)
	for name, flags := range map[string][]string{"in-process": nil, "PROCESS": append(prism, process(t)...)} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			cmd, said := running(t, out, slices.Concat([]string{"score", "-m", shared.model, "-o", out, input}, flags)...)
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != interrupted || !strings.Contains(said.String(), "parley-beam: interrupted") {
				t.Errorf("exit code %d, it said %q", code, said.String())
			}
			eventually(t, "workers end with their job", func() bool { return len(workers(t)) == 0 })
			nothingNamed(t, out)
		})
	}
}

func TestNobodyWaits(t *testing.T) {
	setUp(t)
	prism, out := startPrismProcess(t), t.TempDir()
	files := writeFiles(t, lines(300, false), 1)
	said := parleyBeam(t, 0, slices.Concat([]string{"score", "-m", shared.model, "-o", out, files[0], "--async"}, prism, process(t))...)
	if !strings.Contains(said, "submitted as parley-beam-score-") {
		t.Errorf("it said %q", said)
	}
	eventually(t, "the job is done", func() bool { return slices.Contains(leftovers(t, out), "job.json") && len(leftovers(t, out)) == 2 })
	same(t, "rows", output(t, out, "rows-*"), scored(t, 0, files))
	shares := filepath.Join(t.TempDir(), "shares.json")
	parleyBeam(t, 0, slices.Concat([]string{"prevalence", "-m", shared.model, "-o", shares, files[0], "--async"}, prism, process(t))...)
	eventually(t, "shares are there, alone", func() bool { return fmt.Sprint(leftovers(t, filepath.Dir(shares))) == "[shares.json]" })
	if said := parleyBeam(t, 2, "score", "-m", shared.model, "-o", t.TempDir(), files[0], "--async"); !strings.Contains(said, "--async: the workers would end with this process") {
		t.Errorf("it said %q", said)
	}
}

// TestOneNameTwice: a runner goes on listing jobs that have ended.
func TestOneNameTwice(t *testing.T) {
	setUp(t)
	prism, input, out := startPrismProcess(t), large(t), t.TempDir()
	name := "--job_name=nightly"
	parleyBeam(t, 0, slices.Concat([]string{"score", "-m", shared.model, "-o", t.TempDir(), name, writeFiles(t, lines(300, false), 1)[0]}, prism, process(t))...)
	cmd, said := running(t, out, slices.Concat([]string{"score", "-m", shared.model, "-o", out, name, input}, prism, process(t))...)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != interrupted {
		t.Errorf("exit code %d, it said %q", code, said.String())
	}
	eventually(t, "the workers of the job that was interrupted end", func() bool { return len(workers(t)) == 0 })
	nothingNamed(t, out)
}

func TestWorkersThatDoNotStart(t *testing.T) {
	setUp(t)
	prism, out := startPrismProcess(t), t.TempDir()
	files := writeFiles(t, lines(10, false), 1)
	said := parleyBeam(t, 1, slices.Concat([]string{"score", "-m", shared.model, "-o", out, files[0], "--stall=3s"}, prism,
		[]string{"--environment_type=PROCESS", `--environment_config={"command":"/bin/false"}`})...)
	if !strings.Contains(said, "the job has not got on for 3s: have its workers started?") {
		t.Errorf("it said %q", said)
	}
	nothingLeft(t, out)
}
