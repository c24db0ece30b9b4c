package main

import (
	"github.com/parley-nlp/parley/internal/score"
)

// A scoreMergeCmd is "classifier score merge".
type scoreMergeCmd struct {
	Parts []string `arg:"" name:"part" help:"Outputs of score --shard, all of one run, in any order."`
	Out   string   `short:"o" required:"" placeholder:"FILE" help:"Write here; the file appears when it is complete."`
}

// Run writes the bytes that the run without shards would have written.
func (c *scoreMergeCmd) Run(e *env) error {
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	shards, err := score.OpenShards(c.Parts)
	if err != nil {
		return err
	}
	if err := writeOutput(c.Out, shards.Merge); err != nil {
		return err
	}
	renderSummary(e.stderr, shards.Summary(), 0, 0)
	return nil
}
