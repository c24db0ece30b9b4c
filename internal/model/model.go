package model

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// Scores are integers in units of 2^-ScoreBits nats: sums of them are exact in
// any order.
const ScoreBits = 20

// MaxTextBytes is how much of a text is read; what follows is left out. It
// keeps every score far inside an int64.
const MaxTextBytes = 1 << 24

// A Value says what a feature's occurrences in a text count for.
type Value uint8

// The value functions.
const (
	Binary Value = 0 // 1, however often the feature occurs
	TF     Value = 1 // its number of occurrences (term frequency)
)

// String is the name of v in flags and reports.
func (v Value) String() string {
	if v == TF {
		return "tf"
	}
	return "binary"
}

// of returns the value of a feature that occurs count times.
func (v Value) of(count uint32) int64 {
	if v == TF {
		return int64(count)
	}
	return 1
}

// A Head is one output of a model: exactly one of its labels fits a text.
type Head struct {
	Name   string
	Labels []string // in ascending order
	// DocCounts holds the number of training documents per label. With one
	// added to each they are the prior that answers a text without evidence.
	DocCounts []uint64
	Value     Value
	// WeightBits is the scale of the head's weights: they count in units of
	// 2^-WeightBits nats. At most ScoreBits.
	WeightBits uint8
	// Bias is what a label's score starts from, in units of 2^-ScoreBits nats.
	Bias []int64
	// InverseTemperature turns scores (in nats) into calibrated probabilities:
	// softmax(InverseTemperature * scores). Guo et al., "On Calibration of
	// Modern Neural Networks" (2017), section 4.2.
	InverseTemperature float64
	// MinProbability is the default threshold below which the head abstains; 0
	// for none.
	MinProbability float64
	// Evaluation is how the head did on texts it had not been trained on.
	Evaluation Evaluation
}

// An Evaluation is a head's quality in grouped cross-validation on the
// training data: every text is judged by a model that has not seen it nor
// anything from its source.
type Evaluation struct {
	Examples         uint64
	Accuracy         float64 // share of right labels
	MacroF1          float64 // unweighted mean of the labels' F1
	MajorityAccuracy float64 // accuracy of always naming the most frequent label
	ECE              float64 // expected calibration error, 15 equal-mass bins
	NLL              float64 // mean negative log-likelihood, nats
}

// A Model classifies texts. It never changes once built: all its methods are
// safe for any number of goroutines.
type Model struct {
	spec    Spec
	index   index
	offsets []int // first column of each head; the last entry is the row length
	data    []byte
	sum     [sha256.Size]byte
	pool    sync.Pool // of *Classifier
}

// newModel returns the model that spec, already checked, describes.
func newModel(spec Spec) (*Model, error) {
	m := &Model{spec: spec, offsets: spec.offsets()}
	var err error
	m.index, err = newIndex(spec.IDs)
	m.pool.New = func() any { return m.NewClassifier() }
	return m, err
}

// Revision is the SHA-256 of the model file in hexadecimal: equal for equal
// training data and configuration, on every machine.
func (m *Model) Revision() string { return hex.EncodeToString(m.sum[:]) }

// Bytes is the model file. It must not be changed.
func (m *Model) Bytes() []byte { return m.data }

// Heads are the model's outputs. They must not be changed.
func (m *Model) Heads() []Head { return m.spec.Heads }

// Head returns the position of the head of that name in Heads, or -1.
func (m *Model) Head(name string) int {
	for i := range m.spec.Heads {
		if m.spec.Heads[i].Name == name {
			return i
		}
	}
	return -1
}

// Features are the n-grams that the model reads.
func (m *Model) Features() Features { return m.spec.Features }

// FeatureCount is the number of n-grams that the model knows.
func (m *Model) FeatureCount() int { return len(m.spec.IDs) }

// MinKnownShare is the share of known words below which a text counts as out
// of domain.
func (m *Model) MinKnownShare() float64 { return m.spec.MinKnownShare }

// TrainingData is the SHA-256 over the training examples in their canonical
// order, in hexadecimal.
func (m *Model) TrainingData() string { return hex.EncodeToString(m.spec.TrainingData[:]) }

// Acquire returns a classifier from the model's pool; give it back with
// Release when its result is no longer needed.
func (m *Model) Acquire() *Classifier { return m.pool.Get().(*Classifier) }

// Release gives back what Acquire returned.
func (m *Model) Release(c *Classifier) {
	if cap(c.tok.folded) <= maxPooledRunes { // do not keep the memory of a rare giant
		m.pool.Put(c)
	}
}

// maxPooledRunes bounds tokens and hits too: no text has more tokens than
// folded runes.
const maxPooledRunes = 1 << 17
