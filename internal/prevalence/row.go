package prevalence

// A Row is one answered row.
type Row struct {
	ID     string
	Failed bool     // it has no answers
	Heads  []Answer // in the order of the Summariser's heads; nil when Failed
	By     []string // what it has in the columns of Options.By
}

// An Answer is what a head says of a row.
type Answer struct {
	Label       string  // the best label, even where the head abstained
	Probability float64 // of Label
	Decision    Decision
	// Scores are the probabilities of all labels in their order, or nil: estimates
	// that rest on probabilities are then left out.
	Scores []float64
}

// A Decision sorts answers by what can be made of them.
type Decision uint8

// The decisions.
const (
	Judged      Decision = iota // an answer
	Withheld                    // an answer that the head would not give, for want of confidence
	NoEvidence                  // no known word
	OutOfDomain                 // too few known words
)

// counts reports whether shares are about rows with this decision.
func (d Decision) counts() bool { return d == Judged || d == Withheld }

// A Head is what is known of a head.
type Head struct {
	Name   string
	Labels []string // in ascending order
	Names  []string // what they are called; empty: by their labels
	Prior  []float64
	Errors Errors
}
