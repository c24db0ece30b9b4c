package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// A benchCmd is the benchmark itself.
type benchCmd struct {
	Dir     string   `required:"" type:"existingdir" placeholder:"DIR" help:"Folder of the sets, each a folder with train.jsonl and test.jsonl, or all.jsonl, perhaps with .gz."`
	Sets    []string `placeholder:"NAME" help:"Sets to run, separated by commas. Default: all."`
	WithDev bool     `help:"Train on the dev part too, where there is one."`
	Jobs    int      `default:"1" help:"Trainings to run at once."`

	Peers           []string `type:"existingfile" placeholder:"FILE" help:"Figures of other systems."`
	PeerPredictions string   `type:"existingdir" placeholder:"DIR" help:"Answers of another system, in SET.jsonl."`

	JSON        string `name:"json" placeholder:"FILE" help:"Write all results there."`
	Markdown    string `placeholder:"FILE" help:"Write the table there."`
	Predictions string `placeholder:"DIR" help:"Write Parley's answers there, in SET.jsonl."`
}

// Validate reports flags that cannot be meant.
func (c *benchCmd) Validate() error {
	if c.Jobs < 1 {
		return fmt.Errorf("--jobs %d: want 1 at least", c.Jobs)
	}
	return nil
}

// Run runs the benchmark. A set that fails does not keep the others from being
// reported.
func (c *benchCmd) Run(e *env) error {
	sets, err := findSets(c.Dir, c.Sets)
	if err != nil {
		return err
	}
	figures, err := readFigures(c.Peers)
	if err != nil {
		return err
	}
	if err := c.prepareOutput(); err != nil {
		return err
	}
	var all report
	var failures []error
	for _, p := range start(e.ctx, sets, c.WithDev, c.Jobs) {
		r, err := c.finish(p, figures[p.name])
		if err != nil {
			failures = append(failures, err)
		}
		if r != nil {
			all.Sets = append(all.Sets, *r)
			writeResult(e.stdout, r)
		}
	}
	if e.ctx.Err() != nil {
		failures = []error{errors.New("interrupted")}
	}
	if len(all.Sets) == 0 {
		return errors.Join(failures...)
	}
	all.Summary = summarise(all.Sets)
	writeSummary(e.stdout, all.Summary)
	return errors.Join(append(failures, c.write(&all))...)
}

// prepareOutput fails early when nothing could be written at the end.
func (c *benchCmd) prepareOutput() error {
	for _, path := range []string{c.JSON, c.Markdown} {
		if info, err := os.Stat(filepath.Dir(path)); err != nil {
			return err
		} else if !info.IsDir() {
			return fmt.Errorf("%s: not in a folder", path)
		}
	}
	if c.Predictions == "" {
		return nil
	}
	return os.MkdirAll(c.Predictions, 0o777)
}

// finish waits for the runs of a set and judges them. It returns a result
// beside an error when only the comparison failed.
func (c *benchCmd) finish(p *pending, figures []figure) (*result, error) {
	runs, err := p.wait()
	if err != nil {
		return nil, err
	}
	t := gather(p.set, runs)
	r := t.result()
	if err := c.writePredictions(t); err != nil {
		return &r, err
	}
	var predictions []prediction
	if c.PeerPredictions != "" {
		if predictions, err = readPredictions(predictionFile(c.PeerPredictions, t.set)); err != nil {
			return &r, err
		}
	}
	return &r, r.compare(t, figures, predictions)
}

func (c *benchCmd) writePredictions(t *testedSet) error {
	if c.Predictions == "" {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, p := range t.predictions() {
		if err := enc.Encode(p); err != nil {
			return err
		}
	}
	return renameio.WriteFile(predictionFile(c.Predictions, t.set), b.Bytes(), 0o644)
}

// write writes the files that were asked for.
func (c *benchCmd) write(all *report) error {
	if c.JSON != "" {
		b, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			return err
		}
		if err := renameio.WriteFile(c.JSON, append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	if c.Markdown == "" {
		return nil
	}
	var b bytes.Buffer
	writeMarkdown(&b, all)
	return renameio.WriteFile(c.Markdown, b.Bytes(), 0o644)
}
