// Package score classifies rows of text, with a model at hand or a server far
// away: the answers are the same either way.
//
//	rows (dataset) -> batches -> Classifier -> rows in their order -> JSONL, CSV, TSV
//	rows as JSONL -> Parquet, a table
package score

import (
	"math"

	"github.com/parley-nlp/parley/internal/dataset"
)

// A Row is the answer for one text.
type Row struct {
	ID          string
	Predictions []Prediction // nil when Err is set
	Input       Input
	Revision    string // SHA-256 of the model file that answered
	Err         *Error
	Columns     []dataset.Value // carried along from the input
}

// A Prediction is what one head says.
type Prediction struct {
	Head        string  `json:"-"`
	Label       string  `json:"label"`       // "" when the head abstained
	Probability float64 `json:"probability"` // of the best label
	Decision    string  `json:"decision"`    // LABELED, or why not
	Scores      []Score `json:"scores"`      // best labels first
	// TargetWeights are the weights that answered, PER_TARGET or POOLED; "" when
	// the head has no targets.
	TargetWeights string `json:"target_weights,omitempty"`
	// LabelSet holds the labels that the text may have; nil when the model was
	// trained without label sets.
	LabelSet []string   `json:"label_set,omitzero"`
	Coverage float64    `json:"-"` // share of texts whose LabelSet is to hold the right label
	Evidence []Evidence `json:"-"` // for the best label, largest first
}

// The values of Prediction.TargetWeights.
const (
	PerTarget = "PER_TARGET"
	Pooled    = "POOLED"
)

// A Score is the calibrated probability of a label.
type Score struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// Evidence is what a word or word n-gram adds to the score, in nats.
type Evidence struct {
	Term string
	Nats float64
}

// Input is what the model saw of a text.
type Input struct {
	Tokens      int  `json:"tokens"`       // words
	KnownTokens int  `json:"known_tokens"` // that occur in the training texts
	Truncated   bool `json:"truncated,omitempty"`
}

// An Error says why a row has no answer. Codes are those of gRPC.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// invalid makes the error of a row that cannot be classified.
func invalid(message string) *Error { return &Error{"INVALID_ARGUMENT", message} }

// MarshalJSON writes what a line of JSONL has, without evidence.
func (r Row) MarshalJSON() ([]byte, error) {
	if err := r.check(false); err != nil {
		return nil, err
	}
	return jsonEncoder{}.appendRow(nil, &r), nil
}

// round keeps six decimals: enough to rank, and readable.
func round(p float64) float64 { return math.Round(p*1e6) / 1e6 }
