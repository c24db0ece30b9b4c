package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/score"
)

// A run that goes on shows the pace of its own rows, not of those before.
func TestPace(t *testing.T) {
	m := &score.Meter{}
	p := &pace{meter: m, bytes: 1000, before: 500}
	m.Rows.Store(500)
	m.Read.Store(200)
	p.watch()
	if got := p.String(); got != "500 rows" {
		t.Errorf("while rows are skipped: got %q", got)
	}
	m.Rows.Store(2500)
	m.Errors.Store(1200)
	m.Read.Store(600)
	p.watch()
	p.began = time.Now().Add(-10 * time.Second)
	if got, want := p.String(), "2,500 rows, 1,200 errors, 199 rows a second, 60%, 10s left"; got != want && got != strings.Replace(want, "199", "200", 1) {
		t.Errorf("got %q, want %q", got, want)
	}
	p.bytes = -1 // standard input
	if got := p.String(); strings.Contains(got, "left") {
		t.Errorf("of an input of no known size: got %q", got)
	}
	p.rows = 10_000 // a shard
	if p.done() != 0.25 {
		t.Errorf("%v of the shard is done, want 0.25", p.done())
	}
}

// The bar goes away when the run ends, and nothing is drawn where it is not
// wanted.
func TestProgressModes(t *testing.T) {
	for mode, want := range map[string]string{"none": "", "auto": "", "plain": "", "bar": "2,500 rows"} {
		var b lockedBuffer
		r := &scoreRun{scoreCmd: &scoreCmd{Out: "x", runFlags: runFlags{Progress: mode}}, env: &env{stderr: &b}, bytes: 1000}
		r.job.Meter = &score.Meter{}
		r.job.Meter.Rows.Store(2500)
		stop := r.showProgress(score.State{})
		for deadline := time.Now().Add(10 * time.Second); !strings.Contains(b.String(), want) && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		stop()
		if got := b.String(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", mode, got, want)
		}
	}
}

// A lockedBuffer is written to and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
