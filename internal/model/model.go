package model

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Scores are integers in units of 2^-ScoreBits nats: sums of them are exact in
// any order.
const ScoreBits = 20

// MaxTextBytes is how much of a text is read; what follows is left out. It
// keeps every score inside an int64.
const MaxTextBytes = 1 << 24

// A Head is one output of a model: exactly one of its labels fits a text.
type Head struct {
	Name   string
	Labels []string // in ascending order
	// Names are what the labels are called, which may change while the labels
	// stay; empty: by their labels.
	Names []string
	// DocCounts holds the number of training documents per label.
	DocCounts []uint64
	// Prior holds the labels' probabilities for a text without evidence.
	Prior []float64
	// Blocks hold the weights: a score is the sum of what each block gives.
	Blocks []Block
	// Bias is what a label's score starts from, in units of 2^-ScoreBits nats.
	Bias []int64
	// InverseTemperature turns scores (in nats) into calibrated probabilities:
	// softmax(InverseTemperature * scores). The trainer calibrates the weights
	// themselves and writes 1.
	InverseTemperature float64
	// Curve, unless empty, then corrects them: a weight and a bias per label
	// cannot tell what, say, wrong labels in the training data are worth.
	Curve Curve
	// Targets have weights of their own, added for texts about them, ascending
	// by name. TargetInverseTemperature is then the inverse temperature.
	Targets                  []Target
	TargetInverseTemperature float64
	// TargetIDs and TargetWeights are their weights: rows for features in texts
	// about a target, whose ids Cross gives, with a column per label of each
	// block that has Targets. A model once built has them in its tables only.
	TargetIDs     []FeatureID
	TargetWeights []int16
	// DecisionWeights, unless empty, are what the labels' probabilities are
	// multiplied by before the best is taken: above 1 for labels that likelihood
	// alone would name too rarely for a good macro-F1. The probabilities stay.
	DecisionWeights []float64
	// MinProbability is the default threshold below which the head abstains; 0
	// for none.
	MinProbability float64
	// LabelThresholds hold one more threshold per label, for a precision that
	// was asked for at training; empty for none. Above 1 the label is never
	// given.
	LabelThresholds []float64
	// Sets, when its coverage is not 0, tells which labels belong to the set of
	// an answer.
	Sets LabelSets
	// Evaluation is how the head did on texts it had not been trained on.
	Evaluation Evaluation
}

// A Block is a group of weights that multiply the same value of a feature.
type Block struct {
	Value Value
	// WeightBits is the scale of the weights: they count in units of
	// 2^-WeightBits nats. With the bits of the value at most ScoreBits.
	WeightBits uint8
	// Targets says that target rows have weights in it too.
	Targets bool
}

// A Target is what a stance can be towards, and the texts about which have
// weights of their own.
type Target struct {
	Name      string // see CanonicalTarget
	DocCounts []uint64
	Prior     []float64
	Bias      []int64 // added to the head's
}

// LabelSets say which labels belong to a conformal set: those whose probability
// reaches the label's threshold. Sadinle et al., "Least Ambiguous Set-Valued
// Classifiers with Bounded Error Levels" (2019).
type LabelSets struct {
	Coverage   float64   // share of texts whose set is to hold the true label; 0: no sets
	Thresholds []float64 // per label
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
	PerfectECE       float64 // what a perfectly calibrated model would show
	NLL              float64 // mean negative log-likelihood, nats
	Brier            float64 // mean squared distance of the probabilities, 0 to 2
	// Learning is the quality reached with parts of the training data, smallest
	// first.
	Learning []LearningPoint
	// Outcomes are the answers that the figures are made of; empty when they are
	// not those that the model would give, as with another prior.
	Outcomes Outcomes
}

// A LearningPoint is a point of a learning curve.
type LearningPoint struct {
	Examples          uint64
	Accuracy, MacroF1 float64
}

// A Model classifies texts. It never changes once built: all its methods are
// safe for any number of goroutines.
type Model struct {
	spec    Spec // without what the tables hold
	table   table
	targets []table  // per head: of features in texts about a target
	strings []byte   // of the rows, one after the other
	ends    []uint32 // of each in strings
	data    []byte
	sum     [sha256.Size]byte
	pool    sync.Pool // of *Classifier
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

// Target returns the position of target among the head's, or -1. Case and white
// space do not matter.
func (h *Head) Target(target string) int {
	return h.target(CanonicalTarget(target))
}

// target is Target of a name in canonical form.
func (h *Head) target(name string) int {
	if len(h.Targets) == 0 || name == "" {
		return -1
	}
	at, found := slices.BinarySearchFunc(h.Targets, name, func(t Target, name string) int { return strings.Compare(t.Name, name) })
	if !found {
		return -1
	}
	return at
}

// CanonicalTarget is the form in which targets are compared: in lower case,
// composed, with single spaces. It takes no memory for a target in this form.
func CanonicalTarget(s string) string {
	// Composed last: a capital and its accent may have no composed form where
	// the small letter has one.
	s = norm.NFC.String(strings.ToLower(s))
	if singleSpaced(s) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// singleSpaced reports whether s has no white space but single spaces between
// other characters.
func singleSpaced(s string) bool {
	space := true // so that none may come first
	for _, r := range s {
		if unicode.IsSpace(r) && (space || r != ' ') {
			return false
		}
		space = r == ' '
	}
	return s == "" || !space
}

// FeatureCount is the number of n-grams that the model knows.
func (m *Model) FeatureCount() int { return m.table.rows }

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
	if max(cap(c.tok.tokens), cap(c.tok.low)/8, cap(c.set.hits)) <= maxPooled { // do not keep the memory of a rare giant
		m.pool.Put(c)
	}
}

// maxPooled is how many tokens, hits and eight bytes of text a classifier may have
// room for, to
// be kept.
const maxPooled = 1 << 17

// Strings are what the features are (see Extractor.Strings), ascending by id;
// none when they were left out.
func (m *Model) Strings() []string {
	var list []string
	start := uint32(0)
	for _, end := range m.ends {
		list = append(list, string(m.strings[start:end]))
		start = end
	}
	return list
}

// Named reports whether the file has what its features are.
func (m *Model) Named() bool { return len(m.ends) > 0 }
