package predictionlog

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// A Row is a document and what was answered. In JSON it is a row of "classifier
// score" with the text, its target, and how it came to be chosen: training and
// scoring read it as it is, once it has columns of labels.
type Row struct {
	ID          string // request id, with the item's position in a batch
	Text        string
	Target      string
	Predictions []Prediction // in the order of the model's heads
	Input       Input
	Revision    string // SHA-256 of the model file that answered
	RequestID   string
	Time        time.Time

	// flushed makes it no row: it is closed when those before it were written.
	flushed chan struct{}
}

// A Prediction is what one head says.
type Prediction struct {
	Head          string   `json:"-"`
	Label         string   `json:"label"`       // "" when the head abstained
	Probability   float64  `json:"probability"` // of the best label
	Decision      string   `json:"decision"`    // LABELED, or why not
	Scores        []Score  `json:"scores"`      // of all labels, best first
	TargetWeights string   `json:"target_weights,omitempty"`
	LabelSet      []string `json:"label_set,omitzero"`
}

// A Score is the calibrated probability of a label.
type Score struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// Input is what the model saw of a text.
type Input struct {
	Tokens      int  `json:"tokens"`
	KnownTokens int  `json:"known_tokens"`
	Truncated   bool `json:"truncated,omitempty"`
}

// size is about how many bytes the row holds on to.
func (r *Row) size() int {
	n := len(r.Text) + len(r.Target) + 512
	for i := range r.Predictions {
		n += 128 + 40*len(r.Predictions[i].Scores)
	}
	return n
}

// line writes the row as a line of JSON. share is the probability with which it
// was chosen: its inverse is the row's weight in an estimate of all traffic.
func (r *Row) line(b *bytes.Buffer, share float64) error {
	for i := range r.Predictions {
		r.Predictions[i].round()
	}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		ID          string      `json:"id"`
		Text        string      `json:"text"`
		Target      string      `json:"target,omitempty"`
		Predictions predictions `json:"predictions"`
		Input       Input       `json:"input"`
		Revision    string      `json:"revision"`
		RequestID   string      `json:"request_id"`
		Time        time.Time   `json:"time"`
		Share       float64     `json:"selection_probability"`
	}{r.ID, r.Text, r.Target, r.Predictions, r.Input, r.Revision, r.RequestID, r.Time.UTC(), share})
}

// round keeps six decimals, as "classifier score" does.
func (p *Prediction) round() {
	p.Probability = round(p.Probability)
	for i := range p.Scores {
		p.Scores[i].Probability = round(p.Scores[i].Probability)
	}
}

func round(p float64) float64 { return math.Round(p*1e6) / 1e6 }

// predictions are an object with a member per head, in their order.
type predictions []Prediction

// MarshalJSON implements json.Marshaler.
func (list predictions) MarshalJSON() ([]byte, error) {
	b := bytes.NewBufferString("{")
	for i, p := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, v := range []any{p.Head, p} {
			part, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			b.Write(part)
			if _, name := v.(string); name {
				b.WriteByte(':')
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
