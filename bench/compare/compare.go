package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// A compareCmd is the comparison.
type compareCmd struct {
	dataFlags
	Only         []string `placeholder:"PART" help:"What to compare: ${parts}, separated by commas. Default: all."`
	Runs         int      `default:"5" help:"Runs of everything. Default: ${default}."`
	Seconds      float64  `default:"1" help:"About how long a timed run takes. Default: ${default}."`
	DefaultModel string   `type:"existingfile" placeholder:"FILE" help:"A model that was trained on the same rows, to be classified with too."`
	JSON         string   `name:"json" placeholder:"FILE" help:"Write the report there."`
}

// The parts of a comparison.
const (
	parleyPart   = "parley"   // Parley in the tables of classifying and training
	fastTextPeer = "fasttext" // in the same tables
	sklearnPeer  = "sklearn"
	splitPart    = "in-process" // splitting, and navossoc/bayesian's ways
	loadPart     = "load"       // the large model
	echoPart     = "echo"       // serving
)

var parts = []string{parleyPart, fastTextPeer, sklearnPeer, splitPart, loadPart, echoPart}

// A choice is which parts to run; an empty one is all.
type choice []string

func (c choice) has(part string) bool { return len(c) == 0 || slices.Contains(c, part) }

// Validate reports flags that cannot be meant.
func (c *compareCmd) Validate() error {
	for _, p := range c.Only {
		if !slices.Contains(parts, p) {
			return fmt.Errorf("--only %s: want some of %s", p, strings.Join(parts, ", "))
		}
	}
	switch {
	case c.Runs < 1:
		return fmt.Errorf("--runs %d: want 1 at least", c.Runs)
	case !(c.Seconds > 0 && c.Seconds <= 60):
		return fmt.Errorf("--seconds %v: want more than 0 and 60 at most", c.Seconds)
	}
	return nil
}

// Run compares and writes the report.
func (c *compareCmd) Run(e *env) error {
	r := report{Machine: thisMachine(), Runs: c.Runs}
	if err := c.check(e.ctx, &r.Machine); err != nil {
		return err
	}
	data, err := c.read()
	if err != nil {
		return err
	}
	r.Data = data.size()
	w, err := newWorkshop(data)
	if err != nil {
		return err
	}
	defer os.RemoveAll(w.dir)
	if err := c.measure(e.ctx, w, &r); err != nil {
		return err
	}
	r.writeMarkdown(e.stdout)
	return c.write(&r)
}

// check fails early when a peer is not there or nothing could be written.
func (c *compareCmd) check(ctx context.Context, m *machine) (err error) {
	if c.JSON != "" {
		if info, err := os.Stat(filepath.Dir(c.JSON)); err != nil {
			return err
		} else if !info.IsDir() {
			return fmt.Errorf("%s: not in a folder", c.JSON)
		}
	}
	chosen := choice(c.Only)
	if chosen.has(fastTextPeer) {
		if err := needFastText(); err != nil {
			return err
		}
	}
	if chosen.has(sklearnPeer) {
		m.Sklearn, err = needSklearn(ctx)
	}
	return err
}

func (c *collection) size() dataSize {
	return dataSize{
		TrainingRows: len(c.train), TrainingBytes: lengthOf(texts(c.train)),
		TestRows: len(c.test), TestBytes: lengthOf(texts(c.test)),
		Heads: c.heads, Labels: len(c.labels),
	}
}

// measure runs the chosen parts.
func (c *compareCmd) measure(ctx context.Context, w *workshop, r *report) error {
	words, err := w.parley(ctx, systemName("Parley", wordsOnly), wordsOnly, w.heads[:1])
	if err != nil {
		return err
	}
	for _, p := range []struct {
		names   []string
		measure func(context.Context, *workshop, *system, *report) error
	}{
		{[]string{parleyPart, fastTextPeer, sklearnPeer}, c.labelling},
		{[]string{parleyPart, fastTextPeer, sklearnPeer}, c.training},
		{[]string{splitPart}, c.inProcess},
		{[]string{loadPart}, c.load},
		{[]string{echoPart}, c.serving},
	} {
		if !slices.ContainsFunc(p.names, choice(c.Only).has) {
			continue
		}
		if err := p.measure(ctx, w, words, r); err != nil {
			return err
		}
	}
	return nil
}

// labelling measures classifying and starting.
func (c *compareCmd) labelling(ctx context.Context, w *workshop, words *system, r *report) error {
	systems, err := c.systems(ctx, w, words)
	if err != nil {
		return err
	}
	list, err := w.label(ctx, systems, c.Runs, c.Seconds)
	if err != nil {
		return err
	}
	r.Sections = append(r.Sections, labellingSection(list))
	if d := duels(list); len(d) > 0 {
		r.Sections = append(r.Sections, duelSection(d))
		r.Goals = append(r.Goals, duelGoals(d)...)
	}
	return nil
}

// systems trains all that labels the test texts.
func (c *compareCmd) systems(ctx context.Context, w *workshop, words *system) ([]*system, error) {
	list := []*system{words}
	add := func(s *system, err error) error {
		list = append(list, s)
		return err
	}
	if len(w.heads) > 1 {
		if err := add(w.parley(ctx, bothHeads, wordsOnly, w.heads)); err != nil {
			return nil, err
		}
	}
	if err := add(w.parley(ctx, systemName("Parley", withCharacters), withCharacters, w.heads[:1])); err != nil {
		return nil, err
	}
	if c.DefaultModel != "" {
		if err := add(w.trained("Parley, the default search's model", c.DefaultModel)); err != nil {
			return nil, err
		}
	}
	for _, kind := range []string{wordsOnly, withCharacters} {
		if choice(c.Only).has(fastTextPeer) {
			if err := add(w.fastText(ctx, kind)); err != nil {
				return nil, err
			}
		}
		if choice(c.Only).has(sklearnPeer) {
			if err := add(w.sklearn(ctx, kind)); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func (c *compareCmd) training(ctx context.Context, w *workshop, _ *system, r *report) error {
	list := w.lessons(choice(c.Only))
	if err := teach(ctx, list, c.Runs); err != nil {
		return err
	}
	r.Sections = append(r.Sections, trainingSection(list))
	r.Goals = append(r.Goals, trainingGoals(list)...)
	return nil
}

func (c *compareCmd) inProcess(ctx context.Context, w *workshop, words *system, r *report) error {
	list, err := w.inProcessRuns(ctx, words, c.Runs, c.Seconds)
	if err != nil {
		return err
	}
	r.Sections = append(r.Sections, inProcessSection(words, list))
	r.Goals = append(r.Goals, inProcessGoals(list)...)
	return nil
}

func (c *compareCmd) load(ctx context.Context, w *workshop, _ *system, r *report) error {
	l, err := w.loadRuns(ctx, c.Runs)
	if err != nil {
		return err
	}
	r.Sections = append(r.Sections, l.section())
	r.Goals = append(r.Goals, l.goals()...)
	return nil
}

func (c *compareCmd) serving(ctx context.Context, w *workshop, words *system, r *report) error {
	s, err := w.serveRuns(ctx, words, c.Runs, c.Seconds)
	if err != nil {
		return err
	}
	r.Sections = append(r.Sections, s.section())
	r.Goals = append(r.Goals, s.goals()...)
	return nil
}

// write writes the file that was asked for.
func (c *compareCmd) write(r *report) error {
	if c.JSON == "" {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return err
	}
	return renameio.WriteFile(c.JSON, b.Bytes(), 0o644)
}
