package ledger

import "time"

// A Selection says how a text was chosen to be labelled. Only labels of texts
// chosen at random say how often something happens.
type Selection string

// Selections.
const (
	Unknown    Selection = ""
	Random     Selection = "random"     // drawn at random, with a known probability or equal ones
	Uncertain  Selection = "uncertain"  // because a model was unsure
	Correction Selection = "correction" // because somebody saw a wrong prediction
	Suspect    Selection = "suspect"    // because its label looked wrong
	Other      Selection = "other"
)

// Selections are all of them.
func Selections() []Selection {
	return []Selection{Unknown, Random, Uncertain, Correction, Suspect, Other}
}

// A NewLabel is a label that somebody gives a text, or takes back.
type NewLabel struct {
	// Text is what is labelled, ID the caller's name of it. A text that the ledger
	// has may be named by ID alone. A text may have several IDs; an ID names one
	// text for ever.
	Text, ID string
	// Group is what the text belongs to (its author, thread or source), so that
	// texts of one group are not parted between training and evaluation.
	Group string
	// Target is what the label is about, if the text is about several things.
	Target string
	// Head is the question, Label the answer; "" takes this annotator's label back.
	Head, Label string
	Annotator   string    // who says so; required
	Source      string    // through which system or batch it came
	Time        time.Time // zero: now
	// Selection is how the text was chosen, with what probability (0: unknown).
	Selection            Selection
	SelectionProbability float64
	// Supersedes is the number of the annotator's label that this one replaces. If it
	// is not the annotator's newest of the same text, target and head any more, the
	// outcome is ErrConflict. 0: replace it whatever it is.
	Supersedes  int64
	Adjudicated bool // settles what annotators disagree on
}

// An Outcome says what became of one item of a call.
type Outcome struct {
	Seq      int64 // the event's number; 0 if there is an error
	Existing bool  // the same was there already, as the event Seq
	Err      error
}
