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
	"strings"
	"unicode"
	"unicode/utf8"
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

// check returns an error when s breaks one of the format's rules.
func (s *Spec) check() error {
	if err := s.Features.check(); err != nil {
		return err
	}
	if !inRange(s.MinKnownShare, 0, 1) {
		return fmt.Errorf("share of known words %v: want 0 to 1", s.MinKnownShare)
	}
	if n := len(s.Heads); n < 1 || n > MaxHeads {
		return fmt.Errorf("%d heads: want 1 to %d", n, MaxHeads)
	}
	names := map[string]bool{}
	for i := range s.Heads {
		if err := s.Heads[i].check(); err != nil {
			return fmt.Errorf("head %q: %w", s.Heads[i].Name, err)
		}
		if names[s.Heads[i].Name] {
			return fmt.Errorf("two heads are called %q", s.Heads[i].Name)
		}
		names[s.Heads[i].Name] = true
	}
	if columns := s.columns(); columns > MaxLabels {
		return fmt.Errorf("%d labels: want at most %d", columns, MaxLabels)
	}
	return nil
}

func (s *Spec) checkRows() error {
	if err := checkRows(s.IDs, s.Weights, s.columns()); err != nil {
		return err
	}
	if want := len(s.IDs); len(s.IDF) != want && (s.weighted() || len(s.IDF) != 0) {
		return fmt.Errorf("%d inverse document frequencies: want one for each of %d features", len(s.IDF), want)
	}
	if !s.weighted() && len(s.IDF) != 0 {
		return errors.New("inverse document frequencies that no block uses")
	}
	if n := len(s.Strings); n != 0 && n != len(s.IDs) {
		return fmt.Errorf("%d strings: want one for each of %d features, or none", n, len(s.IDs))
	}
	for i := range s.Heads {
		h := &s.Heads[i]
		if err := checkRows(h.TargetIDs, h.TargetWeights, h.targetColumns()); err != nil {
			return fmt.Errorf("head %q: targets: %w", h.Name, err)
		}
	}
	return nil
}

func checkRows(ids []FeatureID, weights []int16, columns int) error {
	if len(ids) > maxFeatures {
		return fmt.Errorf("%d features: want at most %d", len(ids), maxFeatures)
	}
	if len(weights) != columns*len(ids) {
		return fmt.Errorf("%d weights: want %d features x %d labels", len(weights), len(ids), columns)
	}
	return nil
}

func (h *Head) check() error {
	if err := CheckName(h.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	n := len(h.Labels)
	if n < 1 {
		return errors.New("no labels")
	}
	for i, label := range h.Labels {
		if err := CheckName(label); err != nil {
			return fmt.Errorf("label %d: %w", i, err)
		}
		if i > 0 && label <= h.Labels[i-1] {
			return fmt.Errorf("label %q: labels are not in ascending order", label)
		}
	}
	if err := h.checkNames(); err != nil {
		return err
	}
	if err := checkLabels(n, h.DocCounts, h.Prior, h.Bias); err != nil {
		return err
	}
	switch {
	case !inRange(h.InverseTemperature, 1e-9, 1e9):
		return fmt.Errorf("inverse temperature %v: want 1e-9 to 1e9", h.InverseTemperature)
	case !inRange(h.MinProbability, 0, 1):
		return fmt.Errorf("threshold %v: want 0 to 1", h.MinProbability)
	case !inRange(h.Sets.Coverage, 0, 1):
		return fmt.Errorf("coverage %v: want 0 to 1", h.Sets.Coverage)
	case (h.Sets.Coverage > 0) != (len(h.Sets.Thresholds) > 0):
		return fmt.Errorf("coverage %v with %d set thresholds", h.Sets.Coverage, len(h.Sets.Thresholds))
	}
	if err := checkThresholds("label", n, h.LabelThresholds); err != nil {
		return err
	}
	if err := checkThresholds("set", n, h.Sets.Thresholds); err != nil {
		return err
	}
	if err := h.Curve.check(); err != nil {
		return err
	}
	if n := len(h.DecisionWeights); n != 0 && n != len(h.Labels) {
		return fmt.Errorf("%d decision weights: want one for each of %d labels, or none", n, len(h.Labels))
	}
	for _, w := range h.DecisionWeights {
		if !inRange(w, 1e-3, 1e3) {
			return fmt.Errorf("decision weight %v: want 0.001 to 1000", w)
		}
	}
	if err := h.checkBlocks(); err != nil {
		return err
	}
	if err := h.checkTargets(); err != nil {
		return err
	}
	return h.Evaluation.check()
}

func (h *Head) checkNames() error {
	if n := len(h.Names); n != 0 && n != len(h.Labels) {
		return fmt.Errorf("%d names: want one for each of %d labels, or none", n, len(h.Labels))
	}
	named := map[string]string{} // label by name
	for i, name := range h.Names {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("label %q: name: %w", h.Labels[i], err)
		}
		if other, found := named[name]; found {
			return fmt.Errorf("labels %q and %q are both called %q", other, h.Labels[i], name)
		}
		named[name] = h.Labels[i]
	}
	if len(h.Names) > 0 && slices.Equal(h.Names, h.Labels) {
		return errors.New("names that are those of the labels")
	}
	return nil
}

// checkLabels checks what a head or target says of each of n labels.
func checkLabels(n int, docs []uint64, prior []float64, bias []int64) error {
	if len(docs) != n || len(prior) != n || len(bias) != n {
		return fmt.Errorf("%d labels, %d document counts, %d priors, %d biases: want equal numbers", n, len(docs), len(prior), len(bias))
	}
	sum := 0.0
	for i := range n {
		if bias[i] < -maxBias || bias[i] > maxBias {
			return fmt.Errorf("bias %d: want at most %d either way", bias[i], int64(maxBias))
		}
		if !inRange(prior[i], 0, 1) {
			return fmt.Errorf("prior %v: want 0 to 1", prior[i])
		}
		sum += prior[i]
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("priors add up to %v: want 1", sum)
	}
	return nil
}

// checkThresholds checks a threshold for each of n labels, or none.
func checkThresholds(kind string, n int, list []float64) error {
	if len(list) != 0 && len(list) != n {
		return fmt.Errorf("%d %s thresholds: want one for each of %d labels, or none", len(list), kind, n)
	}
	for _, t := range list {
		if !inRange(t, 0, 2) {
			return fmt.Errorf("%s threshold %v: want 0 to 2", kind, t)
		}
	}
	return nil
}

func (h *Head) checkBlocks() error {
	if n := len(h.Blocks); n < 1 || n > values {
		return fmt.Errorf("%d blocks: want 1 to %d", n, values)
	}
	for i, b := range h.Blocks {
		switch {
		case b.Value >= values:
			return fmt.Errorf("value function %d: want 0 to %d", b.Value, values-1)
		case b.WeightBits > b.Value.MaxWeightBits():
			return fmt.Errorf("weight bits %d: want at most %d", b.WeightBits, b.Value.MaxWeightBits())
		case i > 0 && b.Value <= h.Blocks[i-1].Value:
			return errors.New("blocks are not in ascending order of their values")
		case b.Targets && len(h.Targets) == 0:
			return errors.New("a block for targets, of which there are none")
		}
	}
	return nil
}

func (h *Head) checkTargets() error {
	if len(h.Targets) > MaxTargets {
		return fmt.Errorf("%d targets: want at most %d", len(h.Targets), MaxTargets)
	}
	if !inRange(h.TargetInverseTemperature, 1e-9, 1e9) {
		return fmt.Errorf("inverse temperature with a target %v: want 1e-9 to 1e9", h.TargetInverseTemperature)
	}
	for i, t := range h.Targets {
		if err := CheckName(t.Name); err != nil {
			return fmt.Errorf("target %d: %w", i, err)
		}
		if t.Name != CanonicalTarget(t.Name) {
			return fmt.Errorf("target %q: not in canonical form", t.Name)
		}
		if i > 0 && t.Name <= h.Targets[i-1].Name {
			return fmt.Errorf("target %q: targets are not in ascending order", t.Name)
		}
		if err := checkLabels(len(h.Labels), t.DocCounts, t.Prior, t.Bias); err != nil {
			return fmt.Errorf("target %q: %w", t.Name, err)
		}
	}
	return nil
}

func (e *Evaluation) check() error {
	if len(e.Learning) > maxLearning {
		return fmt.Errorf("%d points of a learning curve: want at most %d", len(e.Learning), maxLearning)
	}
	for _, f := range []struct {
		name        string
		value, most float64
	}{
		{"accuracy", e.Accuracy, 1}, {"macro-F1", e.MacroF1, 1}, {"majority accuracy", e.MajorityAccuracy, 1},
		{"ECE", e.ECE, 1}, {"perfect ECE", e.PerfectECE, 1}, {"Brier score", e.Brier, 2},
	} {
		if !inRange(f.value, 0, f.most) {
			return fmt.Errorf("evaluation: %s %v: want 0 to %v", f.name, f.value, f.most)
		}
	}
	for i, p := range e.Learning {
		if !inRange(p.Accuracy, 0, 1) || !inRange(p.MacroF1, 0, 1) {
			return fmt.Errorf("evaluation: point %d of the learning curve: accuracy %v, macro-F1 %v: want 0 to 1", i, p.Accuracy, p.MacroF1)
		}
	}
	if !inRange(e.NLL, 0, math.MaxFloat64) {
		return fmt.Errorf("evaluation: negative log-likelihood %v: want a number from 0", e.NLL)
	}
	return nil
}

// inRange is false for NaN, and for -0, which would be a second way to write 0.
func inRange(f, lo, hi float64) bool { return f >= lo && f <= hi && !(f == 0 && math.Signbit(f)) }

// CheckName returns an error unless s can name a head or a label: 1 to
// MaxNameBytes bytes of UTF-8 without control characters.
func CheckName(s string) error {
	switch {
	case s == "":
		return errors.New("empty")
	case len(s) > MaxNameBytes:
		return fmt.Errorf("%d bytes: want at most %d", len(s), MaxNameBytes)
	case !utf8.ValidString(s):
		return fmt.Errorf("%q is not UTF-8", s)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%q has a control character", s)
	}
	return nil
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
	return b
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

// A decoder reads the regions. Its first error sticks: from then on it returns
// zeros.
type decoder struct {
	all, rest []byte
	err       error
}

// fail records err as a format error, if it is the first.
func (d *decoder) fail(err error) {
	if d.err == nil && err != nil {
		d.err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
}

// take returns the next n bytes: all access to the file goes through it.
func (d *decoder) take(n uint64, what string) []byte {
	if d.err == nil && n > uint64(len(d.rest)) {
		d.fail(fmt.Errorf("the file ends within %s", what))
	}
	if d.err != nil {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte(what string) byte {
	if b := d.take(1, what); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint32(what string) uint32 {
	if b := d.take(4, what); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64(what string) uint64 {
	if b := d.take(8, what); b != nil {
		return le.Uint64(b)
	}
	return 0
}

func (d *decoder) float(what string) float64 { return math.Float64frombits(d.uint64(what)) }

func (d *decoder) string(what string) string { return string(d.take(uint64(d.uint32(what)), what)) }

// magic checks the first line. Another version of this format is told apart
// from another kind of file.
func (d *decoder) magic() {
	line, _, found := bytes.Cut(d.rest[:min(len(d.rest), 64)], []byte("\n"))
	version, isModel := bytes.CutPrefix(line, []byte("parley model "))
	switch {
	case !found || !isModel:
		d.fail(errors.New(`it does not begin with "parley model"`))
	case len(line)+1 != len(magic) || string(version) != "1":
		d.err = fmt.Errorf("%w: format %q, this program reads 1", ErrVersion, version)
	}
	d.take(uint64(len(magic)), "the magic")
}

// model reads what comes between the magic and the self-test.
func (d *decoder) model() *Model {
	m := &Model{}
	m.pool.New = func() any { return m.NewClassifier() }
	s := &m.spec
	d.versions()
	s.Features = Features{
		Words: int(d.byte("features")), CharMin: int(d.byte("features")), CharMax: int(d.byte("features")),
	}
	s.MinKnownShare = d.float("domain")
	copy(s.TrainingData[:], d.take(sha256.Size, "training"))
	heads := d.uint32("heads")
	if heads > MaxHeads {
		d.fail(fmt.Errorf("%d heads: want at most %d", heads, MaxHeads))
	}
	for i := uint32(0); i < heads && d.err == nil; i++ {
		s.Heads = append(s.Heads, d.head())
	}
	if d.err == nil {
		d.fail(s.check())
	}
	if d.err != nil {
		return m
	}
	m.table = d.table(newLayout(s.Heads, s.weighted(), func(Block) bool { return true }))
	m.targets = make([]table, len(s.Heads))
	for i := range s.Heads {
		if len(s.Heads[i].Targets) > 0 {
			m.targets[i] = d.table(targetLayout(s.Heads[i : i+1]))
		}
	}
	m.ends, m.strings = d.strings(m.table.rows)
	return m
}

// table reads a table and indexes it.
func (d *decoder) table(l layout) table {
	for _, b := range d.take(uint64(-(len(d.all)-len(d.rest))&7), "padding") {
		if b != 0 {
			d.fail(errors.New("padding is not 0"))
		}
	}
	rows := d.uint64("rows")
	if rows > maxFeatures {
		d.fail(fmt.Errorf("%d features: want at most %d", rows, maxFeatures))
	}
	cells := toCells(d.take(8*rows*uint64(l.stride), "rows")) // below 2^50: rows < 2^31, columns <= 2 * MaxLabels
	if d.err != nil {
		return table{}
	}
	t, err := newTable(l, cells)
	d.fail(err)
	return t
}

// strings reads where the strings of rows end, and their text.
func (d *decoder) strings(rows int) (ends []uint32, text []byte) {
	size := d.uint64("strings")
	if size == 0 {
		return nil, nil
	}
	list := d.take(4*uint64(rows), "strings")
	if text = d.take(size, "strings"); d.err != nil {
		return nil, nil
	}
	ends = make([]uint32, rows)
	last := uint32(0)
	for i := range ends {
		ends[i] = le.Uint32(list[4*i:])
		if ends[i] <= last || uint64(ends[i]) > size {
			d.fail(fmt.Errorf("the string of feature %d ends at %d, the one before at %d, all at %d", i, ends[i], last, size))
			return nil, nil
		}
		last = ends[i]
	}
	switch {
	case uint64(last) != size:
		d.fail(fmt.Errorf("the strings end at %d: want %d", last, size))
	case !utf8.Valid(text):
		d.fail(errors.New("the strings are not UTF-8"))
	}
	return ends, text
}

func (d *decoder) versions() {
	extractor, tables := d.uint32("extractor"), d.string("unicode")
	if d.err == nil && (extractor != ExtractorVersion || tables != UnicodeVersion) {
		d.err = fmt.Errorf("%w: it reads texts with extractor %d and Unicode %q, this program with %d and %q: train it again",
			ErrVersion, extractor, tables, ExtractorVersion, UnicodeVersion)
	}
}

func (d *decoder) head() (h Head) {
	h.Name = d.string("a head's name")
	if kind := d.byte("a head's kind"); kind != 0 && d.err == nil {
		d.err = fmt.Errorf("%w: head %q is of kind %d, which this program does not know", ErrVersion, h.Name, kind)
	}
	d.labels(&h)
	for range d.list("blocks", 3) {
		h.Blocks = append(h.Blocks, d.block())
	}
	h.InverseTemperature = d.float("temperature")
	targets := d.list("targets", 4)
	if targets > MaxTargets { // here, since they take more memory than bytes of the file
		d.fail(fmt.Errorf("head %q: %d targets: want at most %d", h.Name, targets, MaxTargets))
	}
	for range targets {
		if d.err == nil {
			h.Targets = append(h.Targets, d.target(len(h.Labels)))
		}
	}
	h.TargetInverseTemperature = d.float("temperature")
	for range d.list("calibration curve", 16) {
		h.Curve = append(h.Curve, CurvePoint{d.float("calibration curve"), d.float("calibration curve")})
	}
	h.DecisionWeights = d.floats("decision weights")
	h.MinProbability = d.float("threshold")
	h.LabelThresholds = d.floats("thresholds")
	h.Sets.Coverage, h.Sets.Thresholds = d.float("coverage"), d.floats("set thresholds")
	e := &h.Evaluation
	e.Examples = d.uint64("evaluation")
	for _, f := range e.figures() {
		*f = d.float("evaluation")
	}
	for range d.list("learning curve", 24) {
		e.Learning = append(e.Learning, LearningPoint{d.uint64("learning curve"), d.float("learning curve"), d.float("learning curve")})
	}
	return h
}

// list reads the length of a list whose entries have at least size bytes: 0
// when so many cannot follow.
func (d *decoder) list(what string, size uint64) uint32 {
	n := d.uint32(what)
	if uint64(n)*size > uint64(len(d.rest)) {
		d.fail(fmt.Errorf("the file ends within %s", what))
		return 0
	}
	return n
}

func (d *decoder) floats(what string) []float64 {
	var list []float64
	for range d.list(what, 8) {
		list = append(list, d.float(what))
	}
	return list
}

func (d *decoder) labels(h *Head) {
	for range d.list("labels", 32) {
		label, name := d.string("a label"), d.string("a label's name")
		if name == label && name != "" {
			d.fail(fmt.Errorf("head %q: label %q has its own name", h.Name, label))
		}
		if name != "" && h.Names == nil { // those before it are called by their labels
			h.Names = append(make([]string, 0, 1), h.Labels...)
		}
		h.Labels = append(h.Labels, label)
		if h.Names != nil {
			h.Names = append(h.Names, cmp.Or(name, label))
		}
		h.DocCounts = append(h.DocCounts, d.uint64("document counts"))
		h.Prior = append(h.Prior, d.float("priors"))
		h.Bias = append(h.Bias, int64(d.uint64("biases")))
	}
}

func (d *decoder) block() Block {
	b := Block{Value: Value(d.byte("a block's value")), WeightBits: d.byte("weight bits")}
	switch d.byte("a block's targets") {
	case 0:
	case 1:
		b.Targets = true
	default:
		d.fail(errors.New("a block's targets: want 0 or 1"))
	}
	return b
}

func (d *decoder) target(labels int) (t Target) {
	t.Name = d.string("a target")
	for i := 0; i < labels && d.err == nil; i++ {
		t.DocCounts = append(t.DocCounts, d.uint64("document counts"))
		t.Prior = append(t.Prior, d.float("priors"))
		t.Bias = append(t.Bias, int64(d.uint64("biases")))
	}
	return t
}
