package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/load"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A benchCmd is "classifier bench".
type benchCmd struct {
	dataFlags
	Files []string `arg:"" optional:"" placeholder:"FILE" help:"Files with the texts to send; - is standard input. Default: the built-in corpus."`

	Addr        string `required:"" placeholder:"HOST:PORT" help:"Server to call; several addresses are separated by commas."`
	Connections int    `default:"1" help:"Connections to each server. Default: ${default}."`
	connectFlags

	Rate        float64       `placeholder:"CALLS" help:"Open loop: calls a second at random times (Poisson), sent whether or not earlier ones were answered. Default: closed loop."`
	MaxInFlight int           `default:"10000" help:"Open loop: calls that may wait for an answer. A call beyond it is sent late. Default: ${default}."`
	Concurrency int           `default:"16" help:"Closed loop: callers, each with one call at a time. Default: ${default}."`
	Batch       int           `placeholder:"DOCS" help:"Documents of a BatchClassify. Default: Classify with one."`
	Duration    time.Duration `default:"10s" help:"How long calls are counted. Default: ${default}."`
	WarmUp      time.Duration `default:"2s" help:"How long calls are made before. Default: ${default}."`
	Timeout     time.Duration `default:"10s" help:"Deadline of a call. Default: ${default}."`
	Seed        uint64        `default:"1" help:"Determines the arrivals and the order of the texts. Default: ${default}."`
	Texts       int           `default:"10000" help:"Most texts that are read; they are sent over and over. Default: ${default}."`

	FindCapacity bool          `help:"Search the highest rate with no failed call and a 99th percentile below --p99, from --rate (else 100) on; each trial takes --warm-up and --duration."`
	P99          time.Duration `name:"p99" default:"50ms" help:"Bound for --find-capacity. Default: ${default}."`

	JSON bool `name:"json" help:"Print one JSON object instead of a table."`
}

// Run makes the load and prints what came of it. Failed calls are a finding,
// not an error; that no call was answered is one.
func (c *benchCmd) Run(e *env) error {
	if c.FindCapacity && c.Rate == 0 {
		c.Rate = 100
	}
	cfg := load.Config{
		Rate: c.Rate, MaxInFlight: c.MaxInFlight, Concurrency: c.Concurrency, Batch: c.Batch,
		WarmUp: c.WarmUp, Duration: c.Duration, Timeout: c.Timeout, Seed: c.Seed,
	}
	if err := cfg.Check(); err != nil {
		return usagef("%w", err)
	}
	if c.P99 <= 0 || c.Texts < 1 {
		return usagef("--p99 %s, --texts %d: want more than 0", c.P99, c.Texts)
	}
	documents, err := c.documents(e)
	if err != nil {
		return err
	}
	target, err := c.dial()
	if err != nil {
		return err
	}
	defer target.Close()
	if c.FindCapacity {
		return c.findCapacity(e, target, documents, cfg)
	}
	r, err := target.Run(e.ctx, documents, cfg)
	if err != nil {
		return err
	}
	if err := c.print(e, r); err != nil {
		return err
	}
	if r.Answered == 0 && e.ctx.Err() == nil {
		return fmt.Errorf("no call was answered by %s", c.Addr)
	}
	return e.ctx.Err()
}

func (c *benchCmd) dial() (*load.Target, error) {
	opts, err := c.connectFlags.options()
	if err != nil {
		return nil, err
	}
	t, err := load.Dial(c.Addr, c.Connections, opts...)
	if err != nil {
		return nil, dialError(c.Addr, err)
	}
	return t, nil
}

// documents reads at most so many texts. A bad row is an error: a load must be
// what it is thought to be.
func (c *benchCmd) documents(e *env) ([]*parleyv1.Document, error) {
	if len(c.Files) == 0 {
		set, err := builtinSet()
		if err != nil {
			return nil, err
		}
		return documentsOf(set.Examples[:min(len(set.Examples), c.Texts)]), nil
	}
	srcs, err := dataset.Files(c.Files, e.stdin)
	if err != nil {
		return nil, err
	}
	opts := c.dataFlags.options()
	opts.NoLabels = true
	var examples []dataset.Example
	for _, src := range srcs {
		for ex, err := range dataset.Rows(src, opts) {
			if err != nil {
				return nil, withHint(err, e.args)
			}
			if len(examples) == c.Texts {
				return documentsOf(examples), nil
			}
			examples = append(examples, ex)
		}
	}
	return documentsOf(examples), nil
}

func documentsOf(examples []dataset.Example) []*parleyv1.Document {
	list := make([]*parleyv1.Document, len(examples))
	for i, ex := range examples {
		list[i] = &parleyv1.Document{Text: ex.Text, Target: ex.Target}
	}
	return list
}

func (c *benchCmd) print(e *env, r *load.Result) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(r)
	}
	return r.Write(e.stdout)
}

// findCapacity prints a line for each trial, and then the best.
func (c *benchCmd) findCapacity(e *env, target *load.Target, documents []*parleyv1.Document, cfg load.Config) error {
	best, err := target.FindCapacity(e.ctx, documents, cfg, c.P99, func(t load.Trial) {
		verdict := "too much"
		if t.Sustained {
			verdict = "sustained"
		}
		fmt.Fprintf(e.stderr, "%.1f calls/s: %s: %.1f/s answered, %d failed, p99 %.3f ms\n",
			t.Rate, verdict, t.Result.AnsweredPerSecond, t.Result.Failed+int64(t.Result.Unsent), t.Result.Latency.P99)
	})
	if err != nil {
		return err
	}
	return c.print(e, best.Result)
}
