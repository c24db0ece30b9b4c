package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/parley-nlp/parley/internal/score"
)

// runFlags say how a run of score goes.
type runFlags struct {
	Jobs                int           `short:"j" placeholder:"N" help:"Batches at a time. Default: one a core; with a server up to 64 calls in flight, as many as it takes well."`
	FailFast            bool          `xor:"errors" help:"End at the first row that cannot be classified."`
	MaxErrors           *int          `xor:"errors" placeholder:"N" help:"End when more than N rows cannot be classified. Default: no limit."`
	Resume              bool          `xor:"start" help:"Go on with the run that has left FILE.partial; from the beginning when there is none."`
	Overwrite           bool          `xor:"start" help:"Lose what an earlier run has left, and begin anew."`
	CheckpointEvery     time.Duration `default:"1s" help:"Time between two checkpoints: what a crash costs. Default: ${default}."`
	Shard               string        `placeholder:"I/N" help:"Score the I-th of N equal parts of the rows, I from 0 to N-1; score merge puts them together."`
	RetryFor            time.Duration `default:"5m" help:"With a server: time for which a call is made again that it does not answer or has no room for. Default: ${default}."`
	AllowRevisionChange bool          `help:"Go on with another revision when the one that answered first is gone."`
	Progress            string        `enum:"auto,bar,plain,none" default:"auto" help:"Show progress on standard error: bar, plain (a line every five seconds) or none. Auto is a bar on a terminal."`
}

// maxJobs bounds --jobs.
const maxJobs = 1024

// check refuses flags that cannot be meant.
func (c *scoreCmd) check() error {
	switch {
	case c.Jobs < 0 || c.Jobs > maxJobs:
		return usagef("--jobs %d: want 1 to %d, or 0 for the default", c.Jobs, maxJobs)
	case c.MaxErrors != nil && *c.MaxErrors < 0:
		return usagef("--max-errors %d: want 0 or more", *c.MaxErrors)
	case c.RetryFor < 0 || c.CheckpointEvery < 0:
		return usagef("--retry-for %v, --checkpoint-every %v: want 0 or more", c.RetryFor, c.CheckpointEvery)
	}
	if err := c.checkSums(); err != nil {
		return err
	}
	if err := c.checkRows(); err != nil {
		return err
	}
	if err := c.checkOut(); err != nil {
		return err
	}
	return c.checkShard()
}

// checkOut refuses what takes an output file without one.
func (c *scoreCmd) checkOut() error {
	var needs string
	switch {
	case c.Resume:
		needs = "--resume"
	case c.Overwrite:
		needs = "--overwrite"
	default:
		return nil
	}
	if c.Out == "" {
		return usagef("%s: want -o FILE, standard output cannot be gone on with", needs)
	}
	if _, special, err := resolveOutput(c.Out); err == nil && special {
		return usagef("%s: %s is no plain file, it cannot be gone on with", needs, c.Out)
	}
	return nil
}

// checkShard refuses shards of what is not a file, or is read only once.
func (c *scoreCmd) checkShard() error {
	if c.Shard == "" {
		return nil
	}
	if _, err := score.ParseShard(c.Shard); err != nil {
		return usagef("--%w", err)
	}
	if c.Out == "" {
		return usagef("--shard: want -o FILE, as score merge reads what is beside it")
	}
	for _, name := range c.Files {
		if info, err := os.Stat(name); name == "-" || err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return usagef("--shard: the rows are counted first, and %s cannot be read twice", name)
		}
	}
	if len(c.Files) == 0 {
		return usagef("--shard: the rows are counted first, and standard input cannot be read twice")
	}
	return nil
}

func (c *scoreCmd) maxErrors() int {
	switch {
	case c.FailFast:
		return 0
	case c.MaxErrors != nil:
		return *c.MaxErrors
	}
	return -1
}

// calls say how a server is called; revision is the one to go on with.
func (c *scoreCmd) calls(e *env, revision string) score.Calls {
	calls := score.Calls{Most: c.Jobs, RetryFor: c.RetryFor, Revision: revision, MayChange: c.AllowRevisionChange}
	if c.AllowRevisionChange && !strings.Contains(revision, "/") { // of a model at hand
		calls.Revision = ""
	}
	last := time.Time{}
	var mu sync.Mutex
	calls.Waiting = func(why string) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) > waitingEvery {
			last = time.Now()
			fmt.Fprintf(e.stderr, "classifier: waiting for %s: %s\n", c.Addr, why)
		}
	}
	return calls
}

// waitingEvery is the least time between two lines about a server that does not
// answer.
const waitingEvery = 30 * time.Second

// notInOutput are the flags on which the bytes of the output do not depend, or
// that say where the model comes from, whose revision is in the key.
var notInOutput = []string{
	"help", "config", "out", "model", "store", "addr", "tls", "tls-ca", "tls-cert", "tls-key", "key-file", "plaintext", "model-name", "revision", "jobs",
	"fail-fast", "max-errors", "resume", "overwrite", "checkpoint-every", "shard", "retry-for", "allow-revision-change", "progress",
	"summary", "summary-model", "audited", "audited-probability",
}

// settings are the flags that the output depends on: all others, so that a new
// one is among them unless it is known to be harmless.
func settings(k *kong.Context) []score.Setting {
	var list []score.Setting
	for _, f := range k.Selected().Flags {
		if slices.Contains(notInOutput, f.Name) {
			continue
		}
		value, err := json.Marshal(f.Target.Interface())
		if err != nil {
			value = []byte(fmt.Sprint(f.Target.Interface()))
		}
		list = append(list, score.Setting{Name: "--" + f.Name, Value: string(value)})
	}
	return list
}

// tuneMemory lets garbage be collected less often than usual, as long as there
// is little of it: the heap of a run is small beside what passes through it.
func tuneMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(int64(m.HeapAlloc) + 120<<20)
}

func joinWords(words []string) string { return strings.Join(words, " ") }
