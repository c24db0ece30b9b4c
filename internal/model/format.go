package model

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// The model file, version 1.
//
// Integers are little-endian; "float" is a float64 by its bits; "string" is a
// uint32 length and so many bytes of UTF-8; a "list" is a uint32 length and so
// many entries. Regions in order:
//
//	magic      "parley model 1\n"
//	extractor  uint32   ExtractorVersion of the writer
//	unicode    string   UnicodeVersion of the writer, as "15.0.0/15.0.0"
//	features   3 bytes  longest word n-gram, shortest and longest character
//	                    n-gram (0 0 for none)
//	domain     float    share of known words under which a text is out of domain
//	training   32 bytes SHA-256 over the training examples
//	heads      list of heads:
//	             string  name
//	             byte    kind: 0, exactly one label fits a text; others are
//	                     left to later versions
//	             list of labels, ascending:
//	               string  label, which stays when it gets another name
//	               string  its name, "" when that is the label
//	               uint64  training documents
//	               float   prior
//	               int64   bias, in units of 2^-ScoreBits nats
//	             list of blocks:
//	               byte    value function: 0 binary, 1 tf, 2 binary-l2, 3 tfidf
//	               byte    weight bits: weights count in units of 2^-bits nats
//	               byte    1 when target rows have weights in it too, else 0
//	             float   inverse temperature
//	             list of targets, ascending:
//	               string  name
//	               then for each label uint64 documents, float prior, int64 bias
//	             float   inverse temperature with a target
//	             list of points of the calibration curve, ascending: float
//	                     probability, float share; the last is at 1
//	             list of float: a decision weight per label, or none
//	             float   default threshold on the probability, 0 for none
//	             list of float: a threshold per label, or none
//	             float   coverage of label sets, 0 for none
//	             list of float: a set threshold per label, or none
//	             uint64  evaluation: examples
//	             7 float accuracy, macro-F1, majority accuracy, ECE, ECE of a
//	                     perfectly calibrated model, NLL, Brier score
//	             list of learning points: uint64 examples, float accuracy, float
//	                     macro-F1
//	             list of float: where levels of confidence part, ascending
//	             list of outcomes, ascending: uint32 true label, uint32 answer,
//	                     uint32 level, uint64 texts
//	             list of float: sums of stated probabilities, a row a label, or
//	                     none
//	             float   dispersion of the outcomes, 0 without
//	table      the weights of features, see below
//	targets    for every head that has targets: a table of the weights of
//	           features in texts about them, whose ids Cross gives
//	strings    what the features are: uint64 bytes of text, 0 when left out;
//	           else a uint32 per feature, where its string ends in the text;
//	           then the text, in UTF-8
//	self-test  for every text of selfTestTexts, alone and then with the first
//	           target of each head: uint32 words, uint32 known words, then for
//	           every head and label an int64 score and a float probability
//	check      32 bytes SHA-256 of everything above
//
// A table is a uint64, its number of rows, after as many zeros as make its place
// in the file a multiple of 8, and the rows, strictly ascending by id: a uint64
// id, none 0, then int16 weights: a column per label of each block; the blocks of
// binary values first, those of the first head before those of the second, then
// those of tf values, and so on. After the tfidf ones comes a uint16, the
// feature's IDF in units of 2^-IDFBits, not 0. What belongs to one value
// function is filled up with zeros to a multiple of 8 bytes. A table of targets
// has the columns of its head's blocks that say so, and no IDFs.
//
// So a file is read at once and its rows are used where they are: nothing is
// decoded entry by entry. The index to the rows is not in the file. Ids are
// hashes and rows are in their order, so that one pass, which has to check the
// order anyway, fills it from front to back.
//
// Example: after the magic (15 bytes) a file of this program goes on with
// 01 00 00 00, the extractor; 0d 00 00 00 "15.0.0/15.0.0"; 02 00 00 for words
// 1-2 and no characters. TestFormatBytes spells a whole file.
//
// A file is canonical: reading and writing it gives the same bytes, equal
// models have equal files, and the SHA-256 of the whole file is the model's
// identity. Sizes: 8 + 2*labels bytes a feature, rounded up to a multiple of 8,
// with 15 labels 40 bytes, so 100,000 features make 4 MB, and their strings
// about 1.5 MB.
//
// A reader trusts nothing: sizes are checked against the bytes left before
// memory is taken, text against UTF-8, numbers against their limits, and the
// check sum and the self-test must hold.

// FormatVersion is the version of the model file that this program writes and
// reads.
const FormatVersion = 1

const magic = "parley model 1\n"

// Errors of Parse. They are wrapped with what is wrong.
var (
	// ErrFormat: the bytes are not a model file, or it is damaged.
	ErrFormat = errors.New("not a model file")
	// ErrVersion: a model file that this program cannot read.
	ErrVersion = errors.New("model file of another version")
	// ErrSelfTest: the model answers otherwise than when it was made.
	ErrSelfTest = errors.New("self-test failed")
)

// Limits of a model file.
const (
	MaxHeads     = 64
	MaxLabels    = 1 << 16 // of all heads together
	MaxNameBytes = 256     // of a head's name or a label
	MaxTargets   = 1 << 12 // of a head
	maxLearning  = 1 << 10
	maxCurve     = 1 << 10
	maxBias      = 1 << 40
	maxFeatures  = math.MaxUint32 / 2
)

// A Spec is everything that a model is made of.
type Spec struct {
	Features      Features
	MinKnownShare float64
	TrainingData  [sha256.Size]byte
	Heads         []Head
	IDs           []FeatureID // strictly ascending
	IDF           []uint16    // per row, see IDF; empty when no block has TFIDF values
	Weights       []int16     // len(IDs) rows of a column per label of every block of every head
	Strings       []string    // what the features are, see Extractor.String; empty: left out
}

// weighted reports whether a block has TFIDF values.
func (s *Spec) weighted() bool {
	return slices.ContainsFunc(s.Heads, func(h Head) bool {
		return slices.ContainsFunc(h.Blocks, func(b Block) bool { return b.Value == TFIDF })
	})
}

// New builds a model from its parts: it writes the file and reads it back.
func New(s Spec) (*Model, error) {
	if err := cmp.Or(s.check(), s.checkRows()); err != nil {
		return nil, err
	}
	body := s.append(nil)
	d := decoder{all: body, rest: body}
	d.magic()
	draft := d.model()
	if d.err != nil {
		return nil, d.err
	}
	body = draft.appendSelfTest(body)
	check, _ := sums(body)
	return Parse(append(body, check[:]...))
}

// sums returns the check sum that follows body in a file, and the SHA-256 of
// the two together: the file's identity.
func sums(body []byte) (check, file [sha256.Size]byte) {
	h := sha256.New()
	h.Write(body)
	h.Sum(check[:0])
	h.Write(check[:])
	h.Sum(file[:0])
	return check, file
}

// Parse reads a model file and verifies it. It keeps data: the caller must not
// change it afterwards. The errors are ErrFormat, ErrVersion and ErrSelfTest.
func Parse(data []byte) (*Model, error) {
	body := data[:len(data)-min(len(data), sha256.Size)]
	d := decoder{all: body, rest: body}
	d.magic()
	check, file := sums(body)
	if d.err == nil && !bytes.Equal(check[:], data[len(body):]) {
		d.fail(errors.New("the check sum does not match: the file is damaged or incomplete"))
	}
	m := d.model()
	if want := m.selfTestBytes(); d.err == nil && len(d.rest) != want {
		d.fail(fmt.Errorf("the self-test has %d bytes: want %d", len(d.rest), want))
	}
	if d.err != nil {
		return nil, d.err
	}
	if err := m.selfTest(d.rest); err != nil {
		return nil, err
	}
	m.data, m.sum = data, file
	return m, nil
}

// columns is the number of weights of a feature.
func (s *Spec) columns() int {
	n := 0
	for _, h := range s.Heads {
		n += len(h.Blocks) * len(h.Labels)
	}
	return n
}

// targetColumns is the number of weights of a feature in texts about a target.
func (h *Head) targetColumns() int {
	n := 0
	for _, b := range h.Blocks {
		if b.Targets {
			n += len(h.Labels)
		}
	}
	return n
}

var le = binary.LittleEndian

// append appends everything before the self-test.
func (s *Spec) append(b []byte) []byte {
	b = append(b, magic...)
	b = le.AppendUint32(b, ExtractorVersion)
	b = appendString(b, UnicodeVersion)
	b = append(b, byte(s.Features.Words), byte(s.Features.CharMin), byte(s.Features.CharMax))
	b = appendFloat(b, s.MinKnownShare)
	b = append(b, s.TrainingData[:]...)
	b = le.AppendUint32(b, uint32(len(s.Heads)))
	for i := range s.Heads {
		b = s.Heads[i].append(b)
	}
	base := newLayout(s.Heads, s.weighted(), func(Block) bool { return true })
	b = base.append(b, s.Heads, s.IDs, s.Weights, s.IDF)
	for i := range s.Heads {
		if h := &s.Heads[i]; len(h.Targets) > 0 {
			l := targetLayout(s.Heads[i : i+1])
			b = l.append(b, s.Heads[i:i+1], h.TargetIDs, h.TargetWeights, nil)
		}
	}
	return appendStrings(b, s.Strings)
}

// appendStrings appends the strings of features, or that they were left out.
func appendStrings(b []byte, list []string) []byte {
	size := 0
	for _, s := range list {
		size += len(s)
	}
	b = le.AppendUint64(b, uint64(size))
	end := 0
	for _, s := range list {
		end += len(s)
		b = le.AppendUint32(b, uint32(end))
	}
	for _, s := range list {
		b = append(b, s...)
	}
	return b
}

func (h *Head) append(b []byte) []byte {
	b = append(appendString(b, h.Name), 0)
	b = le.AppendUint32(b, uint32(len(h.Labels)))
	for i, label := range h.Labels {
		b = appendString(b, label)
		if len(h.Names) > 0 && h.Names[i] != label {
			b = appendString(b, h.Names[i])
		} else {
			b = appendString(b, "")
		}
		b = appendLabel(b, h.DocCounts[i], h.Prior[i], h.Bias[i])
	}
	b = le.AppendUint32(b, uint32(len(h.Blocks)))
	for _, block := range h.Blocks {
		b = append(b, byte(block.Value), block.WeightBits, 0)
		if block.Targets {
			b[len(b)-1] = 1
		}
	}
	b = appendFloat(b, h.InverseTemperature)
	b = le.AppendUint32(b, uint32(len(h.Targets)))
	for _, t := range h.Targets {
		b = appendString(b, t.Name)
		for i := range h.Labels {
			b = appendLabel(b, t.DocCounts[i], t.Prior[i], t.Bias[i])
		}
	}
	b = appendFloat(b, h.TargetInverseTemperature)
	b = le.AppendUint32(b, uint32(len(h.Curve)))
	for _, p := range h.Curve {
		b = appendFloat(appendFloat(b, p.Probability), p.Share)
	}
	b = appendFloats(b, h.DecisionWeights)
	b = appendFloat(b, h.MinProbability)
	b = appendFloats(b, h.LabelThresholds)
	b = appendFloat(b, h.Sets.Coverage)
	b = appendFloats(b, h.Sets.Thresholds)
	e := h.Evaluation
	b = le.AppendUint64(b, e.Examples)
	for _, f := range e.figures() {
		b = appendFloat(b, *f)
	}
	b = le.AppendUint32(b, uint32(len(e.Learning)))
	for _, p := range e.Learning {
		b = appendFloat(appendFloat(le.AppendUint64(b, p.Examples), p.Accuracy), p.MacroF1)
	}
	b = appendFloats(b, e.Outcomes.Levels)
	b = le.AppendUint32(b, uint32(len(e.Outcomes.Counts)))
	for _, o := range e.Outcomes.Counts {
		b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, o.Truth), o.Predicted), o.Level)
		b = le.AppendUint64(b, o.Count)
	}
	b = appendFloats(b, e.Outcomes.Stated)
	return appendFloat(b, e.Outcomes.Dispersion)
}

// figures lists the evaluation's floats in the order of the file.
func (e *Evaluation) figures() [7]*float64 {
	return [...]*float64{&e.Accuracy, &e.MacroF1, &e.MajorityAccuracy, &e.ECE, &e.PerfectECE, &e.NLL, &e.Brier}
}

func appendLabel(b []byte, docs uint64, prior float64, bias int64) []byte {
	return le.AppendUint64(appendFloat(le.AppendUint64(b, docs), prior), uint64(bias))
}

func appendFloats(b []byte, list []float64) []byte {
	b = le.AppendUint32(b, uint32(len(list)))
	for _, f := range list {
		b = appendFloat(b, f)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(le.AppendUint32(b, uint32(len(s))), s...)
}

func appendFloat(b []byte, f float64) []byte { return le.AppendUint64(b, math.Float64bits(f)) }
