package retrain

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// Options say how a run goes.
type Options struct {
	Model     string            // in the store
	Base      []dataset.Example // rows of the base files, labels in the order of BaseHeads
	BaseHeads []string
	BaseFiles []store.BaseFile
	Heads     []string // to train; see Input.Heads
	SourceCap int      // see Rows.cap; 0: the champion's
	Share     float64  // of the sources that are held out; 0: DefaultShare
	// Occasion is why the model is trained anew; "" finds it in the ledger.
	Occasion judge.Occasion
	// Config is the search, when there is no recipe to follow. With Search there
	// never is; else Recipe is followed, or if that is nil the champion's.
	Config train.Config
	Search bool
	Recipe *train.Recipe
	Force  bool // promote whatever the gate says
	DryRun bool // change nothing, and show what would change
	// Probe are texts that a dry run shows the answers to.
	Probe []dataset.Example
	Top   int // features that a dry run shows of a label; 0: 5

	Program  string // version of the program, for the card
	Note     string // for the card and the history of the alias
	Proof    string // the command that proves the receipt
	Progress func(done, total int)
}

const (
	// DefaultShare is that of the sources that are held out.
	DefaultShare = 0.2
	// MaxShare bounds it: what is held out is not learned from.
	MaxShare = 0.5
)

// Occasions are those that can be asked for.
var Occasions = []judge.Occasion{judge.NewData, judge.Correction, judge.NewLabel, judge.Forgetting}

func (o *Options) check() error {
	switch {
	case o.Model == "":
		return errors.New("no model is named")
	case !(o.Share >= 0 && o.Share <= MaxShare):
		return fmt.Errorf("hold-out share %v: want above 0, %v at most", o.Share, MaxShare)
	case o.Occasion != "" && !slices.Contains(Occasions, o.Occasion):
		return fmt.Errorf("reason %q: want one of %v", o.Occasion, Occasions)
	}
	if o.Share == 0 {
		o.Share = DefaultShare
	}
	if o.Top == 0 {
		o.Top = 5
	}
	return nil
}
