package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// train compares the model of counts that a job counted with that of classifier
// train on the same rows.
func (b *bench) train() error {
	one, err := b.input(b.Rows, 1)
	if err != nil {
		return err
	}
	file := filepath.Join(b.Work, "one.model")
	if _, err := b.measure("classifier train --counted", exec.Command(b.classifier, "train", "--counted", one[0], "-o", file, "--preset=long", "--no-strings")); err != nil {
		return err
	}
	want, err := digest(file)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 7, 64} {
		pieces, err := pieceBytes(one, int64(n))
		if err != nil {
			return err
		}
		if err := b.trainOne(fmt.Sprintf("one file in %d pieces", n), want, pieces, one[0]); err != nil {
			return err
		}
	}
	for _, n := range []int{7, 64} {
		files, err := b.input(b.Rows, n)
		if err != nil {
			return err
		}
		if err := b.trainOne(fmt.Sprintf("%d files", n), want, files...); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) trainOne(name, want string, args ...string) error {
	out, file := filepath.Join(b.Work, "out-counts"), filepath.Join(b.Work, "beam.model")
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if _, err := b.measure("parley-beam count, "+name, exec.Command(b.beam, append([]string{"count", "-o", out, "--progress=none"}, args...)...)); err != nil {
		return err
	}
	train := exec.Command(b.classifier, "train", "--from-counts", filepath.Join(out, "counts.statistics"), "--sample", filepath.Join(out, "sample.jsonl"), "-o", file)
	if _, err := b.measure("  classifier train --from-counts", train); err != nil {
		return err
	}
	got, err := digest(file)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: the model is not that of classifier train", name)
	}
	fmt.Println("  the same model")
	return os.RemoveAll(out)
}
