package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// Statistics are what naive Bayes needs of labelled rows: integers that add up.
// Rows can be learned one by one, in any order, in parts that are merged, and be
// forgotten: what is left is what counting the rest afresh gives, byte for byte.
// They are kept per fold, and which fold a row is in depends on the row alone, so
// this holds for cross-validation too.
//
// Two values are counted: that a text has a feature, and how often. What depends on
// other texts (IDF, sources) is not, and texts about all targets are counted together.
type Statistics struct {
	features model.Features
	heads    []headTally
	docs     []uint64           // rows per fold
	sum      contentHash        // see TrainingData
	rows     map[rowMark]uint32 // how often each row was learned; nil: not kept
	strings  bool               // features keep what they are called
	words    statisticWords
}

// A rowMark is the beginning of the SHA-256 of what a row says.
type rowMark [16]byte

// A headTally counts the rows of a head's labels. Labels have numbers in the order in
// which they came; those without rows are not there for anybody outside.
type headTally struct {
	name   string
	labels []string
	number map[string]int
	docs   [][]uint64 // by label and fold
}

// Limits of statistics.
const (
	maxTallyHeads  = 64
	maxTallyLabels = 1<<labelBits - 1
	maxTallyRows   = 1<<32 - 1
	maxOccurrences = 1 << 31 // of a feature in a text
	maxTallyFolds  = 100     // less than 1 << foldBits
)

// NewStatistics returns those of no rows.
func NewStatistics(f model.Features, heads []string, folds int) (*Statistics, error) {
	if _, err := newVocabulary(f); err != nil {
		return nil, err
	}
	switch {
	case len(heads) == 0 || len(heads) > maxTallyHeads:
		return nil, fmt.Errorf("statistics of %d heads: want 1 to %d", len(heads), maxTallyHeads)
	case folds < 2 || folds > maxTallyFolds:
		return nil, fmt.Errorf("statistics in %d folds: want 2 to %d", folds, maxTallyFolds)
	}
	s := &Statistics{features: f, docs: make([]uint64, folds), rows: map[rowMark]uint32{}}
	for i, name := range heads {
		if name == "" || slices.Contains(heads[:i], name) {
			return nil, fmt.Errorf("head %q: want different names", name)
		}
		s.heads = append(s.heads, headTally{name: name, number: map[string]int{}})
	}
	return s, nil
}

var errBegun = errors.New("statistics of rows: what is kept must be said before the first one")

// KeepStrings keeps what features are called, for as long as a row has them: a model
// made of the statistics can then name them. It must be called before the first row.
func (s *Statistics) KeepStrings() error {
	if s.Rows() > 0 {
		return errBegun
	}
	s.strings = true
	return nil
}

// DropStrings forgets what features are called.
func (s *Statistics) DropStrings() {
	s.strings = false
	s.words.names = nil
}

// KeepNoMarks saves the 16 bytes a row by which it is told what was learned. Nothing
// can be forgotten then. It must be called before the first row.
func (s *Statistics) KeepNoMarks() error {
	if s.Rows() > 0 {
		return errBegun
	}
	s.rows = nil
	return nil
}

// HasStrings reports whether features keep what they are called.
func (s *Statistics) HasStrings() bool { return s.strings }

// HasMarks reports whether rows can be forgotten.
func (s *Statistics) HasMarks() bool { return s.rows != nil }

// Empty returns statistics of no rows that go together with s.
func (s *Statistics) Empty() *Statistics {
	e, _ := NewStatistics(s.features, s.Heads(), s.Folds()) // as s was made
	e.strings = s.strings
	if s.rows == nil {
		e.rows = nil
	}
	return e
}

// Labels are those of a head, by its number, ascending, and how many rows have each.
func (s *Statistics) Labels(head int) (labels []string, rows []uint64) {
	labels, numbers := s.heads[head].sorted()
	for _, n := range numbers {
		rows = append(rows, total(s.heads[head].docs[n]))
	}
	return labels, rows
}

// Features are those that are counted.
func (s *Statistics) Features() model.Features { return s.features }

// Heads are the names of the heads, in the order of rows' labels.
func (s *Statistics) Heads() []string {
	var names []string
	for _, h := range s.heads {
		names = append(names, h.name)
	}
	return names
}

// Folds is how many folds there are.
func (s *Statistics) Folds() int { return len(s.docs) }

// Rows is how many rows were learned and not forgotten.
func (s *Statistics) Rows() uint64 {
	return total(s.docs)
}

// RowsOfFolds is how many rows each fold has.
func (s *Statistics) RowsOfFolds() []uint64 { return slices.Clone(s.docs) }

// FeatureCount is how many features the rows have.
func (s *Statistics) FeatureCount() int { return s.words.size() }

// TrainingData stands for the rows, in any order: SHA-256 over the heads and the sum,
// modulo 2^256, of the SHA-256 of every row (the additive multiset hash of Clarke et
// al., "Incremental Multiset Hash Functions", 2003, without a key). A sum can be kept up
// while rows come and go. It tells data apart, but somebody who may choose many rows can
// make two sets with one sum (Wagner, "A Generalized Birthday Problem", 2002): what was
// learned is told by the marks of rows, and a file by its Sum. In lower-case hexadecimal.
func (s *Statistics) TrainingData() string {
	sum := s.dataSum()
	return hex.EncodeToString(sum[:])
}

func (s *Statistics) dataSum() contentHash {
	h := sha256.New()
	for _, name := range s.Heads() {
		h.Write(frame(name))
	}
	h.Write(s.sum[:])
	return contentHash(h.Sum(nil))
}

// addSum adds sum to to, modulo 2^256, or takes it away.
func addSum(to *contentHash, sum contentHash, sign int) {
	carry := uint64(0)
	for i := 0; i < len(to); i += 8 {
		a, b := binary.LittleEndian.Uint64(to[i:]), binary.LittleEndian.Uint64(sum[i:])
		if sign > 0 {
			a, carry = bits.Add64(a, b, carry)
		} else {
			a, carry = bits.Sub64(a, b, carry)
		}
		binary.LittleEndian.PutUint64(to[i:], a)
	}
}

// Equal reports whether two statistics are of the same rows.
func (s *Statistics) Equal(other *Statistics) bool { return bytes.Equal(s.Encode(), other.Encode()) }
