package predictionlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		if err := child(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// newLog opens a log in a folder of its own. It is closed when the test ends.
func newLog(t *testing.T, cfg Config) (*Log, string) {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = filepath.Join(t.TempDir(), "p.jsonl")
	}
	if cfg.Share == 0 {
		cfg.Share = 1
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1 << 20
	}
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, cfg.Path
}

func row(id, text string) *Row {
	return &Row{ID: id, Text: text, Revision: "abc", RequestID: id, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func mustClose(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLine(t *testing.T) {
	l, path := newLog(t, Config{Share: 0.5, Redact: []*regexp.Regexp{regexp.MustCompile(`\S+@\S+`), regexp.MustCompile(`\d+`)}})
	r := row("7/0", "Ask <joe@a.example> & 12 others")
	r.Target = "Room 5"
	r.Predictions = []Prediction{
		{Head: "topic", Label: "b", Probability: 0.12345678, Decision: "LABELED", Scores: []Score{{"b", 0.12345678}, {"a", 0}}, TargetWeights: "POOLED"},
		{Head: "stance", Decision: "AMBIGUOUS", Scores: []Score{{"x", 1}}, LabelSet: []string{}},
	}
	r.Input = Input{Tokens: 5, KnownTokens: 2, Truncated: true}
	l.Add(r)
	mustClose(t, l)
	const want = `{"id":"7/0","text":"Ask [redacted] & [redacted] others","target":"Room [redacted]",` +
		`"predictions":{"topic":{"label":"b","probability":0.123457,"decision":"LABELED","scores":[{"label":"b","probability":0.123457},{"label":"a","probability":0}],"target_weights":"POOLED"},` +
		`"stance":{"label":"","probability":0,"decision":"AMBIGUOUS","scores":[{"label":"x","probability":1}],"label_set":[]}},` +
		`"input":{"tokens":5,"known_tokens":2,"truncated":true},"revision":"abc","request_id":"7/0","time":"2026-01-02T03:04:05Z","selection_probability":0.5}` + "\n"
	if got := read(t, path); got != want {
		t.Errorf("wrote\n%s, want\n%s", got, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v, want 0600", info.Mode(), err)
	}
	if c := l.Counts(); c.Written.Load() != 1 || c.Bytes.Load() != int64(len(want)) {
		t.Errorf("counted %d rows of %d bytes", c.Written.Load(), c.Bytes.Load())
	}
}

// A file from before is continued, and is for nobody else from now on.
func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	if err := os.WriteFile(path, []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, _ := newLog(t, Config{Path: path})
	l.Add(row("1", "x"))
	mustClose(t, l)
	if got := read(t, path); !strings.HasPrefix(got, "before\n{") || strings.Count(got, "\n") != 2 {
		t.Errorf("the file is %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v, want 0600", info.Mode(), err)
	}
}

// Files stay below the limit but for a single longer row, the oldest goes, and
// no row is torn.
func TestRotation(t *testing.T) {
	const limit = 1000
	l, path := newLog(t, Config{MaxBytes: limit, Keep: 2})
	for i := range 60 {
		l.Add(row(fmt.Sprint(i), strings.Repeat("x", i)))
	}
	mustClose(t, l)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 3 {
		t.Fatalf("files %q, error %v, want three", files, err)
	}
	last := -1
	for _, name := range []string{path + ".2", path + ".1", path} {
		text := read(t, name)
		if len(text) > 2*limit {
			t.Errorf("%s has %d bytes, the limit is %d", name, len(text), limit)
		}
		for line := range strings.Lines(text) {
			var r struct {
				ID int `json:"id,string"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %q: %v", name, line, err)
			}
			if last >= 0 && r.ID != last+1 {
				t.Errorf("row %d comes after %d", r.ID, last)
			}
			last = r.ID
		}
	}
	if last != 59 || l.Counts().Written.Load() != 60 {
		t.Errorf("the last row is %d, %d were written, want 59 and 60", last, l.Counts().Written.Load())
	}
}

func TestRotationWithoutOlderFiles(t *testing.T) {
	l, path := newLog(t, Config{MaxBytes: 1})
	for i := range 5 {
		l.Add(row(fmt.Sprint(i), "x"))
	}
	mustClose(t, l)
	if files, _ := filepath.Glob(path + "*"); len(files) != 1 || strings.Count(read(t, path), "\n") != 1 {
		t.Errorf("files %q, the newest is %q, want one with one row", files, read(t, path))
	}
}

// A full disk loses rows, says so once, and fails nobody.
func TestFullDisk(t *testing.T) {
	var mu sync.Mutex
	var said []error
	l, _ := newLog(t, Config{Path: "/dev/full", Report: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, err)
	}})
	for i := range 100 {
		l.Add(row(fmt.Sprint(i), "x"))
	}
	mustClose(t, l)
	if len(said) != 1 || !errors.Is(said[0], syscall.ENOSPC) {
		t.Errorf("reported %v, want ENOSPC once", said)
	}
	if c := l.Counts(); c.Failed.Load() != 100 || c.Written.Load() != 0 {
		t.Errorf("%d failed, %d written, want 100 and none", c.Failed.Load(), c.Written.Load())
	}
}

// Once there is room again, what is written is whole, and that is said.
func TestRecovery(t *testing.T) {
	var said []error
	l, path := newLog(t, Config{Report: func(err error) { said = append(said, err) }})
	mustClose(t, l) // its writer is done: the test is the writer now
	f, err := openFile("/dev/full", 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.outcome(1, 2, f.write([]byte("lost\n")))
	l.outcome(1, 2, f.write([]byte("lost\n")))
	if f.size != 0 {
		t.Errorf("the file is taken to have %d bytes", f.size)
	}
	if err := errors.Join(f.close(), l.file.open()); err != nil {
		t.Fatal(err)
	}
	l.outcome(1, 5, l.file.write([]byte("kept\n")))
	l.outcome(1, 5, l.file.write([]byte("kept\n")))
	if err := l.file.close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "kept\nkept\n" {
		t.Errorf("the file is %q", got)
	}
	if len(said) != 2 || said[0] == nil || said[1] != nil {
		t.Errorf("reported %v, want an error and its end", said)
	}
}

// The queue holds so many bytes and no more, and nobody waits for it.
func TestQueueIsBounded(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	l, _ := newLog(t, Config{Path: "/dev/full", Report: func(error) { close(entered); <-release }})
	l.Add(row("0", "x"))
	<-entered // the writer is held
	text := strings.Repeat("x", 1<<20)
	const rows = 100
	for i := range rows {
		l.Add(row(fmt.Sprint(i), text))
	}
	dropped := l.Counts().Dropped.Load()
	if held := l.queued.Load(); held > maxQueuedBytes || dropped == 0 || dropped == rows {
		t.Errorf("%d bytes are queued, %d of %d rows dropped", held, dropped, rows)
	}
	close(release)
	mustClose(t, l)
	l.Add(row("late", "x"))
	c := l.Counts()
	if c.Dropped.Load() != dropped+1 || c.Failed.Load() != rows-dropped+1 {
		t.Errorf("%d dropped and %d failed, want %d and %d", c.Dropped.Load(), c.Failed.Load(), dropped+1, rows-dropped+1)
	}
	if held := l.queued.Load(); held != 0 {
		t.Errorf("%d bytes are queued at the end", held)
	}
}

// Closing while rows come neither fails nor loses a row without counting it.
func TestCloseWhileRowsCome(t *testing.T) {
	l, path := newLog(t, Config{})
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 500 {
				l.Add(row("1", "x"))
			}
		})
	}
	mustClose(t, l)
	writers.Wait()
	c := l.Counts()
	if n := int64(strings.Count(read(t, path), "\n")); n != c.Written.Load() || n+c.Dropped.Load() != 2000 {
		t.Errorf("%d rows in the file, %d written, %d dropped, want 2000 together", n, c.Written.Load(), c.Dropped.Load())
	}
}

func TestChosen(t *testing.T) {
	var none *Log
	if none.Chosen() {
		t.Error("no log chose a document")
	}
	l, _ := newLog(t, Config{Share: 0.25})
	n := 0
	for range 100_000 {
		if l.Chosen() {
			n++
		}
	}
	if n < 24_000 || n > 26_000 { // seven standard deviations
		t.Errorf("chose %d of 100000, want about 25000", n)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Share: 1, MaxBytes: 1}, "prediction log: no path"},
		{Config{Path: "x", Share: 1.5, MaxBytes: 1}, "prediction log: share 1.5: want more than 0, at most 1"},
		{Config{Path: "x", MaxBytes: 1}, "prediction log: share 0: want more than 0, at most 1"},
		{Config{Path: "x", Share: 1}, "prediction log: files of 0 bytes, 0 older ones: want at least 1 and 0"},
		{Config{Path: dir, Share: 1, MaxBytes: 1}, "prediction log: open " + dir + ": is a directory"},
	} {
		if _, err := Open(test.cfg); err == nil || err.Error() != test.want {
			t.Errorf("%+v: error %v, want %s", test.cfg, err, test.want)
		}
	}
}
