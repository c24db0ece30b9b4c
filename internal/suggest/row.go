package suggest

import "github.com/parley-nlp/parley/internal/model"

// A Row is a text of the pool.
type Row struct {
	Text, ID, Group, Target string
	File                    string // where it is from
	Line                    int
	// Share is the probability with which the row came into the pool, as the
	// sampled prediction log says; 0 stands for 1.
	Share float64
	// Answers are those that the row brings along. They count where there is no
	// model to ask.
	Answers []Answer
}

// An Answer is what a head says of a text.
type Answer struct {
	Head   string
	Scores []Score // best first
}

// A Score is the calibrated probability of a label.
type Score struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// key tells texts apart: one towards another target is another.
func (r *Row) key() key { return key{r.Text, model.CanonicalTarget(r.Target)} }

type key struct{ text, target string }

// A Selection is how a text was chosen, in the ledger's words.
type Selection string

// The selections.
const (
	Random    Selection = "random"
	Uncertain Selection = "uncertain"
	Suspect   Selection = "suspect"
)

// An Item is a text to be labelled.
type Item struct {
	Row         // with the answers that counted
	Selection   Selection
	Uncertainty float64 // 0 (sure) to 1 (the best two labels are level), mean over the heads
	// SelectionProbability, of a random item, is such that its inverse is how many
	// texts of what the pool was drawn from the item stands for: the probability with
	// which it was included, divided by the number of times that its text is there. 0:
	// not known, as of what was chosen for its merits.
	SelectionProbability float64
	Copies               int    // of a random item: rows of the pool that have its text
	Doubt                *Doubt // of a suspect
}

// A Doubt is about a label that is likely wrong.
type Doubt struct {
	Head            string
	Given, Expected string
	// Surprise is -ln of the probability that texts of other sources lead to expect
	// for the label given.
	Surprise float64
}
