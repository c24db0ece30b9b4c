package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// child is what the test binary does when a test starts it as another process.
// It says when it is ready.
func child(args []string) int {
	err := fmt.Errorf("unknown: %q", args)
	switch args[0] {
	case "publish":
		err = publishFiles(args[1], args[2:], nil)
	case "publish-trained":
		t := trainingOf(1, 2)
		err = publishFiles(args[1], args[2:], &t)
	case "promote":
		err = promoteOnce(args[1], args[2])
	case "withdraw":
		err = withdrawForever(args[1], args[2], args[3])
	case "race":
		err = raceOnce(args[1], args[2], args[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// publishFiles publishes model files, with a training unless that is nil, and points
// live to each.
func publishFiles(url string, files []string, t *Training) error {
	ctx := context.Background()
	s, err := Open(ctx, url)
	if err != nil {
		return err
	}
	defer s.Close()
	var models []*model.Model
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		m, err := model.Parse(data)
		if err != nil {
			return err
		}
		models = append(models, m)
	}
	fmt.Println("ready")
	for _, m := range models {
		if _, err := s.publish(ctx, "news", m, Provenance{}, t); err != nil {
			return err
		}
		if _, err := s.SetAlias(ctx, "news", Live, m.Revision(), "", ""); err != nil {
			return err
		}
	}
	return nil
}

// raceOnce waits until its input ends, tries to move live once, and says whether
// it won.
func raceOnce(url, revision, etag string) error {
	ctx := context.Background()
	s, err := Open(ctx, url)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	_, err = s.SetAlias(ctx, "news", Live, revision, etag, strconv.Itoa(os.Getpid()))
	switch {
	case err == nil:
		fmt.Println("won")
	case !errors.Is(err, ErrEtagMismatch):
		return err
	}
	return nil
}

// promoteOnce waits until its input ends, points live to a revision unless that has
// been withdrawn, and says whether it won.
func promoteOnce(url, revision string) error {
	ctx := context.Background()
	s, err := Open(ctx, url)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	_, err = s.SetAlias(ctx, "news", Live, revision, "", "")
	switch {
	case err == nil:
		fmt.Println("won")
	case !errors.Is(err, ErrWithdrawn):
		return err
	}
	return nil
}

// withdrawForever withdraws one revision after the other, says which, and moves
// live in between.
func withdrawForever(url, live, round string) error {
	ctx := context.Background()
	s, err := Open(ctx, url)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println("ready")
	for i := 0; ; i++ {
		sum := sha([]byte(fmt.Sprint(round, " ", i)))
		if _, err := s.Withdraw(ctx, "news", []string{sum}, "killed"); err != nil {
			return err
		}
		fmt.Println(sum)
		if _, err := s.SetAlias(ctx, "news", fmt.Sprintf("a%d", i%3), live, "", ""); err != nil {
			return err
		}
	}
}

// A process is a started child.
type process struct {
	*exec.Cmd
	stdin  io.Closer
	stdout *bufio.Scanner
}

// startChild starts a child and waits until it is ready.
func startChild(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], append([]string{"child"}, args...)...)}
	p.Stderr = os.Stderr
	in := must[io.WriteCloser](t)(p.StdinPipe())
	out := must[io.ReadCloser](t)(p.StdoutPipe())
	p.stdin, p.stdout = in, bufio.NewScanner(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if !p.stdout.Scan() || p.stdout.Text() != "ready" {
		p.Process.Kill()
		t.Fatalf("child %s: %v", args[0], p.Wait())
	}
	return p
}
