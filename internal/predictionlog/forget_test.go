package predictionlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/dataset"
)

const secret = "my number is 555 1234, ask for \"Ann\" \\ \u00e9"

// child is what the test binary does when a test starts it as another process.
func child(args []string) error {
	_, err := Forget(context.Background(), args[0], Matching([]string{secret}))
	return err
}

// forget erases the rows with texts and compares how many they are.
func forget(t *testing.T, path string, want int, texts ...string) {
	t.Helper()
	n, err := Forget(t.Context(), path, Matching(texts))
	if err != nil || n != want {
		t.Errorf("erased %d rows, error %v, want %d", n, err, want)
	}
}

// texts reads the texts of a log's files, as training and scoring do.
func texts(t *testing.T, path string) []string {
	t.Helper()
	names, err := files(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(strings.Trim(string(data), " \n\x18")) == 0 {
			continue // a set without rows is an error
		}
		for ex, err := range dataset.Rows(dataset.Reader(name, strings.NewReader(string(data))), dataset.Options{}) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			list = append(list, ex.Text)
		}
	}
	return list
}

func TestForget(t *testing.T) {
	l, path := newLog(t, Config{MaxBytes: 400, Keep: 9})
	for i, text := range []string{"one", secret, "two", secret, secret, "three", strings.Repeat("long ", 1000) + secret} {
		l.Add(row(fmt.Sprint(i), text))
		if err := l.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, l)
	names, err := files(path)
	if err != nil || len(names) < 4 {
		t.Fatalf("files %q, error %v", names, err)
	}
	before := map[string]string{}
	for _, name := range names {
		before[name] = read(t, name)
	}
	forget(t, path, 0, "nothing", "", "on", "one ", "my number is")
	for name, want := range before {
		if read(t, name) != want {
			t.Errorf("%s has changed", name)
		}
	}
	forget(t, path, 3, secret)
	forget(t, path, 0, secret)
	for name, was := range before {
		now := read(t, name)
		if len(now) != len(was) || strings.Count(now, "\n") != strings.Count(was, "\n") {
			t.Errorf("%s has %d bytes, want %d", name, len(now), len(was))
		}
		for i, line := range strings.Split(was, "\n") {
			got := strings.Split(now, "\n")[i]
			if gone := strings.Contains(line, `"text":"my number`); gone && strings.Trim(got, " ") != "" || !gone && got != line {
				t.Errorf("%s: %q became %q", name, line, got)
			}
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, error %v", name, info.Mode(), err)
		}
	}
	if got := texts(t, path); len(got) != 4 {
		t.Errorf("texts %q", got)
	}
	forget(t, path, 1, strings.Repeat("long ", 1000)+secret)
}

func TestForgetWithoutALog(t *testing.T) {
	forget(t, filepath.Join(t.TempDir(), "none", "p.jsonl"), 0, secret)
	forget(t, os.DevNull, 0, secret)
	if n, err := (*Log)(nil).Forget(t.Context(), Matching([]string{secret})); n != 0 || err != nil {
		t.Errorf("erased %d rows, error %v", n, err)
	}
}

func TestMatching(t *testing.T) {
	match := Matching([]string{"call Ann at 555 1234 or ann@a.example today", "x"})
	for _, test := range []struct {
		logged string
		cut    bool
		want   bool
	}{
		{"call Ann at 555 1234 or ann@a.example today", false, true},
		{"call Ann at 555 1234 or ann@a.example today", true, true},
		{"x", false, true},
		{"call Ann at [redacted] or [redacted] today", false, true},
		{"call [redacted] at [redacted] [redacted] or ann@a.example today", false, true},
		{"[redacted]or ann@a.example today", false, true},
		{"call Ann at [redacted]", false, true},
		{"call Ann at [redacted] tomorrow", false, false},
		{"call Bob at [redacted] or [redacted] today", false, false},
		{"call Ann at [redacted] or [redacted] today!", false, false},
		{"[redacted]", false, false},
		{"[redacted] [redacted].", false, false},
		{"", true, false},
		{"call Ann at 555", true, true},
		{"call Ann at 555", false, false},
		{"call Ann at 556", true, false},
		{"call Ann at [redacted] or", true, true},
		{"call Ann at [redacted] or", false, false},
		{"call Ann at [redacted] and", true, false},
	} {
		if got := match(test.logged, test.cut); got != test.want {
			t.Errorf("%q, cut %v: %v", test.logged, test.cut, got)
		}
	}
}

// TestForgetRedacted: by the texts as they were sent, whatever the log's patterns.
func TestForgetRedacted(t *testing.T) {
	l, path := newLog(t, Config{Redact: []*regexp.Regexp{regexp.MustCompile(`\d+ \d+`), regexp.MustCompile(`Ann`)}})
	cut := row("3", secret[:20])
	cut.Input.Truncated = true
	for _, r := range []*Row{row("1", secret), row("2", "another 555 1234"), cut, row("4", "my number")} {
		l.Add(r)
	}
	n, err := l.Forget(t.Context(), Matching([]string{secret})) // waits for the queue
	if err != nil || n != 2 {
		t.Errorf("erased %d rows, error %v", n, err)
	}
	if got := fmt.Sprintf("%q", texts(t, path)); got != `["another [redacted]" "my number"]` {
		t.Errorf("left are %s", got)
	}
	mustClose(t, l)
	if n, err := l.Forget(t.Context(), Matching([]string{"another 555 1234"})); err != nil || n != 1 {
		t.Errorf("after the end: erased %d rows, error %v", n, err)
	}
}

// TestForgetBesideAWriter: while a server writes and rotates, every row that is not
// to be forgotten stays, and none that is.
func TestForgetBesideAWriter(t *testing.T) {
	l, path := newLog(t, Config{MaxBytes: 20_000, Keep: 1000})
	random := rand.New(rand.NewPCG(1, 2))
	const rows = 3000
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range rows {
			r := row(fmt.Sprint(i), fmt.Sprintf("text %d", i))
			if i%3 == 0 {
				r.Text = secret
			}
			for l.queued.Load() > 1<<18 {
				runtime.Gosched()
			}
			l.Add(r)
			if random.IntN(50) == 0 {
				time.Sleep(time.Duration(random.IntN(300)) * time.Microsecond)
			}
		}
	}()
	erased, passes := 0, 0
	for done := false; !done; passes++ {
		select {
		case <-written:
			done = true
		default:
		}
		n, err := l.Forget(t.Context(), Matching([]string{secret}))
		if err != nil {
			t.Fatal(err)
		}
		erased += n
	}
	mustClose(t, l)
	if c := l.Counts(); c.Dropped.Load() != 0 || c.Failed.Load() != 0 {
		t.Fatalf("%d rows dropped, %d failed", c.Dropped.Load(), c.Failed.Load())
	}
	if erased != rows/3 || passes < 2 {
		t.Errorf("erased %d rows in %d passes, want %d", erased, passes, rows/3)
	}
	seen := map[string]int{}
	for _, text := range texts(t, path) {
		seen[text]++
	}
	for i := range rows {
		if n := seen[fmt.Sprintf("text %d", i)]; i%3 != 0 && n != 1 {
			t.Errorf("text %d is there %d times", i, n)
		}
	}
	if seen[secret] != 0 || len(seen) != rows-rows/3 {
		t.Errorf("%d texts, the forgotten one %d times", len(seen), seen[secret])
	}
	names, _ := files(path)
	t.Logf("%d passes over %d files", passes, len(names))
}

// TestForgetAtOnce: two that erase the same count each row once.
func TestForgetAtOnce(t *testing.T) {
	l, path := newLog(t, Config{})
	for i := range 200 {
		l.Add(row(fmt.Sprint(i), secret))
	}
	mustClose(t, l)
	var mu sync.Mutex
	var group sync.WaitGroup
	all := 0
	for range 4 {
		group.Go(func() {
			n, err := Forget(context.Background(), path, Matching([]string{secret}))
			mu.Lock()
			defer mu.Unlock()
			if all += n; err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if all != 200 || strings.Trim(read(t, path), " \n") != "" {
		t.Errorf("erased %d rows", all)
	}
}

// TestInterruptedForget: after each step of erasing, the rows that are left can be
// read, and another Forget completes it.
func TestInterruptedForget(t *testing.T) {
	text := strings.Repeat(secret, 500) // over several pages
	for step := range 3 {
		l, path := newLog(t, Config{})
		for _, r := range []*Row{row("1", text), row("2", "other"), row("3", text)} {
			l.Add(r)
		}
		mustClose(t, l)
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		e := &eraser{ctx: t.Context(), f: f, match: Matching([]string{text})}
		if _, err := e.scan(0, true); err != nil || len(e.found) != 2 {
			t.Fatalf("found %v, error %v", e.found, err)
		}
		first := e.found[0]
		steps := []func() error{
			func() error { return e.put(first.from, []byte{Erasing}) },
			func() error { return e.blank(first.from+1, first.from+5000) },
			func() error { return e.blank(first.from+5000, first.to) },
		}
		for _, do := range steps[:step+1] {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
		if got := texts(t, path); len(got) != 2 || got[0] != "other" {
			t.Errorf("step %d: %d texts", step, len(got))
		}
		forget(t, path, 1, "something else") // completes what was begun
		forget(t, path, 1, text)
		if got := fmt.Sprint(texts(t, path)); got != "[other]" {
			t.Errorf("step %d: texts %s", step, got)
		}
		if now := read(t, path); strings.ContainsRune(now, Erasing) || strings.Contains(now, "Ann") {
			t.Errorf("step %d: something of it is left", step)
		}
	}
}

// TestKilledForget kills processes that erase: at every moment the other rows can
// be read, and the next one completes it.
func TestKilledForget(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	l, path := newLog(t, Config{MaxBytes: 1 << 30})
	whole := func() time.Duration {
		start := time.Now()
		if err := exec.Command(os.Args[0], "child", path).Run(); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	fill := func(l *Log) {
		for i := range 800 {
			r := row(fmt.Sprint(i), fmt.Sprintf("text %d", i))
			if i%2 == 0 {
				r.Text = secret
			}
			l.Add(r)
		}
		mustClose(t, l)
	}
	fill(l)
	full := []byte(read(t, path))
	took, killed, half := whole(), 0, 0
	for range 15 {
		if err := os.WriteFile(path, full, mode); err != nil {
			t.Fatal(err)
		}
		p := exec.Command(os.Args[0], "child", path)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		p.Process.Kill()
		if p.Wait() != nil {
			killed++
		}
		left := map[string]int{}
		for _, text := range texts(t, path) {
			left[text]++
		}
		if n := left[secret]; n > 0 && n < 400 {
			half++
		}
		if delete(left, secret); len(left) != 400 {
			t.Errorf("%d of 400 other texts are left", len(left))
		}
		if _, err := Forget(t.Context(), path, Matching([]string{secret})); err != nil {
			t.Fatal(err)
		}
		if now := read(t, path); strings.Contains(now, "Ann") || strings.ContainsRune(now, Erasing) {
			t.Error("something of it is left")
		}
	}
	t.Logf("%d of 15 were killed before they were done, %d while they erased", killed, half)
	if killed == 0 {
		t.Error("all were done before they were killed: the test shows nothing")
	}
}

// TestForgetUnfinishedRow: a writer that died left part of a row, and perhaps
// another went on in the same line.
func TestForgetUnfinishedRow(t *testing.T) {
	quoted, _ := json.Marshal(secret)
	next := `{"id":"3","text":"next","revision":"abc"}` + "\n"
	for _, test := range []struct {
		left string
		want int
	}{
		{`{"id":"2","text":` + string(quoted) + `,"predic`, 1},
		{`{"id":"2","text":` + string(quoted[:20]), 1},
		{`{"id":"2","text":` + string(quoted[:len(quoted)-4]), 1}, // within an escape
		{`{"id":"2","text":` + string(quoted[:20]) + next, 1},
		{`{"id":"2","te`, 0},
		{`{"id":"2","text":"some`, 0},
		{`{"id":"2","text":"some` + next, 0},
	} {
		path := filepath.Join(t.TempDir(), "p.jsonl")
		whole := `{"id":"1","text":"first"}` + "\n"
		if err := os.WriteFile(path, []byte(whole+test.left), mode); err != nil {
			t.Fatal(err)
		}
		forget(t, path, test.want, secret)
		rest := read(t, path)[len(whole):]
		if test.want == 1 && strings.Trim(rest, " \n") != "" || test.want == 0 && rest != test.left {
			t.Errorf("%q became %q", test.left, rest)
		}
	}
}

func TestForgetRefusesEndlessLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(maxLine+1), f.Close()); err != nil { // a hole takes no room
		t.Fatal(err)
	}
	if _, err := Forget(t.Context(), path, Matching([]string{secret})); err == nil || !strings.Contains(err.Error(), "p.jsonl: at byte 0") {
		t.Errorf("error %v", err)
	}
}

func TestForgetEndsWithItsContext(t *testing.T) {
	l, path := newLog(t, Config{})
	l.Add(row("1", secret))
	mustClose(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := Forget(ctx, path, Matching([]string{secret})); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("erased %d rows, error %v", n, err)
	}
}
