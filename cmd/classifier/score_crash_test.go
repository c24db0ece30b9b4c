package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tests end real processes at random points of a run, which goes on then.
// With PARLEY_SOAK set they are of full size:
//
//	PARLEY_SOAK=1 go test -run TestScoreSurvives -v -timeout 30m ./cmd/classifier

// A crash is a run of score that is to survive.
type crash struct {
	*testing.T
	folder, input, model string
	want                 []byte // what an uninterrupted run writes
	kills                int
	rng                  *rand.Rand
}

// newCrash makes a model and an input, and runs over it once.
func newCrash(t *testing.T) *crash {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	c := &crash{T: t, folder: t.TempDir(), kills: 5, rng: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))}
	rows := 30_000
	if os.Getenv("PARLEY_SOAK") != "" {
		rows, c.kills = 200_000, 30
	}
	c.model, c.input = filepath.Join(c.folder, "m.model"), filepath.Join(c.folder, "in.jsonl")
	c.must(c.command("train", "-o", c.model, "--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", "1", "../../data/train.jsonl"))
	c.writeInput(rows)
	c.mayFail(c.command("score", "-m", c.model, "-o", c.path("want"), c.input))
	var err error
	if c.want, err = os.ReadFile(c.path("want")); err != nil || bytes.Count(c.want, []byte("\n")) != rows {
		t.Fatalf("the uninterrupted run: %d lines, %v", bytes.Count(c.want, []byte("\n")), err)
	}
	return c
}

func (c *crash) path(name string) string { return filepath.Join(c.folder, name) }

// writeInput writes rows of the corpus, with bad ones among them.
func (c *crash) writeInput(rows int) {
	corpus, err := os.ReadFile("../../data/train.jsonl")
	if err != nil {
		c.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(corpus)), "\n")
	var b strings.Builder
	for i := range rows {
		switch i % 500 {
		case 7:
			b.WriteString("{broken\n")
		case 8:
			fmt.Fprintf(&b, "{\"id\": \"row %d\", \"text\": \" \"}\n", i)
		default:
			b.WriteString(lines[c.rng.IntN(len(lines))] + "\n")
		}
	}
	if err := os.WriteFile(c.input, []byte(b.String()), 0o644); err != nil {
		c.Fatal(err)
	}
}

// command is one of the program in a process of its own.
func (c *crash) command(args ...string) *exec.Cmd {
	cmd := exec.Command("classifier", args...)
	cmd.Stderr = &bytes.Buffer{}
	return cmd
}

func (c *crash) must(cmd *exec.Cmd) {
	c.Helper()
	if err := cmd.Run(); err != nil {
		c.Fatalf("%v: %v\n%s", cmd.Args, err, cmd.Stderr)
	}
}

// mayFail runs a command that has exit code 1, as there are bad rows.
func (c *crash) mayFail(cmd *exec.Cmd) {
	c.Helper()
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
		c.Fatalf("%v: %v\n%s", cmd.Args, err, cmd.Stderr)
	}
}

// kill ends a command once its output has so many bytes, or after a time, if
// that comes first; and tells whether it was still running.
func (c *crash) kill(cmd *exec.Cmd, partial string, bytes int64, after time.Duration) bool {
	c.Helper()
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline := time.After(after)
	for size(partial) < bytes {
		select {
		case <-ended:
			return false
		case <-deadline:
			bytes = 0
		case <-time.After(time.Millisecond):
		}
	}
	if err := cmd.Process.Kill(); err != nil && err != os.ErrProcessDone {
		c.Fatal(err)
	}
	<-ended
	return cmd.ProcessState.ExitCode() < 0
}

// size is that of a file, 0 when there is none.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// check wants the output of the uninterrupted run, and nothing beside it.
func (c *crash) check(out string) {
	c.Helper()
	got, err := os.ReadFile(out)
	if err != nil {
		c.Fatal(err)
	}
	if !bytes.Equal(got, c.want) {
		c.Errorf("%d bytes that are not the %d of an uninterrupted run", len(got), len(c.want))
	}
	if left, _ := filepath.Glob(out + ".*"); len(left) > 0 {
		c.Errorf("left behind: %q", left)
	}
}

// TestScoreSurvivesKill kills the process again and again, at random bytes of
// the output or random times, until all of it is there.
func TestScoreSurvivesKill(t *testing.T) {
	c := newCrash(t)
	out, late := c.path("out.jsonl"), 0
	for n := range c.kills {
		at := int64(len(c.want)) * int64(n+c.rng.IntN(2)) / int64(c.kills) // forward as a whole
		after := time.Minute
		if n%3 == 2 {
			after = time.Duration(c.rng.IntN(500)) * time.Millisecond
		}
		cmd := c.command("score", "-m", c.model, "--resume", "--checkpoint-every", "30ms", "-o", out, c.input)
		if !c.kill(cmd, out+".partial", at+c.rng.Int64N(1<<16), after) {
			late++
			os.Remove(out) // begin anew
		}
		if size(out) > 0 {
			t.Fatal("there is an output that is not complete")
		}
	}
	if late > c.kills/3 {
		t.Errorf("%d of %d kills came too late", late, c.kills)
	}
	c.mayFail(c.command("score", "-m", c.model, "--resume", "-o", out, c.input))
	c.check(out)
}

// freeAddress is one that was free a moment ago.
func freeAddress(t *testing.T) string {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	return lis.Addr().String()
}

// TestScoreSurvivesServerKill kills the server under a run, which waits for
// the next one and then ends as if nothing had been.
func TestScoreSurvivesServerKill(t *testing.T) {
	c := newCrash(t)
	addr, out := freeAddress(t), c.path("out.jsonl")
	serve := func() *exec.Cmd {
		cmd := c.command("serve", "-m", c.model, "--addr", addr)
		cmd.Stderr = io.Discard
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	run := c.command("score", "--addr", addr, "-o", out, c.input)
	if err := run.Start(); err != nil { // before there is a server
		t.Fatal(err)
	}
	server := serve()
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	under := 0 // servers that were killed under the run
	for n := range c.kills {
		for at := int64(len(c.want)) * int64(n) / int64(c.kills); size(out+".partial") <= at && size(out) == 0 && len(ended) == 0; {
			time.Sleep(time.Millisecond)
		}
		if len(ended) == 0 {
			under++
		}
		server.Process.Kill()
		server.Wait()
		server = serve()
	}
	defer func() {
		server.Process.Kill()
		server.Wait()
	}()
	if <-ended; run.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v\n%s", run.ProcessState, run.Stderr)
	}
	if under < c.kills {
		t.Errorf("%d servers were killed under the run, want %d", under, c.kills)
	}
	c.check(out)
}

// TestScoreSurvivesFullDisk fills the room that there is for the output: on a
// small file system where one may be mounted, and by a limit of the process.
func TestScoreSurvivesFullDisk(t *testing.T) {
	c := newCrash(t)
	for name, want := range map[string]string{"tmpfs": "no space left on device", "limit": "file too large"} {
		t.Run(name, func(t *testing.T) {
			c := *c
			c.T = t
			out, room := c.path(name+".jsonl"), len(c.want)/3
			args := []string{"score", "-m", c.model, "--checkpoint-every", "10ms", "-o", out, c.input}
			cmd := c.command("score")
			grow := func() {}
			if name == "limit" {
				cmd.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -f %d; exec classifier "$@"`, room/512), "sh"}, args...)
				cmd.Path = "/bin/sh"
			} else {
				out, grow = smallDisk(t, c.path("disk"), room)
				args[len(args)-2] = out
				cmd = c.command(args...)
			}
			c.mayFail(cmd)
			said := fmt.Sprint(cmd.Stderr)
			if !strings.Contains(said, want) || !strings.Contains(said, "to go on: classifier score --resume") || size(out) > 0 {
				t.Fatalf("got %s, want %q and how to go on", said, want)
			}
			grow()
			c.mayFail(c.command(append(args, "--resume")...))
			c.check(out)
		})
	}
}

// TestScoreIsInterrupted ends a run over standard input by a signal. It says how
// to go on, and goes on when it is given the same input from its beginning.
func TestScoreIsInterrupted(t *testing.T) {
	c := newCrash(t)
	input, err := os.ReadFile(c.input)
	if err != nil {
		t.Fatal(err)
	}
	out := c.path("out.jsonl")
	args := []string{"score", "-m", c.model, "-o", out}
	run := c.command(args...)
	stdin, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.Write(input[:len(input)/2]); err != nil {
		t.Fatal(err)
	}
	for size(out+".partial") == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := run.Process.Signal(os.Interrupt); err != nil { // while it waits for more
		t.Fatal(err)
	}
	run.Wait()
	said := fmt.Sprint(run.Stderr)
	if run.ProcessState.ExitCode() != interrupted || !strings.Contains(said, "to go on: classifier score --resume -m ") || !strings.HasSuffix(said, "classifier: interrupted\n") {
		t.Fatalf("%v: %s", run.ProcessState, said)
	}
	if size(out) > 0 || size(out+".checkpoint") == 0 {
		t.Error("there is an output, or no checkpoint")
	}
	again := func(input []byte) *exec.Cmd {
		cmd := c.command(append(args, "--resume")...)
		cmd.Stdin = bytes.NewReader(input)
		return cmd
	}
	other := again(bytes.Replace(input, []byte(`"text"`), []byte(`"test"`), 1))
	c.mayFail(other)
	if want := "the input has changed: its first"; !strings.Contains(fmt.Sprint(other.Stderr), want) {
		t.Errorf("another input: got %s, want %q", other.Stderr, want)
	}
	c.mayFail(again(input))
	want := bytes.ReplaceAll(c.want, []byte(c.input+":"), []byte("-:")) // names of rows without an id
	got, err := os.ReadFile(out)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes that are not the %d of an uninterrupted run, %v", len(got), len(want), err)
	}
}
