package model

import (
	"bytes"
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

// The model file, version 0. It is not released yet: the next version may
// replace it without a way back.
//
// Integers are little-endian; "float" is a float64 by its bits; "string" is a
// uint32 length and so many bytes of UTF-8. Regions in order:
//
//	magic      "parley model 0\n"
//	extractor  uint32   ExtractorVersion of the writer
//	unicode    string   UnicodeVersion of the writer, as "15.0.0/15.0.0"
//	features   3 bytes  longest word n-gram, shortest and longest character
//	                    n-gram (0 0 for none)
//	domain     float    share of known words under which a text is out of domain
//	training   32 bytes SHA-256 over the training examples
//	heads      uint32   number of heads; then for each head
//	             string  name
//	             uint32  number of labels; then for each label, ascending
//	               string  label
//	               uint64  training documents
//	               int64   bias, in units of 2^-ScoreBits nats
//	             byte    value function: 0 binary, 1 term frequency
//	             byte    weight bits: weights count in units of 2^-bits nats
//	             float   inverse temperature
//	             float   default threshold on the probability, 0 for none
//	             uint64  evaluation: examples
//	             5 float accuracy, macro-F1, majority accuracy, ECE, NLL
//	rows       uint32   number of features
//	ids        uint64 a feature, strictly ascending, none 0
//	weights    int16 a feature and label: row by row, in a row the labels of the
//	                    first head, then those of the second, ...
//	self-test  for every text of selfTestTexts: uint32 words, uint32 known words,
//	                    then for every head and label an int64 score and a float
//	                    probability
//	check      32 bytes SHA-256 of everything above
//
// Example: after the magic (15 bytes) a file of this program goes on with
// 01 00 00 00, the extractor; 0d 00 00 00 "15.0.0/15.0.0"; 02 00 00 for words
// 1-2 and no characters. TestFormatBytes spells a whole file.
//
// A file is canonical: reading and writing it gives the same bytes, equal
// models have equal files, and the SHA-256 of the whole file is the model's
// identity. Sizes: 8 + 2*labels bytes a feature, with 15 labels 38 bytes, so
// 100,000 features make 3.8 MB.
//
// A reader trusts nothing: sizes are checked against the bytes left before
// memory is taken, text against UTF-8, numbers against their limits, and the
// check sum and the self-test must hold.

// FormatVersion is the version of the model file that this program writes and
// reads.
const FormatVersion = 0

const magic = "parley model 0\n"

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
	Weights       []int16     // len(IDs) rows of a column per label of every head
}

// offsets returns the first column of each head and the length of a row.
func (s *Spec) offsets() []int {
	offsets := make([]int, 1, len(s.Heads)+1)
	for _, h := range s.Heads {
		offsets = append(offsets, offsets[len(offsets)-1]+len(h.Labels))
	}
	return offsets
}

// New builds a model from its parts: it writes the file and reads it back.
func New(s Spec) (*Model, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	body := s.append(nil)
	draft, err := newModel(s)
	if err != nil {
		return nil, err
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
	d := decoder{rest: body}
	d.magic()
	check, file := sums(body)
	if d.err == nil && !bytes.Equal(check[:], data[len(body):]) {
		d.fail(errors.New("the check sum does not match: the file is damaged or incomplete"))
	}
	s := d.spec()
	d.fail(s.check())
	if d.err != nil {
		return nil, d.err
	}
	m, err := newModel(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := m.selfTest(d.rest); err != nil {
		return nil, err
	}
	m.data, m.sum = data, file
	return m, nil
}

// columns returns the length of a row.
func (s *Spec) columns() int { return s.offsets()[len(s.Heads)] }

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
	return s.checkRows()
}

func (s *Spec) checkRows() error {
	columns := s.columns()
	if columns > MaxLabels {
		return fmt.Errorf("%d labels: want at most %d", columns, MaxLabels)
	}
	if len(s.IDs) > maxFeatures {
		return fmt.Errorf("%d features: want at most %d", len(s.IDs), maxFeatures)
	}
	if len(s.Weights) != columns*len(s.IDs) {
		return fmt.Errorf("%d weights: want %d features x %d labels", len(s.Weights), len(s.IDs), columns)
	}
	last := FeatureID(0)
	for i, id := range s.IDs {
		if id <= last {
			return fmt.Errorf("feature %d: ids are not in ascending order", i)
		}
		last = id
	}
	return nil
}

func (h *Head) check() error {
	if err := CheckName(h.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	n := len(h.Labels)
	if n < 1 || len(h.DocCounts) != n || len(h.Bias) != n {
		return fmt.Errorf("%d labels, %d document counts, %d biases: want equal numbers, at least 1", n, len(h.DocCounts), len(h.Bias))
	}
	for i, label := range h.Labels {
		if err := CheckName(label); err != nil {
			return fmt.Errorf("label %d: %w", i, err)
		}
		if i > 0 && label <= h.Labels[i-1] {
			return fmt.Errorf("label %q: labels are not in ascending order", label)
		}
		if h.Bias[i] < -maxBias || h.Bias[i] > maxBias {
			return fmt.Errorf("label %q: bias %d: want at most %d either way", label, h.Bias[i], int64(maxBias))
		}
	}
	switch {
	case h.Value > TF:
		return fmt.Errorf("value function %d: want 0 or 1", h.Value)
	case h.WeightBits > ScoreBits:
		return fmt.Errorf("weight bits %d: want at most %d", h.WeightBits, ScoreBits)
	case !inRange(h.InverseTemperature, 1e-9, 1e9):
		return fmt.Errorf("inverse temperature %v: want 1e-9 to 1e9", h.InverseTemperature)
	case !inRange(h.MinProbability, 0, 1):
		return fmt.Errorf("threshold %v: want 0 to 1", h.MinProbability)
	}
	return h.Evaluation.check()
}

func (e *Evaluation) check() error {
	for _, f := range [...]float64{e.Accuracy, e.MacroF1, e.MajorityAccuracy, e.ECE} {
		if !inRange(f, 0, 1) {
			return fmt.Errorf("evaluation: %v: want 0 to 1", f)
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
	b = le.AppendUint32(b, uint32(len(s.IDs)))
	b = slices.Grow(b, 8*len(s.IDs)+2*len(s.Weights))
	for _, id := range s.IDs {
		b = le.AppendUint64(b, uint64(id))
	}
	for _, w := range s.Weights {
		b = le.AppendUint16(b, uint16(w))
	}
	return b
}

func (h *Head) append(b []byte) []byte {
	b = appendString(b, h.Name)
	b = le.AppendUint32(b, uint32(len(h.Labels)))
	for i, label := range h.Labels {
		b = appendString(b, label)
		b = le.AppendUint64(b, h.DocCounts[i])
		b = le.AppendUint64(b, uint64(h.Bias[i]))
	}
	b = append(b, byte(h.Value), h.WeightBits)
	b = appendFloat(b, h.InverseTemperature)
	b = appendFloat(b, h.MinProbability)
	e := h.Evaluation
	b = le.AppendUint64(b, e.Examples)
	for _, f := range [...]float64{e.Accuracy, e.MacroF1, e.MajorityAccuracy, e.ECE, e.NLL} {
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
	rest []byte
	err  error
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
	case len(line)+1 != len(magic) || string(version) != "0":
		d.err = fmt.Errorf("%w: format %q, this program reads 0", ErrVersion, version)
	}
	d.take(uint64(len(magic)), "the magic")
}

func (d *decoder) spec() (s Spec) {
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
	columns := uint64(0)
	for i := uint32(0); i < heads && d.err == nil; i++ {
		s.Heads = append(s.Heads, d.head())
		columns += uint64(len(s.Heads[i].Labels))
	}
	if columns > MaxLabels {
		d.fail(fmt.Errorf("%d labels: want at most %d", columns, MaxLabels))
	}
	d.rows(&s, columns)
	return s
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
	labels := d.uint32("labels")
	for i := uint32(0); i < labels && d.err == nil; i++ {
		h.Labels = append(h.Labels, d.string("a label"))
		h.DocCounts = append(h.DocCounts, d.uint64("document counts"))
		h.Bias = append(h.Bias, int64(d.uint64("biases")))
	}
	h.Value, h.WeightBits = Value(d.byte("a head's value")), d.byte("weight bits")
	h.InverseTemperature, h.MinProbability = d.float("temperature"), d.float("threshold")
	e := &h.Evaluation
	e.Examples = d.uint64("evaluation")
	for _, f := range [...]*float64{&e.Accuracy, &e.MacroF1, &e.MajorityAccuracy, &e.ECE, &e.NLL} {
		*f = d.float("evaluation")
	}
	return h
}

func (d *decoder) rows(s *Spec, columns uint64) {
	rows := uint64(d.uint32("rows"))
	ids := d.take(8*rows, "ids")
	weights := d.take(2*rows*columns, "weights") // below 2^50: rows < 2^32, columns <= MaxLabels
	selfTest := uint64(len(selfTestTexts)) * (8 + 16*columns)
	if d.err == nil && uint64(len(d.rest)) != selfTest {
		d.fail(fmt.Errorf("the self-test has %d bytes: want %d", len(d.rest), selfTest))
	}
	if d.err != nil {
		return
	}
	s.IDs = make([]FeatureID, rows)
	for i := range s.IDs {
		s.IDs[i] = FeatureID(le.Uint64(ids[8*i:]))
	}
	s.Weights = make([]int16, rows*columns)
	for i := range s.Weights {
		s.Weights[i] = int16(le.Uint16(weights[2*i:]))
	}
}
