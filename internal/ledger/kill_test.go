package ledger

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// childArgument makes the test's program a writer.
const childArgument = "write-labels"

// perRequest is how many labels a request of a writer has.
const perRequest = 3

// child adds labels to the ledger at URL, request after request from number FIRST on,
// and prints the number of each that is acknowledged. A request that fails because
// the server is gone is repeated.
func child(args []string) int {
	ctx := context.Background()
	n, err := strconv.Atoi(args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var l *Ledger
	for deadline := time.Now().Add(time.Minute); ; {
		if l, err = Open(ctx, args[0]); err == nil {
			break
		}
		if time.Now().After(deadline) {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		time.Sleep(10 * time.Millisecond)
	}
	for ; ; n++ {
		for deadline := time.Now().Add(time.Minute); ; {
			if err = request(ctx, l, n); err == nil {
				break
			}
			if time.Now().After(deadline) {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Println(n)
	}
}

func request(ctx context.Context, l *Ledger, n int) error {
	var labels []NewLabel
	for i := range perRequest {
		labels = append(labels, label(fmt.Sprintf("text %d of request %d", i, n), "topic", "x", "ann"))
	}
	out, err := l.Add(ctx, fmt.Sprint("request ", n), labels)
	if err != nil {
		return err
	}
	for _, o := range out {
		if o.Err != nil {
			return o.Err
		}
	}
	return nil
}

// kills is how many there are: all with PARLEY_SOAK=1, else a few.
func kills() int {
	if os.Getenv("PARLEY_SOAK") != "" {
		return 200
	}
	return 10
}

func TestKilledWriters(t *testing.T) {
	testKilledWriters(t, filepath.Join(t.TempDir(), "labels.db"), nil)
}

// testKilledWriters kills a writer (or what kill kills under it) at random moments
// and starts it again at the first request that was not acknowledged: every
// acknowledged label is there, none twice, and requests are whole.
func testKilledWriters(t *testing.T, url string, kill func() error) {
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged, more := -1, 0
	for range kills() {
		w := startWriter(t, url, acknowledged+1)
		for range 1 + random.IntN(20) { // it writes
			acknowledged = w.next(t)
		}
		time.Sleep(time.Duration(random.IntN(5_000)) * time.Microsecond)
		if kill != nil {
			if err := kill(); err != nil {
				t.Fatal(err)
			}
			acknowledged = w.next(t) // the same writer goes on
		}
		if last := w.kill(t); last > acknowledged {
			acknowledged = last
		}
		if whole(t, url, acknowledged) {
			more++
		}
	}
	t.Logf("%d kills, %d requests acknowledged; %d times another was durable that was not acknowledged yet", kills(), acknowledged+1, more)
}

// whole checks the ledger after a kill, and tells whether there is a request more
// than was acknowledged.
func whole(t *testing.T, url string, acknowledged int) bool {
	t.Helper()
	var l *Ledger
	var err error
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if l, err = Open(t.Context(), url); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := resolved(t, l, 0)
	n, want := len(r.Rows), (acknowledged+1)*perRequest
	if n != want && n != want+perRequest || int64(n) != r.Position {
		t.Fatalf("%d texts by %d events: want those of %d requests, or of one more", n, r.Position, acknowledged+1)
	}
	for i, row := range r.Rows {
		if want := fmt.Sprintf("text %d of request %d", i%perRequest, i/perRequest); row.Text != want {
			t.Fatalf("row %d: got %q, want %q", i, row.Text, want)
		}
	}
	return n > want
}

// A writerProcess is a child.
type writerProcess struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startWriter(t *testing.T, url string, first int) *writerProcess {
	t.Helper()
	cmd := exec.Command(os.Args[0], childArgument, url, strconv.Itoa(first))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &writerProcess{cmd, bufio.NewScanner(out)}
}

// next waits for the next request that is acknowledged.
func (w *writerProcess) next(t *testing.T) int {
	t.Helper()
	if !w.lines.Scan() {
		t.Fatal("the writer has ended")
	}
	n, err := strconv.Atoi(w.lines.Text())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// kill kills the writer and returns the last request that it acknowledged, -1 for
// none since the last look.
func (w *writerProcess) kill(t *testing.T) int {
	t.Helper()
	w.cmd.Process.Kill()
	last := -1
	for w.lines.Scan() {
		if n, err := strconv.Atoi(w.lines.Text()); err == nil {
			last = n
		}
	}
	if err := w.cmd.Wait(); err == nil {
		t.Fatal("the writer ended by itself")
	}
	return last
}
