package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/suggest"
)

// A labelsSuggestCmd is "classifier labels suggest".
type labelsSuggestCmd struct {
	Files         []string `arg:"" optional:"" name:"file" help:"Texts to choose from (JSONL, CSV, TSV, Parquet, plain text; also compressed), folders of them, or - for standard input."`
	PredictionLog []string `sep:"none" placeholder:"PATH" help:"Choose from a sampled prediction log too: PATH and the older files PATH.1, PATH.2 and so on. A server may be writing it. Repeat for several."`
	dataFlags
	Model string `short:"m" xor:"judge" placeholder:"FILE" help:"Model that is asked how sure it is. Default: the answers that rows of the prediction log have; for other texts, those that are unlike each other."`
	Store string `xor:"judge" placeholder:"URL" help:"Take the model from a store (see models)."`
	revisionFlags
	Head        []string `sep:"none" placeholder:"NAME" help:"Head to be labelled; repeat for several. Default: the heads of the model."`
	Labelled    []string `sep:"none" placeholder:"FILE" help:"Texts that have labels already, beside those of the ledger; repeat for several. They are not suggested again, and are searched for wrong labels."`
	N           int      `short:"n" default:"20" placeholder:"N" help:"Texts to suggest. Default: ${default}."`
	RandomShare float64  `default:"0.15" placeholder:"SHARE" help:"Share that is drawn by chance alone, for unbiased evaluation. Default: ${default}."`
	Lane        string   `enum:"uncertain,suspect,both" default:"uncertain" placeholder:"LANE" help:"What to suggest: uncertain for texts of which the model is least sure, and the random share; suspect for texts whose label is likely wrong; both for a quarter of suspects. Default: ${default}."`
	Enqueue     bool     `help:"Put what is suggested into the ledger's queue, for labels annotate."`
}

// Help says how texts are chosen.
func (c *labelsSuggestCmd) Help() string {
	return `Of the texts that have no label yet, some are drawn by chance alone. Each says with
what probability: its inverse is how many texts it stands for, those of the traffic
if it is from a prediction log. The others are texts of which the model is not sure:
those with the smallest margins between the two best labels are parted into as many
clusters as texts are wanted, and of each one comes that is at its middle. At most
a quarter of them have the same predicted label, if there are others, and none is nearly
the same as another or as a labelled text. Several heads are looked at together.

The same texts, model and labels give the same suggestions. With --json they are rows
as the prediction log has them.

Suspects are labelled texts whose label is another than the other labelled texts lead to
expect, the most surprising first. A text that has a label in the ledger is shown, but
not put into the queue: labels annotate --conflicts and --quarantined settle those.`
}

// Run prints what to label next.
func (c *labelsSuggestCmd) Run(e *env, l *labelsCmd) error {
	if err := c.check(l); err != nil {
		return err
	}
	m, err := c.load(e)
	if err != nil {
		return err
	}
	if len(c.Head) == 0 && m == nil {
		return usagef("--head: name what the texts are to be labelled for, or a model by -m or --store")
	}
	run := func(led *ledger.Ledger) error {
		s, err := c.prepare(e, m, led)
		if err != nil {
			return err
		}
		items, err := s.items()
		if err == nil {
			err = s.print(l.JSON, items)
		}
		if err == nil && c.Enqueue {
			err = s.enqueue(items)
		}
		return err
	}
	if l.Ledger == "" {
		return run(nil)
	}
	if c.Enqueue {
		return l.open(e, run)
	}
	return l.with(e, run)
}

func (c *labelsSuggestCmd) check(l *labelsCmd) error {
	pool := len(c.Files) > 0 || len(c.PredictionLog) > 0
	switch {
	case c.Lane != "suspect" && !pool:
		return usagef("name files or a --prediction-log to choose from")
	case c.Lane == "suspect" && pool:
		return usagef("--lane suspect looks at labelled texts: name them by --labelled or --ledger")
	case c.Lane == "suspect" && len(c.Labelled) == 0 && l.Ledger == "":
		return usagef("--lane suspect: name labelled texts by --labelled or --ledger")
	case c.Enqueue && l.Ledger == "":
		return usagef("--enqueue: name the ledger, as in --ledger labels.db")
	case c.N < 1 || c.N > suggest.MaxBatch:
		return usagef("-n %d: want 1 to %d", c.N, suggest.MaxBatch)
	case !(c.RandomShare >= 0 && c.RandomShare <= 1):
		return usagef("--random-share %v: want 0 to 1", c.RandomShare)
	case slices.Contains(c.Files, "-") && slices.Contains(c.Labelled, "-"):
		return usagef("-: standard input is read once")
	}
	for i, h := range c.Head {
		if slices.Contains(c.Head[:i], h) {
			return usagef("--head %s is given twice", h)
		}
	}
	return nil
}

// load returns the model, nil when none is named.
func (c *labelsSuggestCmd) load(e *env) (*model.Model, error) {
	switch {
	case c.Store != "":
		return storeModel(e, c.Store, c.ModelName, c.Revision)
	case c.Model != "":
		return readModel(c.Model)
	}
	return nil, nil
}

// A suggestion is a run of the command.
type suggestion struct {
	*labelsSuggestCmd
	env      *env
	model    *model.Model
	led      *ledger.Ledger // nil: none
	heads    []string
	labelled []dataset.Example
	out      map[textAndTarget]bool // queued, in conflict or in quarantine
	gone     *ledger.Tombstones
}

type textAndTarget struct{ text, target string }

// prepare gathers what has labels and what shall not be suggested.
func (c *labelsSuggestCmd) prepare(e *env, m *model.Model, led *ledger.Ledger) (*suggestion, error) {
	s := &suggestion{labelsSuggestCmd: c, env: e, model: m, led: led, heads: c.Head, out: map[textAndTarget]bool{}}
	if len(s.heads) == 0 {
		for i := range m.Heads() {
			s.heads = append(s.heads, m.Heads()[i].Name)
		}
	}
	if led != nil {
		if err := s.readLedger(); err != nil {
			return nil, err
		}
	}
	return s, s.readLabelled()
}

// items are what is suggested: random texts first, then uncertain ones, then
// suspects.
func (s *suggestion) items() (list []suggest.Item, err error) {
	suspects := 0
	switch s.Lane {
	case "suspect":
		suspects = s.N
	case "both":
		suspects = (s.N + 3) / 4
	}
	var doubted []suggest.Item
	if suspects > 0 {
		if len(s.labelled) == 0 {
			return nil, errors.New("there are no labelled texts to find wrong labels in")
		}
		if doubted, err = suggest.Suspects(s.env.ctx, s.labelled, s.heads, suspects); err != nil {
			return nil, fmt.Errorf("wrong labels cannot be looked for: %w", err)
		}
	}
	if s.Lane != "suspect" && s.N > len(doubted) {
		if list, err = s.chosen(s.N - len(doubted)); err != nil {
			return nil, err
		}
	}
	return append(list, doubted...), nil
}
