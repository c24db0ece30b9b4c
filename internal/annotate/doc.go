// Package annotate is a terminal mode for labelling texts: one key a label.
//
//	Work.Next -> Task -> screen -> key -> Work.Give, which is durable when it returns
//
// It knows nothing of where tasks come from and where answers go: that is Work.
// What it shows is made harmless first (see Clean): no text, label or name can
// move the cursor, change the terminal's settings or reorder what is shown.
package annotate

import (
	"context"
	"time"
)

// A Task is a text that is to be labelled for one head or several.
type Task struct {
	Text, ID, Group, Target string
	Heads                   []string
	Place                   string   // where it comes from, such as FILE:LINE; may be empty
	Blind                   bool     // what the model says is not to be seen
	Notes                   []string // what is to be known beforehand, such as who said what
	Ref                     any      // Work's own
}

// A Prediction is what a model says of a task for a head, best labels first.
type Prediction struct {
	Head     string
	Labels   []Score
	Evidence []Evidence // for the best label, largest first
}

// A Score is a label with its calibrated probability.
type Score struct {
	Label       string
	Probability float64
}

// Evidence is a term with what it adds to the score of the best label, in nats.
type Evidence struct {
	Term string
	Nats float64
}

// Work is where tasks come from and where answers go.
type Work interface {
	// Next returns a task, nil when all are done. A task that was answered or
	// skipped does not come again.
	Next(ctx context.Context) (*Task, error)
	// Give records a label. It is durable when Give returns. undo takes it back. A
	// RefusedError is shown, and the question stays.
	Give(ctx context.Context, t *Task, head, label string) (undo Undo, err error)
	// Skip records that this annotator will not label the task.
	Skip(ctx context.Context, t *Task) error
	// Predict returns what a model says; nothing when there is none.
	Predict(ctx context.Context, t *Task) ([]Prediction, error)
}

// Undo takes back what was recorded.
type Undo func(ctx context.Context) error

// A RefusedError says why an answer is not taken.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// A Config says what a session works with.
type Config struct {
	Work   Work
	Labels map[string][]string // of each head, in the order in which keys are given
	Who    string              // the annotator
	Total  int                 // tasks there are at the beginning
	Now    func() time.Time    // nil: time.Now
}

// A Summary is what was done in a session.
type Summary struct {
	Tasks   int           `json:"tasks"`  // all of whose heads were answered
	Labels  int           `json:"labels"` // given and not taken back
	Skipped int           `json:"skipped"`
	Undone  int           `json:"undone"`
	Total   int           `json:"total"` // tasks there were at the beginning
	Elapsed time.Duration `json:"-"`
}
