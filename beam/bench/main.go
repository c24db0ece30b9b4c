// Command bench measures parley-beam beside classifier, on paragraphs that are put
// together from halves of the built-in corpus's:
//
//	go run ./bench --rows 1000000 --large 5000000 --work /var/tmp/bench
//
// It checks that both write the same rows and the same models, with the input cut
// into 1, 7 and 64 pieces or files, in this process and in workers of a separate
// runner, and prints rows per second of processor time, the largest memory of the
// process at 100,000 rows, at --rows and at --large, and what two processes do beside one.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type bench struct {
	Rows   int    `default:"1000000" help:"Paragraphs to score. Default: ${default}."`
	Large  int    `default:"5000000" help:"Paragraphs to compare memory at; 0 for none. Default: ${default}."`
	Work   string `required:"" help:"Folder for input and output: about 1 KB a paragraph."`
	Source string `default:".." help:"Folder of the source. Default: ${default}."`
	Model  string `help:"Model file. Default: classifier train on the built-in training texts."`
	Only   string `enum:"all,score,runners,memory,processes,train" default:"all" help:"One of the parts: score, runners, memory, processes, train. Default: all."`

	classifier, beam string
}

func main() {
	var b bench
	kong.Parse(&b)
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run() error {
	if err := b.prepare(); err != nil {
		return err
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%s, %d processors, load before: %s", time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), load)
	for _, part := range []struct {
		name string
		run  func() error
	}{{"score", b.compare}, {"runners", b.runners}, {"memory", b.memory}, {"processes", b.processes}, {"train", b.train}} {
		if b.Only != "all" && b.Only != part.name {
			continue
		}
		if err := part.run(); err != nil {
			return err
		}
	}
	return nil
}

// prepare builds the programs and trains the model.
func (b *bench) prepare() error {
	if err := os.MkdirAll(b.Work, 0o777); err != nil {
		return err
	}
	b.classifier, b.beam = filepath.Join(b.Work, "classifier"), filepath.Join(b.Work, "parley-beam")
	for program, folder := range map[string]string{b.classifier: b.Source, b.beam: filepath.Join(b.Source, "beam")} {
		path, err := filepath.Abs(program)
		if err != nil {
			return err
		}
		cmd := exec.Command("go", "build", "-o", path, "./cmd/"+filepath.Base(program))
		cmd.Dir, cmd.Stderr = folder, os.Stderr
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	if b.Model != "" {
		return nil
	}
	b.Model = filepath.Join(b.Work, "m.model")
	if _, err := os.Stat(b.Model); err == nil {
		return nil
	}
	_, err := b.measure("", exec.Command(b.classifier, "train", filepath.Join(b.Source, "data", "train.jsonl"), "-o", b.Model))
	return err
}

// A cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at most
}

// measure runs a process and prints what it took, unless it has no name.
func (b *bench) measure(name string, cmd *exec.Cmd) (cost, error) {
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	c := costOf(cmd, began)
	if name != "" {
		c.print(name)
	}
	return c, nil
}

func (c cost) print(name string) {
	fmt.Printf("%-44s %8.1f s, %8.1f s of processors, %5d MB\n", name, c.wall.Seconds(), c.cpu.Seconds(), c.memory>>20)
}

// costOf is what a process that has ended took, with the processes that it waited
// for: of memory, the largest of them.
func costOf(cmd *exec.Cmd, began time.Time) cost {
	s := cmd.ProcessState
	return cost{time.Since(began), s.UserTime() + s.SystemTime(), s.SysUsage().(*syscall.Rusage).Maxrss << 10}
}
