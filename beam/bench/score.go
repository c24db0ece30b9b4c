package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

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
	base, want, err := b.base(one)
	if err != nil {
		return err
	}
	for _, n := range []int64{1, 7, 64} {
		pieces, err := pieceBytes(one, n)
		if err != nil {
			return err
		}
		cmd, folder := b.score(fmt.Sprint(n), one, pieces)
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

// base scores by classifier, and returns what it took and the digest of the rows.
func (b *bench) base(files []string) (cost, string, error) {
	out := filepath.Join(b.Work, "out.jsonl")
	base, err := b.measure("classifier score", exec.Command(b.classifier, "score", "-m", b.Model, "-o", out, "--overwrite", files[0]))
	if err != nil {
		return base, "", err
	}
	fmt.Printf("  %.0f rows a second of processor time\n", float64(b.Rows)/base.cpu.Seconds())
	want, err := digest(out)
	return base, want, err
}

// pieceBytes is the flag that cuts a file into n pieces.
func pieceBytes(file []string, n int64) (string, error) {
	info, err := os.Stat(file[0])
	if err != nil {
		return "", err
	}
	return fmt.Sprint("--piece-bytes=", (info.Size()+n-1)/n), nil
}

func (b *bench) compareOne(name string, cmd *exec.Cmd, folder string, base cost, want string) error {
	c, err := b.measure(name, cmd)
	if err != nil {
		return err
	}
	return b.sameRows(folder, c, base, want)
}

// sameRows checks the output of a job, and removes it.
func (b *bench) sameRows(folder string, c, base cost, want string) error {
	files, err := filepath.Glob(filepath.Join(folder, "rows-*"))
	if err != nil {
		return err
	}
	got, err := digest(files...)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: the rows are not those of classifier score", folder)
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

// smallPieces are such that even few rows have more pieces than are worked on at a
// time.
const smallPieces = "--piece-bytes=8000000"

// memory compares the memory at few and many rows.
func (b *bench) memory() error {
	for _, n := range []int{100_000, b.Rows, b.Large} {
		if n == 0 {
			continue
		}
		files, err := b.input(n, 1)
		if err != nil {
			return err
		}
		for name, shares := range map[string][]string{
			"":                      nil,
			" and shares by source": {"--summary=" + filepath.Join(b.Work, "shares.json"), "--by=source"},
		} {
			cmd, folder := b.score("memory", files, append(shares, smallPieces)...)
			if _, err := b.measure(fmt.Sprintf("parley-beam, %d rows%s", n, name), cmd); err != nil {
				return err
			}
			if err := os.RemoveAll(folder); err != nil {
				return err
			}
		}
	}
	return nil
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
