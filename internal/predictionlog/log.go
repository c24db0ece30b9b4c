// Package predictionlog keeps a sample of what a server was asked and what it
// answered, for people to label and to train on.
//
// Rows are taken on the path of a call, by chance alone, and written elsewhere:
// a queue of bounded size lies between, and what it cannot hold is dropped and
// counted. Nothing that happens to the file fails a call.
package predictionlog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
)

// A Config says what is kept and where. There are no defaults.
type Config struct {
	Path string
	// Share is the probability with which a document is chosen, over 0 and at
	// most 1.
	Share float64
	// MaxBytes is how large the file grows before it becomes PATH.1; Keep how
	// many older files there are.
	MaxBytes int64
	Keep     int
	// Redact are patterns of what is replaced in texts and targets before they
	// are written.
	Redact []*regexp.Regexp
	// Report is told when writing fails, at most once a minute, and when it works
	// again (nil). It runs on the writer's goroutine.
	Report func(error)
}

// Limits of the queue, and of the bytes that are written at a time.
const (
	maxQueuedRows  = 4096
	maxQueuedBytes = 32 << 20
	maxWriteBytes  = 256 << 10
)

// redacted is put where a pattern of Config.Redact was.
const redacted = "[redacted]"

// A Log is an open log. Any number of goroutines may use it.
type Log struct {
	cfg    Config
	file   *file
	queue  chan *Row
	queued atomic.Int64 // bytes
	done   chan struct{}
	told   time.Time // when the last failure was reported
	open   bool      // it was, and no recovery since
	closed error

	mu  sync.RWMutex // guards against sending on the closed queue
	end bool

	counts Counts
}

// Counts are what became of the rows chosen.
type Counts struct {
	Written atomic.Int64
	Dropped atomic.Int64 // the queue was full
	Failed  atomic.Int64 // could not be written
	Bytes   atomic.Int64 // written
}

// Check reports what is wrong with the configuration.
func (cfg *Config) Check() error {
	switch {
	case cfg.Path == "":
		return errors.New("prediction log: no path")
	case !(cfg.Share > 0 && cfg.Share <= 1):
		return fmt.Errorf("prediction log: share %v: want more than 0, at most 1", cfg.Share)
	case cfg.MaxBytes < 1 || cfg.Keep < 0:
		return fmt.Errorf("prediction log: files of %d bytes, %d older ones: want at least 1 and 0", cfg.MaxBytes, cfg.Keep)
	}
	return nil
}

// Open opens the log. It goes on where an earlier one ended.
func Open(cfg Config) (*Log, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	f, err := openFile(cfg.Path, cfg.MaxBytes, cfg.Keep)
	if err != nil {
		return nil, fmt.Errorf("prediction log: %w", err)
	}
	l := &Log{cfg: cfg, file: f, queue: make(chan *Row, maxQueuedRows), done: make(chan struct{})}
	go l.write()
	return l, nil
}

// Counts returns the log's counters.
func (l *Log) Counts() *Counts { return &l.counts }

// Chosen tells, by chance, whether a document is to be kept. A nil log keeps
// none.
func (l *Log) Chosen() bool {
	return l != nil && (l.cfg.Share >= 1 || rand.Float64() < l.cfg.Share)
}

// Add keeps a row, which then belongs to the log, unless the queue is full.
func (l *Log) Add(r *Row) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	size := int64(r.size())
	if l.end || l.queued.Add(size) > maxQueuedBytes {
		if !l.end {
			l.queued.Add(-size)
		}
		l.counts.Dropped.Add(1)
		return
	}
	select {
	case l.queue <- r:
	default:
		l.queued.Add(-size)
		l.counts.Dropped.Add(1)
	}
}

// Close writes what is queued and closes the file. Rows that come later are
// dropped.
func (l *Log) Close() error {
	l.mu.Lock()
	if !l.end {
		l.end = true
		close(l.queue)
	}
	l.mu.Unlock()
	<-l.done
	return l.closed
}

// write writes rows until the queue is closed: those that are there together.
func (l *Log) write() {
	defer close(l.done)
	var lines bytes.Buffer
	for first := range l.queue {
		lines.Reset()
		rows, waiting := int64(0), []chan struct{}{}
		for r := first; r != nil; r = l.more(lines.Len()) {
			if r.flushed != nil {
				waiting = append(waiting, r.flushed)
				continue
			}
			l.queued.Add(-int64(r.size()))
			l.redact(r)
			if err := r.line(&lines, l.cfg.Share); err != nil {
				l.outcome(1, 0, err)
				continue
			}
			rows++
		}
		if lines.Len() > 0 {
			l.outcome(rows, int64(lines.Len()), l.file.write(lines.Bytes()))
		}
		for _, w := range waiting {
			close(w)
		}
	}
	if err := l.file.close(); err != nil {
		l.closed = fmt.Errorf("prediction log: %w", err)
	}
}

// more returns another row if one is there and there is room for it.
func (l *Log) more(bytes int) *Row {
	if bytes >= maxWriteBytes || int64(bytes) >= l.cfg.MaxBytes {
		return nil
	}
	select {
	case r := <-l.queue: // nil when closed
		return r
	default:
		return nil
	}
}

func (l *Log) redact(r *Row) {
	for _, p := range l.cfg.Redact {
		r.Text, r.Target = p.ReplaceAllLiteralString(r.Text, redacted), p.ReplaceAllLiteralString(r.Target, redacted)
	}
}

// reportEvery is how often a log that cannot be written says so.
const reportEvery = time.Minute

// outcome counts rows and reports what became of them.
func (l *Log) outcome(rows, bytes int64, err error) {
	if err != nil {
		l.counts.Failed.Add(rows)
		if now := time.Now(); now.Sub(l.told) >= reportEvery {
			l.told, l.open = now, true
			l.report(err)
		}
		return
	}
	l.counts.Written.Add(rows)
	l.counts.Bytes.Add(bytes)
	if l.open {
		l.open = false
		l.report(nil)
	}
}

func (l *Log) report(err error) {
	if l.cfg.Report != nil {
		l.cfg.Report(err)
	}
}
