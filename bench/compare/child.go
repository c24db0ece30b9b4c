package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/parley-nlp/parley/bench"
)

// oneCore keeps a child to one thread that computes: Go's scheduler, and the
// linear algebra below scikit-learn.
var oneCore = []string{"GOMAXPROCS=1", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"}

// A usage is what a child took. Times are in seconds.
type usage struct {
	wall, cpu float64
	first     float64 // until the first line of its output; 0 when that was not kept
	peak      int64   // resident bytes
	output    []byte  // when it was kept
}

// self is the command line of a command of this program.
func self(args ...string) ([]string, error) {
	program, err := os.Executable()
	return append([]string{program}, args...), err
}

// run runs a child to its end. Without keep its output goes nowhere.
func run(ctx context.Context, command, env []string, keep bool) (usage, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out := &firstLine{}
	if keep {
		cmd.Stdout = out
	}
	out.start = time.Now()
	err := cmd.Run()
	wall := time.Since(out.start).Seconds()
	if ctx.Err() != nil {
		return usage{}, ctx.Err()
	}
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", filepath.Base(command[0]), err, strings.TrimSpace(problem.String()))
	}
	u := usage{wall: wall, first: out.after, output: out.kept.Bytes()}
	u.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if u.peak = statedPeak(problem.String()); u.peak == 0 {
		u.peak = bench.PeakOf(cmd)
	}
	return u, nil
}

// A firstLine keeps what is written and when its first line was complete.
type firstLine struct {
	kept  bytes.Buffer
	start time.Time
	after float64 // seconds
}

func (f *firstLine) Write(b []byte) (int, error) {
	if f.after == 0 && bytes.IndexByte(b, '\n') >= 0 {
		f.after = time.Since(f.start).Seconds()
	}
	return f.kept.Write(b)
}

// peakPrefix begins the line, the last on standard error, by which a child says
// how much memory it had resident.
const peakPrefix = "peak "

func statePeak(w io.Writer) { fmt.Fprintf(w, "%s%d\n", peakPrefix, bench.PeakBytes()) }

func statedPeak(stderr string) int64 {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	after, ok := strings.CutPrefix(lines[len(lines)-1], peakPrefix)
	if !ok {
		return 0
	}
	n, _ := strconv.ParseInt(after, 10, 64)
	return n
}

// runJSON runs a command of this program on one core and decodes what it prints.
func runJSON(ctx context.Context, into any, args ...string) error {
	command, err := self(args...)
	if err != nil {
		return err
	}
	u, err := run(ctx, command, oneCore, true)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(u.output, into); err != nil {
		return fmt.Errorf("%s: output: %w", args[0], err)
	}
	return nil
}

// A server is a child that serves until its standard input ends, and tells its
// processor time whenever it reads a line.
type server struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

// startServer starts a child that prints its address first.
func startServer(ctx context.Context, args ...string) (*server, error) {
	command, err := self(args...)
	if err != nil {
		return nil, err
	}
	s := &server{cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	s.cmd.Env = append(os.Environ(), oneCore...)
	s.cmd.Stderr = os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(stdout)
	if s.addr, err = s.line(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *server) line() (string, error) {
	line, err := s.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("server: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// cpu returns the processor time of the server so far, in seconds.
func (s *server) cpu() (float64, error) {
	if _, err := fmt.Fprintln(s.stdin, "cpu"); err != nil {
		return 0, err
	}
	line, err := s.line()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(line, 64)
}

// stop ends the server and waits for it.
func (s *server) stop() error {
	s.stdin.Close()
	return s.cmd.Wait()
}
