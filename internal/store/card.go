package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/parley-nlp/parley/internal/model"
)

// A Card is what is known about a revision. It never changes.
type Card struct {
	Model     string    `json:"model"`
	Revision  string    `json:"revision"`
	Bytes     int64     `json:"bytes"`
	Published time.Time `json:"published"`
	Provenance
	TrainingData  string     `json:"training_data"` // SHA-256 over the training examples
	Features      string     `json:"features"`      // the n-grams that are read
	FeatureCount  int        `json:"feature_count"`
	Named         bool       `json:"features_named"` // the file has the features' strings
	MinKnownShare float64    `json:"min_known_share"`
	Heads         []HeadCard `json:"heads"`
}

// Provenance is what a model file does not say of itself.
type Provenance struct {
	TrainerVersion string    `json:"trainer_version,omitempty"`
	Trained        time.Time `json:"trained,omitzero"`
	// Parent is the revision that was live when this one was published. Publish
	// fills it in when it is empty.
	Parent string `json:"parent,omitempty"`
	// Configuration is what the trainer was told, as a JSON object.
	Configuration json.RawMessage `json:"configuration,omitempty"`
	Note          string          `json:"note,omitempty"`
}

// A HeadCard is about one head.
type HeadCard struct {
	Head        string      `json:"head"`
	Labels      []LabelCard `json:"labels"`
	Blocks      []string    `json:"blocks"` // value functions of the blocks of weights
	Targets     []string    `json:"targets,omitempty"`
	Evaluation  Evaluation  `json:"evaluation"`
	Calibration Calibration `json:"calibration"`
}

// A LabelCard is a label and how many training documents have it.
type LabelCard struct {
	Label     string `json:"label"`
	Name      string `json:"name,omitempty"` // if it is called otherwise
	Documents uint64 `json:"documents"`
}

// An Evaluation is model.Evaluation without the learning curve.
type Evaluation struct {
	Examples         uint64  `json:"examples"`
	Accuracy         float64 `json:"accuracy"`
	MacroF1          float64 `json:"macro_f1"`
	MajorityAccuracy float64 `json:"majority_accuracy"`
	NLL              float64 `json:"negative_log_likelihood"`
	Brier            float64 `json:"brier_score"`
}

// Calibration says how far probabilities can be trusted, and what is done with
// them.
type Calibration struct {
	ECE             float64            `json:"expected_calibration_error"`
	PerfectECE      float64            `json:"expected_calibration_error_if_perfect"`
	Curve           []model.CurvePoint `json:"curve,omitempty"`
	DecisionWeights []float64          `json:"decision_weights,omitempty"`
	MinProbability  float64            `json:"min_probability,omitempty"`
	LabelThresholds []float64          `json:"label_thresholds,omitempty"`
	SetCoverage     float64            `json:"label_set_coverage,omitempty"`
}

func newCard(name string, m *model.Model, about Provenance) Card {
	c := Card{
		Model: name, Revision: m.Revision(), Bytes: int64(len(m.Bytes())), Provenance: about,
		TrainingData: m.TrainingData(), Features: m.Features().String(), FeatureCount: m.FeatureCount(),
		Named: m.Named(), MinKnownShare: m.MinKnownShare(),
	}
	for _, h := range m.Heads() {
		c.Heads = append(c.Heads, newHeadCard(&h))
	}
	return c
}

func newHeadCard(h *model.Head) HeadCard {
	e := h.Evaluation
	c := HeadCard{
		Head:       h.Name,
		Evaluation: Evaluation{e.Examples, e.Accuracy, e.MacroF1, e.MajorityAccuracy, e.NLL, e.Brier},
		Calibration: Calibration{
			ECE: e.ECE, PerfectECE: e.PerfectECE, Curve: h.Curve, DecisionWeights: h.DecisionWeights,
			MinProbability: h.MinProbability, LabelThresholds: h.LabelThresholds, SetCoverage: h.Sets.Coverage,
		},
	}
	for i, label := range h.Labels {
		l := LabelCard{Label: label, Documents: h.DocCounts[i]}
		if name := h.LabelName(i); name != label {
			l.Name = name
		}
		c.Labels = append(c.Labels, l)
	}
	for _, b := range h.Blocks {
		c.Blocks = append(c.Blocks, b.Value.String())
	}
	for _, t := range h.Targets {
		c.Targets = append(c.Targets, t.Name)
	}
	return c
}

func (p *Provenance) check() error {
	if p.Parent != "" {
		if err := checkRevision(p.Parent); err != nil {
			return fmt.Errorf("parent: %w", err)
		}
	}
	if y := p.Trained.UTC().Year(); y < 0 || y > 9999 {
		return fmt.Errorf("%w: trained in the year %d", ErrInvalid, y)
	}
	if len(p.Configuration) > maxConfiguration || len(p.Configuration) > 0 && !isObject(p.Configuration) {
		return fmt.Errorf("%w: configuration: want a JSON object of at most %d bytes", ErrInvalid, maxConfiguration)
	}
	if err := checkText("trainer version", p.TrainerVersion); err != nil {
		return err
	}
	return checkText("note", p.Note)
}

const maxConfiguration = 1 << 20

func isObject(data []byte) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(data, &object) == nil && object != nil
}
