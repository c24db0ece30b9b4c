// Command bench measures parley-beam beside classifier score, on paragraphs that
// repeat those of the built-in corpus under ids of their own:
//
//	go run ./bench --rows 1000000 --large 5000000 --work /var/tmp/bench
//
// It checks that both write the same bytes, with the input cut into 1, 7 and 64
// pieces, and prints rows per second of processor time, the largest memory of the
// process at 100,000 rows and at --large, and what two processes do beside one.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/parley-nlp/parley/data"
	"github.com/parley-nlp/parley/internal/dataset"
)

type bench struct {
	Rows   int    `default:"1000000" help:"Paragraphs to score. Default: ${default}."`
	Large  int    `default:"5000000" help:"Paragraphs to compare memory at; 0 for none. Default: ${default}."`
	Work   string `required:"" help:"Folder for input and output: about 1 KB a paragraph."`
	Source string `default:".." help:"Folder of the source. Default: ${default}."`
	Model  string `help:"Model file. Default: classifier train on the built-in training texts."`

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
	for _, step := range []func() error{b.compare, b.memory, b.processes} {
		if err := step(); err != nil {
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
		fmt.Printf("%-44s %8.1f s, %8.1f s of processors, %5d MB\n", name, c.wall.Seconds(), c.cpu.Seconds(), c.memory>>20)
	}
	return c, nil
}

func costOf(cmd *exec.Cmd, began time.Time) cost {
	s := cmd.ProcessState
	return cost{time.Since(began), s.UserTime() + s.SystemTime(), s.SysUsage().(*syscall.Rusage).Maxrss << 10}
}

// input writes so many paragraphs into so many files, unless they are there.
func (b *bench) input(rows, files int) ([]string, error) {
	var names []string
	for i := range files {
		names = append(names, filepath.Join(b.Work, fmt.Sprintf("in-%d-%02d-of-%02d.jsonl", rows, i, files)))
	}
	if _, err := os.Stat(names[files-1]); err == nil {
		return names, nil
	}
	texts, err := paragraphs()
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if err := writeRows(name, texts, rows*i/files, rows*(i+1)/files); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// paragraphs are the texts of the built-in corpus.
func paragraphs() ([]string, error) {
	sources, err := dataset.FS(data.FS)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, s := range sources {
		for ex, err := range dataset.Rows(s, dataset.Options{NoLabels: true}) {
			if err != nil {
				return nil, err
			}
			texts = append(texts, ex.Text)
		}
	}
	return texts, nil
}

// writeRows writes a file that appears whole.
func writeRows(name string, texts []string, from, to int) error {
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	e := json.NewEncoder(w)
	for i := from; i < to; i++ {
		row := map[string]string{"id": fmt.Sprintf("p%09d", i), "text": texts[i%len(texts)], "source": fmt.Sprint("s", i%37)}
		if err := e.Encode(row); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// score is a job of parley-beam, with what it writes in a folder of its own.
func (b *bench) score(name string, files []string, args ...string) (*exec.Cmd, string) {
	out := filepath.Join(b.Work, "out-"+name)
	os.RemoveAll(out)
	return exec.Command(b.beam, slices.Concat([]string{"score", "-m", b.Model, "-o", out, "--errors=inline", "--progress=none"}, args, files)...), out
}

// compare scores by both programs.
func (b *bench) compare() error {
	one, err := b.input(b.Rows, 1)
	if err != nil {
		return err
	}
	info, err := os.Stat(one[0])
	if err != nil {
		return err
	}
	out := filepath.Join(b.Work, "out.jsonl")
	base, err := b.measure("classifier score", exec.Command(b.classifier, "score", "-m", b.Model, "-o", out, "--overwrite", one[0]))
	if err != nil {
		return err
	}
	fmt.Printf("  %.0f rows a second of processor time, %d bytes a row\n", float64(b.Rows)/base.cpu.Seconds(), info.Size()/int64(b.Rows))
	want, err := digest(out)
	if err != nil {
		return err
	}
	for _, n := range []int64{1, 7, 64} {
		cmd, folder := b.score(fmt.Sprint(n), one, fmt.Sprint("--piece-bytes=", (info.Size()+n-1)/n))
		if err := b.compareOne(fmt.Sprintf("parley-beam, one file in %d pieces", n), cmd, folder, base, want); err != nil {
			return err
		}
	}
	for _, n := range []int{7, 64} {
		files, err := b.input(b.Rows, n)
		if err != nil {
			return err
		}
		cmd, folder := b.score(fmt.Sprint("files-", n), files)
		if err := b.compareOne(fmt.Sprintf("parley-beam, %d files", n), cmd, folder, base, want); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) compareOne(name string, cmd *exec.Cmd, folder string, base cost, want string) error {
	c, err := b.measure(name, cmd)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "rows-*"))
	if err != nil {
		return err
	}
	got, err := digest(files...)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: the rows are not those of classifier score", name)
	}
	fmt.Printf("  the same bytes; %.0f rows a second of processor time, %.0f%% of classifier score\n",
		float64(b.Rows)/c.cpu.Seconds(), 100*base.cpu.Seconds()/c.cpu.Seconds())
	return os.RemoveAll(folder)
}

// digest is that of files, one after the other.
func digest(names ...string) (string, error) {
	h := sha256.New()
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// processes scores the same rows by one process of one processor, and by two at
// the same time, each half of the files.
func (b *bench) processes() error {
	files, err := b.input(b.Rows, 64)
	if err != nil {
		return err
	}
	one, _ := b.score("one", files)
	one.Env = append(os.Environ(), "GOMAXPROCS=1")
	c, err := b.measure("parley-beam, 1 process of 1 processor", one)
	if err != nil {
		return err
	}
	began := time.Now()
	var list []*exec.Cmd
	for i := range 2 {
		cmd, _ := b.score(fmt.Sprint("half-", i), files[32*i:32*i+32])
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		if err := cmd.Start(); err != nil {
			return err
		}
		list = append(list, cmd)
	}
	var cpu time.Duration
	for _, cmd := range list {
		if err := cmd.Wait(); err != nil {
			return err
		}
		cpu += costOf(cmd, began).cpu
	}
	wall := time.Since(began)
	fmt.Printf("%-44s %8.1f s, %8.1f s of processors; %.2f times as fast as one\n",
		"parley-beam, 2 such processes, half each", wall.Seconds(), cpu.Seconds(), c.wall.Seconds()/wall.Seconds())
	return nil
}

// memory compares the memory at few and many rows.
func (b *bench) memory() error {
	for _, n := range []int{100_000, b.Large} {
		if n == 0 {
			continue
		}
		files, err := b.input(n, 1)
		if err != nil {
			return err
		}
		cmd, folder := b.score("memory", files, "--summary="+filepath.Join(b.Work, "shares.json"), "--by=source")
		if _, err := b.measure(fmt.Sprintf("parley-beam, %d rows and shares by source", n), cmd); err != nil {
			return err
		}
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	return nil
}
