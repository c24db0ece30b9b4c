package model

import (
	"fmt"
	"math"

	"github.com/parley-nlp/parley/internal/exact"
)

// A Value says what a feature's occurrences in a text count for.
//
// The normalised values have length 1 within each family of features: single
// words, pairs, triples, characters. A long text thus says no more than a short
// one, and a family with many members does not drown the others.
type Value uint8

// The value functions.
const (
	Binary   Value = 0 // 1, however often the feature occurs
	TF       Value = 1 // its number of occurrences (term frequency)
	BinaryL2 Value = 2 // 1, normalised
	TFIDF    Value = 3 // (1 + ln count) x inverse document frequency, normalised
	values         = 4
)

var valueNames = [values]string{"binary", "tf", "binary-l2", "tfidf"}

// String is the name of v in flags and reports.
func (v Value) String() string {
	if v < values {
		return valueNames[v]
	}
	return fmt.Sprintf("Value(%d)", uint8(v))
}

// ParseValue is the inverse of String.
func ParseValue(s string) (Value, error) {
	for v, name := range valueNames {
		if s == name {
			return Value(v), nil
		}
	}
	return 0, fmt.Errorf("value %q: want one of %v", s, valueNames)
}

// normalisedBits is the scale of normalised values: they are whole numbers of
// 2^-12, so that sums of them are exact in any order.
const normalisedBits = 12

// Bits is the scale of v: a value counts in units of 2^-Bits.
func (v Value) Bits() uint8 {
	if v.normalised() {
		return normalisedBits
	}
	return 0
}

func (v Value) normalised() bool { return v == BinaryL2 || v == TFIDF }

// MaxWeightBits is the finest scale of weights at which value times weight is a
// whole number of score units.
func (v Value) MaxWeightBits() uint8 { return ScoreBits - v.Bits() }

// IDFBits is the scale of an IDF: it counts in units of 2^-11.
const IDFBits = 11

// IDF returns the inverse document frequency of a feature that df of docs
// documents have, 1 + ln((docs + 1) / (df + 1)), in units of 2^-IDFBits. One
// document with every feature is added, so that no feature of a text to be
// judged is worth nothing. Spärck Jones, "A statistical interpretation of term
// specificity" (1972).
func IDF(docs, df int) uint16 {
	idf := 1 + exact.Log(float64(docs+1)) - exact.Log(float64(df+1))
	return uint16(min(math.Floor(math.Ldexp(idf, IDFBits)+0.5), math.MaxUint16))
}

const (
	logBits  = 8
	families = MaxWords + 1 // of word n-grams by length, and characters
)

// logCounts holds 1 + ln(count) for small counts.
var logCounts = func() (table [256]uint64) {
	for n := range table {
		table[n] = logCount(uint32(max(n, 1)))
	}
	return table
}()

// logCount returns 1 + ln(count) in units of 2^-logBits.
func logCount(count uint32) uint64 {
	return uint64(math.Floor(math.Ldexp(1+exact.Log(float64(count)), logBits) + 0.5))
}

// weight is a value before it is normalised: a whole number below 2^31, of
// TFIDF below 2^21. idf is that of the feature.
func (v Value) weight(count uint32, idf uint16) uint64 {
	switch v {
	case TF:
		return min(uint64(count), math.MaxInt32)
	case TFIDF:
		if count < uint32(len(logCounts)) {
			return logCounts[count] * uint64(idf) >> logBits
		}
		return logCount(count) * uint64(idf) >> logBits
	}
	return 1
}

// A Norm sums the squares of a text's weights, per family.
type Norm [families]uint64

// add takes in a feature. Of normalised values the sum stays below 2^63: a text
// of MaxTextBytes has less than 2^27 features, repeats included, and none has a
// square above 2^33 for each of its occurrences.
func (n *Norm) add(words uint8, weight uint64) { n[words] += weight * weight }

// of returns the normalised value of a feature with that weight.
func (n *Norm) of(words uint8, weight uint64) int32 {
	return int32(math.Floor(float64(weight<<normalisedBits)/math.Sqrt(float64(n[words])) + 0.5))
}

// Values writes the value of every feature of a text to dst and returns it.
// feature returns the i-th of n: its family (Feature.Words), how often it
// occurs, and its IDF, which only TFIDF asks for.
func (v Value) Values(dst []int32, n int, feature func(i int) (words uint8, count uint32, idf uint16)) []int32 {
	dst = dst[:0]
	var norm Norm
	for i := range n {
		words, count, idf := feature(i)
		w := v.weight(count, idf)
		norm.add(words, w)
		dst = append(dst, int32(w))
	}
	if v.normalised() {
		for i := range dst {
			words, _, _ := feature(i)
			dst[i] = norm.of(words, uint64(dst[i]))
		}
	}
	return dst
}
