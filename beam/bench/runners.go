package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// runners compares jobs of a runner that is a process of its own: with workers in
// the process that submits the job, and with workers that the runner starts.
func (b *bench) runners() error {
	one, err := b.input(b.Rows, 1)
	if err != nil {
		return err
	}
	base, want, err := b.base(one)
	if err != nil {
		return err
	}
	program, err := filepath.Abs(b.beam)
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]string{"command": program})
	if err != nil {
		return err
	}
	for _, workers := range [][]string{
		{"--environment_type=LOOPBACK"},
		{"--environment_type=PROCESS", "--environment_config=" + string(config)},
	} {
		_, name, _ := strings.Cut(workers[0], "=")
		for _, n := range []int64{1, 7, 64} {
			pieces, err := pieceBytes(one, n)
			if err != nil {
				return err
			}
			cmd, folder := b.score(fmt.Sprint(name, n), one, append(workers, pieces)...)
			c, err := b.onRunner(fmt.Sprintf("a runner's process, %s, %d pieces", name, n), program, cmd)
			if err != nil {
				return err
			}
			if err := b.sameRows(folder, c, base, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// onRunner runs a job on a runner's process, and returns what both took together
// with the workers, which run the program; the memory is that of the largest.
func (b *bench) onRunner(name, program string, job *exec.Cmd) (cost, error) {
	port, err := freePort()
	if err != nil {
		return cost{}, err
	}
	runner := exec.Command(b.beam, "prism", fmt.Sprint("--port=", port))
	said, err := runner.StderrPipe()
	if err != nil {
		return cost{}, err
	}
	began := time.Now()
	if err := runner.Start(); err != nil {
		return cost{}, err
	}
	bufio.NewReader(said).ReadString('\n') // it is ready
	job.Args = slices.Insert(job.Args, 2, "--runner=universal", fmt.Sprint("--endpoint=localhost:", port))
	workers := watchWorkers(program)
	out, err := job.CombinedOutput()
	w := workers()
	c := costOf(job, began)
	runner.Process.Signal(syscall.SIGTERM)
	runner.Wait()
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", strings.Join(job.Args, " "), err, out)
	}
	r := costOf(runner, began)
	c.cpu, c.memory = c.cpu+r.cpu+w.cpu, max(c.memory, r.memory, w.memory)
	c.print(name)
	if w.cpu > 0 {
		fmt.Printf("  of which workers %.1f s of processors, %d MB\n", w.cpu.Seconds(), w.memory>>20)
	}
	return c, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
