package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the model and the scores of this version in testdata")

// The pieces of a file, written without the code under test.

func u32(n uint32) string {
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
}
func u64(n uint64) string     { return u32(uint32(n)) + u32(uint32(n>>32)) }
func i64(n int64) string      { return u64(uint64(n)) }
func f64(f float64) string    { return u64(math.Float64bits(f)) }
func str(s string) string     { return u32(uint32(len(s))) + s }
func join(s ...string) []byte { return []byte(strings.Join(s, "")) }

// seal appends the check sum to what comes before it.
func seal(body []byte) []byte {
	check := sha256.Sum256(body)
	return append(slices.Clone(body), check[:]...)
}

// The ids of smallSpec: the word "peace", and the same in texts about NATO.
const (
	peaceID     = 0xea92cb902b00b6b1
	peaceNATOID = 0xab82e80bf0cee75a
)

// smallSpec describes a model that knows the word "peace": a head with two
// labels, two blocks and a target, another as plain as can be.
func smallSpec() Spec {
	return Spec{
		Features:      Features{Words: 2, CharMin: 3, CharMax: 4},
		MinKnownShare: 0.0625,
		TrainingData:  sha256.Sum256([]byte("examples")),
		Heads: []Head{
			{
				Name: "stance", Labels: []string{"con", "pro"}, DocCounts: []uint64{2, 0}, Prior: []float64{0.75, 0.25}, Bias: []int64{1 << 20, 0},
				Blocks: []Block{{TF, 11, true}, {TFIDF, 8, true}}, InverseTemperature: 0.5,
				TargetIDs: []FeatureID{peaceNATOID}, TargetWeights: []int16{512, -512, 1, 1},
				Targets:                  []Target{{Name: "nato", DocCounts: []uint64{1, 0}, Prior: []float64{0.875, 0.125}, Bias: []int64{-1 << 18, 1 << 18}}},
				TargetInverseTemperature: 2, Curve: Curve{{0.5, 0.75}, {1, 0.875}}, DecisionWeights: []float64{1, 4}, MinProbability: 0.25, LabelThresholds: []float64{0.5, 2},
				Sets: LabelSets{Coverage: 0.9375, Thresholds: []float64{0.0625, 0.125}},
				Evaluation: Evaluation{
					Examples: 2, Accuracy: 0.5, MacroF1: 0.25, MajorityAccuracy: 1, ECE: 0.125, PerfectECE: 0.0625, NLL: 3, Brier: 2,
					Learning: []LearningPoint{{1, 0.375, 0.1875}, {2, 0.5, 0.25}},
					Outcomes: Outcomes{Levels: []float64{0.75}, Counts: []Outcome{{0, 0, 1, 1}, {1, 0, 0, 3}}, Stated: []float64{1, 0.75, 0, 0, 2, 0.25, 0, 0}, Dispersion: 1.5},
				},
			},
			{
				Name: "topic", Labels: []string{"été"}, Names: []string{"summer"}, DocCounts: []uint64{2}, Prior: []float64{1}, Bias: []int64{-1},
				Blocks: []Block{{Binary, 20, false}}, InverseTemperature: 1, TargetInverseTemperature: 1,
			},
		},
		IDs:     []FeatureID{peaceID},
		IDF:     []uint16{3 << IDFBits},
		Weights: []int16{-1024, 1024, 64, 64, 3},
		Strings: []string{"peace"},
	}
}

// smallBody is the file of smallSpec up to the self-test.
var smallBody = join(
	"parley model 1\n",
	"\x02\x00\x00\x00",                 // extractor
	str(UnicodeVersion),                // Unicode tables
	"\x02\x03\x04",                     // words 1-2, characters 3-4
	"\x00\x00\x00\x00\x00\x00\xb0\x3f", // 0.0625, least share of known words
	"\xc5\x90\xb3\xc9\x24\xc3\x5c\x2f\x24\x17\x46\x52\x22\x84\xe4\x70"+ // training data: SHA-256 of "examples"
		"\x9d\xf4\x90\xd7\x3a\x38\xaa\xa7\xd6\xde\x4e\xd1\xea\xc2\xf5\x46",
	"\x02\x00\x00\x00", // heads

	"\x06\x00\x00\x00stance",
	"\x00",             // exactly one label
	"\x02\x00\x00\x00", // labels
	"\x03\x00\x00\x00con",
	"\x00\x00\x00\x00",                 // called so
	"\x02\x00\x00\x00\x00\x00\x00\x00", // 2 documents
	"\x00\x00\x00\x00\x00\x00\xe8\x3f", // prior 0.75
	"\x00\x00\x10\x00\x00\x00\x00\x00", // bias 1<<20: 1 nat
	"\x03\x00\x00\x00pro",
	"\x00\x00\x00\x00",                 // called so
	"\x00\x00\x00\x00\x00\x00\x00\x00", // no document
	f64(0.25),                          // prior
	"\x00\x00\x00\x00\x00\x00\x00\x00", // bias 0
	"\x02\x00\x00\x00",                 // blocks
	"\x01\x0b\x01",                     // term frequency, weight bits 11, targets
	"\x03\x08\x01",                     // tf-idf, weight bits 8, targets
	f64(0.5),                           // inverse temperature
	"\x01\x00\x00\x00",                 // targets
	"\x04\x00\x00\x00nato",
	"\x01\x00\x00\x00\x00\x00\x00\x00",      // con: 1 document
	f64(0.875),                              // prior
	"\x00\x00\xfc\xff\xff\xff\xff\xff",      // bias -1<<18
	"\x00\x00\x00\x00\x00\x00\x00\x00",      // pro: no document
	f64(0.125),                              // prior
	"\x00\x00\x04\x00\x00\x00\x00\x00",      // bias 1<<18
	f64(2),                                  // inverse temperature with a target
	"\x02\x00\x00\x00",                      // calibration curve
	f64(0.5), f64(0.75), f64(1), f64(0.875), // 0.5 becomes 0.75, 1 becomes 0.875
	"\x02\x00\x00\x00", f64(1), f64(4), // decision weights
	f64(0.25),                            // threshold
	"\x02\x00\x00\x00", f64(0.5), f64(2), // label thresholds
	f64(0.9375),                                 // coverage
	"\x02\x00\x00\x00", f64(0.0625), f64(0.125), // set thresholds
	"\x02\x00\x00\x00\x00\x00\x00\x00", // evaluation: 2 examples,
	f64(0.5), f64(0.25), f64(1),        // accuracy, macro-F1, majority accuracy,
	f64(0.125), f64(0.0625), f64(3), f64(2), // ECE, perfect ECE, NLL, Brier score
	"\x02\x00\x00\x00",                                          // learning curve
	"\x01\x00\x00\x00\x00\x00\x00\x00", f64(0.375), f64(0.1875), // 1 example: accuracy, macro-F1
	"\x02\x00\x00\x00\x00\x00\x00\x00", f64(0.5), f64(0.25), // 2 examples
	"\x01\x00\x00\x00", f64(0.75), // two levels of confidence, parted at 0.75
	"\x02\x00\x00\x00", // outcomes
	"\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", // con, con, the upper level: 1 text
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00", // pro, con, the lower level: 3 texts
	"\x08\x00\x00\x00",                // stated:
	f64(1), f64(0.75), f64(0), f64(0), // con, of the answers con, con, pro, pro
	f64(2), f64(0.25), f64(0), f64(0), // pro
	f64(1.5), // dispersion

	"\x05\x00\x00\x00topic",
	"\x00",                              // exactly one label
	"\x01\x00\x00\x00",                  // labels
	"\x05\x00\x00\x00\xc3\xa9t\xc3\xa9", // été
	"\x06\x00\x00\x00summer",            // its name
	"\x02\x00\x00\x00\x00\x00\x00\x00",  // 2 documents
	f64(1),                              // prior
	"\xff\xff\xff\xff\xff\xff\xff\xff",  // bias -1
	"\x01\x00\x00\x00",                  // blocks
	"\x00\x14\x00",                      // binary, weight bits 20, no targets
	f64(1),                              // inverse temperature
	"\x00\x00\x00\x00",                  // no targets
	f64(1),                              // inverse temperature with a target
	"\x00\x00\x00\x00",                  // no calibration curve
	"\x00\x00\x00\x00",                  // no decision weights
	f64(0),                              // no threshold
	"\x00\x00\x00\x00",                  // no label thresholds
	f64(0),                              // no sets
	"\x00\x00\x00\x00",                  // no set thresholds
	"\x00\x00\x00\x00\x00\x00\x00\x00",  // not evaluated
	f64(0), f64(0), f64(0), f64(0), f64(0), f64(0), f64(0),
	"\x00\x00\x00\x00", // no learning curve
	"\x00\x00\x00\x00", // one level of confidence
	"\x00\x00\x00\x00", // no outcomes
	"\x00\x00\x00\x00", // nothing stated
	f64(0),             // no dispersion

	"\x00\x00\x00\x00\x00\x00",         // up to byte 824, a multiple of 8
	"\x01\x00\x00\x00\x00\x00\x00\x00", // one row
	"\xb1\xb6\x00\x2b\x90\xcb\x92\xea", // id of "peace"
	"\x03\x00\x00\x00\x00\x00\x00\x00", // binary: été 3
	"\x00\xfc\x00\x04\x00\x00\x00\x00", // term frequency: con -1024, pro 1024
	"\x40\x00\x40\x00\x00\x18\x00\x00", // tf-idf: con 64, pro 64, and the IDF, 3
	"\x01\x00\x00\x00\x00\x00\x00\x00", // targets of stance: one row
	"\x5a\xe7\xce\xf0\x0b\xe8\x82\xab", // id of "peace" about "nato"
	"\x00\x02\x00\xfe\x00\x00\x00\x00", // term frequency: con 512, pro -512
	"\x01\x00\x01\x00\x00\x00\x00\x00", // tf-idf: con 1, pro 1
	"\x05\x00\x00\x00\x00\x00\x00\x00", // strings: 5 bytes
	"\x05\x00\x00\x00",                 // the first ends at 5
	"peace",
)

// smallSelfTest is its self-test: all texts alone, then all about "nato".
// "peace" occurs in the text 2 only, where both scores of stance come to the
// same; the other texts give biases and priors.
func smallSelfTest() []byte {
	const (
		// 1<<20 - 1024<<9 + 64*4096 for con, 0 + 1024<<9 + 64*4096 for pro: the
		// only feature has the whole length, 4096.
		alone = 1<<19 + 1<<18
		// con -1<<18 + 512<<9 + 1*4096 more, pro 1<<18 - 512<<9 + 1*4096.
		about = alone + 4096
	)
	var b []byte
	for _, target := range []struct{ con, pro, prior, peace string }{
		{i64(1 << 20), i64(0), f64(0.75), i64(alone)},
		{i64(1<<20 - 1<<18), i64(1 << 18), f64(0.875), i64(about)},
	} {
		rest := map[string]string{f64(0.75): f64(0.25), f64(0.875): f64(0.125)}[target.prior]
		for text, words := range []uint32{0, 16, 16, 15, 5, 6, 15, 3, 7} {
			if text == 2 {
				b = append(b, join(u32(words), u32(1),
					target.peace, f64(0.75), target.peace, f64(0.25), // both 0.5 by the scores
					i64(2), f64(1), // topic été: -1 + 3
				)...)
				continue
			}
			b = append(b, join(u32(words), u32(0),
				target.con, target.prior, target.pro, rest,
				i64(-1), f64(1))...)
		}
	}
	return b
}

// smallFile is the whole file.
func smallFile() []byte { return seal(append(slices.Clone(smallBody), smallSelfTest()...)) }

func TestFormatBytes(t *testing.T) {
	m := build(t, smallSpec())
	want := smallFile()
	if got := m.Bytes(); !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("%d bytes, want %d; at byte %d\n%swant\n%s", len(got), len(want), at, hex.Dump(got[at:]), hex.Dump(want[at:]))
	}
	if sum := sha256.Sum256(want); m.Revision() != hex.EncodeToString(sum[:]) {
		t.Errorf("revision %s, want %x", m.Revision(), sum)
	}
}

func TestModelTellsWhatItIsMadeOf(t *testing.T) {
	m, err := Parse(smallFile())
	if err != nil {
		t.Fatal(err)
	}
	s := smallSpec()
	if got, want := fmt.Sprintf("%+v", *specOf(m)), fmt.Sprintf("%+v", s); got != want {
		t.Errorf("spec\n%s, want\n%s", got, want)
	}
	s.Heads[0].TargetIDs, s.Heads[0].TargetWeights = nil, nil // in its table
	if got, want := fmt.Sprintf("%+v", m.Heads()), fmt.Sprintf("%+v", s.Heads); got != want {
		t.Errorf("heads %s, want %s", got, want)
	}
	if m.Features() != s.Features || m.FeatureCount() != 1 || m.MinKnownShare() != 0.0625 {
		t.Errorf("features %v, %d of them, share %v", m.Features(), m.FeatureCount(), m.MinKnownShare())
	}
	if got, want := m.TrainingData(), hex.EncodeToString(s.TrainingData[:]); got != want {
		t.Errorf("training data %s, want %s", got, want)
	}
	if m.Head("stance") != 0 || m.Head("topic") != 1 || m.Head("Topic") != -1 {
		t.Errorf("stance is head %d, topic %d, Topic %d", m.Head("stance"), m.Head("topic"), m.Head("Topic"))
	}
}

// A rule that a Spec breaks is told by New, and by Parse of a file that breaks
// it.
func TestBrokenRules(t *testing.T) {
	long := strings.Repeat("x", MaxNameBytes+1)
	labels := func(n int) Head {
		h := smallSpec().Heads[1]
		h.Labels, h.Names, h.DocCounts, h.Prior, h.Bias = nil, nil, make([]uint64, n), make([]float64, n), make([]int64, n)
		for i := range n {
			h.Labels = append(h.Labels, fmt.Sprintf("%06d", i))
			h.Prior[i] = 1 / float64(n)
		}
		return h
	}
	target := func(name string) Target {
		return Target{Name: name, DocCounts: []uint64{0, 0}, Prior: []float64{0.5, 0.5}, Bias: []int64{0, 0}}
	}
	nan, inf, negativeZero := math.NaN(), math.Inf(1), math.Copysign(0, -1)
	for _, c := range []struct {
		breakIt func(s *Spec)
		want    string
		onlyNew bool // a file cannot say it, or says it in another way
	}{
		{func(s *Spec) { s.Features.Words = 0 }, "word n-grams up to 0: want 1 to 3", false},
		{func(s *Spec) { s.Features.CharMax = 6 }, "character n-grams from 3 to 6: want 2 to 5, or 0 for none", false},
		{func(s *Spec) { s.MinKnownShare = 1.5 }, "share of known words 1.5: want 0 to 1", false},
		{func(s *Spec) { s.MinKnownShare = nan }, "share of known words NaN: want 0 to 1", false},
		{func(s *Spec) { s.MinKnownShare = negativeZero }, "share of known words -0: want 0 to 1", false},

		{func(s *Spec) { s.Heads, s.Weights, s.IDF = nil, nil, nil }, "0 heads: want 1 to 64", false},
		{func(s *Spec) { s.Heads = make([]Head, 65) }, "65 heads: want 1 to 64", true},
		{func(s *Spec) { s.Heads[1].Name = "stance" }, `two heads are called "stance"`, false},
		{func(s *Spec) { s.Heads[0].Name = "" }, `head "": name: empty`, false},
		{func(s *Spec) { s.Heads[0].Name = long }, `head "` + long + `": name: 257 bytes: want at most 256`, false},
		{func(s *Spec) { s.Heads[0].Name = "a\xff" }, `head "a\xff": name: "a\xff" is not UTF-8`, false},
		{func(s *Spec) { s.Heads[0].Name = "a\tb" }, `head "a\tb": name: "a\tb" has a control character`, false},

		{func(s *Spec) { s.Heads[1] = labels(0); s.Weights = s.Weights[:4] }, `head "topic": no labels`, false},
		{func(s *Spec) { s.Heads[0].DocCounts = []uint64{1} }, `head "stance": 2 labels, 1 document counts, 2 priors, 2 biases: want equal numbers`, true},
		{func(s *Spec) { s.Heads[0].Prior = nil }, `head "stance": 2 labels, 2 document counts, 0 priors, 2 biases: want equal numbers`, true},
		{func(s *Spec) { s.Heads[0].Bias = []int64{1, 2, 3} }, `head "stance": 2 labels, 2 document counts, 2 priors, 3 biases: want equal numbers`, true},
		{func(s *Spec) { s.Heads[0].Labels[1] = "" }, `head "stance": label 1: empty`, false},
		{func(s *Spec) { s.Heads[0].Labels[0] = long }, `head "stance": label 0: 257 bytes: want at most 256`, false},
		{func(s *Spec) { s.Heads[0].Labels[1] = "a\u0085" }, `head "stance": label 1: "a\u0085" has a control character`, false},
		{func(s *Spec) { s.Heads[0].Labels[1] = "con" }, `head "stance": label "con": labels are not in ascending order`, false},
		{func(s *Spec) { s.Heads[0].Labels[1] = "abc" }, `head "stance": label "abc": labels are not in ascending order`, false},
		{func(s *Spec) { s.Heads[0].Prior[0] = 1.25 }, `head "stance": prior 1.25: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Prior = []float64{1, negativeZero} }, `head "stance": prior -0: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Prior[1] = nan }, `head "stance": prior NaN: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Prior[1] = 0.375 }, `head "stance": priors add up to 1.125: want 1`, false},
		{func(s *Spec) { s.Heads[1].Prior[0] = 1 - 1.0/(1<<29) }, `head "topic": priors add up to 0.9999999981373549: want 1`, false},
		{func(s *Spec) { s.Heads[0].Bias[0] = maxBias + 1 }, `head "stance": bias 1099511627777: want at most 1099511627776 either way`, false},
		{func(s *Spec) { s.Heads[0].Bias[1] = math.MinInt64 }, `head "stance": bias -9223372036854775808: want at most 1099511627776 either way`, false},
		{func(s *Spec) {
			s.Heads, s.IDs, s.IDF, s.Weights, s.Strings = []Head{labels(MaxLabels + 1)}, nil, nil, nil, nil
		}, "65537 labels: want at most 65536", false},
		{func(s *Spec) { // a label is a column in every block
			s.Heads, s.IDs, s.IDF, s.Weights, s.Strings = []Head{labels(MaxLabels/2 + 1)}, nil, nil, nil, nil
			s.Heads[0].Blocks = []Block{{Binary, 0, false}, {TF, 0, false}}
		}, "65538 labels: want at most 65536", false},

		{func(s *Spec) { s.Heads[0].Blocks = nil; s.Weights = s.Weights[:1]; s.IDF = nil }, `head "stance": 0 blocks: want 1 to 4`, false},
		{func(s *Spec) { s.Heads[0].Blocks, s.IDF, s.Weights = make([]Block, 5), nil, make([]int16, 11) }, `head "stance": 5 blocks: want 1 to 4`, false},
		{func(s *Spec) { s.Heads[0].Blocks[1].Value = 4; s.IDF = nil }, `head "stance": value function 4: want 0 to 3`, false},
		{func(s *Spec) { s.Heads[0].Blocks[0].WeightBits = 21 }, `head "stance": weight bits 21: want at most 20`, false},
		{func(s *Spec) { s.Heads[0].Blocks[1].WeightBits = 9 }, `head "stance": weight bits 9: want at most 8`, false},
		{func(s *Spec) { s.Heads[0].Blocks = []Block{{TFIDF, 8, false}, {TF, 11, false}} }, `head "stance": blocks are not in ascending order of their values`, false},
		{func(s *Spec) { s.Heads[0].Blocks = []Block{{TFIDF, 8, false}, {TFIDF, 8, false}} }, `head "stance": blocks are not in ascending order of their values`, false},

		{func(s *Spec) { s.Heads[0].InverseTemperature = 0 }, `head "stance": inverse temperature 0: want 1e-9 to 1e9`, false},
		{func(s *Spec) { s.Heads[0].InverseTemperature = inf }, `head "stance": inverse temperature +Inf: want 1e-9 to 1e9`, false},
		{func(s *Spec) { s.Heads[0].TargetInverseTemperature = 2e9 }, `head "stance": inverse temperature with a target 2e+09: want 1e-9 to 1e9`, false},
		{func(s *Spec) { s.Heads[1].TargetInverseTemperature = 0 }, `head "topic": inverse temperature with a target 0: want 1e-9 to 1e9`, false},
		{func(s *Spec) { s.Heads[0].Curve[1].Probability = 0.75 }, `head "stance": the calibration curve does not end at probability 1`, false},
		{func(s *Spec) { s.Heads[0].Curve[0].Share = 0.9 }, `head "stance": point 1 of the calibration curve: probability 1, share 0.875: want both to ascend from 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Curve[0].Probability = 0 }, `head "stance": point 0 of the calibration curve: probability 0, share 0.75: want both to ascend from 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Curve[0].Share = nan }, `head "stance": point 0 of the calibration curve: probability 0.5, share NaN: want both to ascend from 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Curve = make(Curve, maxCurve+1) }, `head "stance": 1025 points of a calibration curve: want at most 1024`, false},
		{func(s *Spec) { s.Heads[0].DecisionWeights = []float64{1} }, `head "stance": 1 decision weights: want one for each of 2 labels, or none`, false},
		{func(s *Spec) { s.Heads[0].DecisionWeights[1] = 0 }, `head "stance": decision weight 0: want 0.001 to 1000`, false},
		{func(s *Spec) { s.Heads[0].DecisionWeights[0] = nan }, `head "stance": decision weight NaN: want 0.001 to 1000`, false},
		{func(s *Spec) { s.Heads[0].DecisionWeights[0] = inf }, `head "stance": decision weight +Inf: want 0.001 to 1000`, false},
		{func(s *Spec) { s.Heads[0].MinProbability = -0.5 }, `head "stance": threshold -0.5: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].LabelThresholds = []float64{0} }, `head "stance": 1 label thresholds: want one for each of 2 labels, or none`, false},
		{func(s *Spec) { s.Heads[0].LabelThresholds[1] = 2.5 }, `head "stance": label threshold 2.5: want 0 to 2`, false},
		{func(s *Spec) { s.Heads[0].LabelThresholds[0] = nan }, `head "stance": label threshold NaN: want 0 to 2`, false},
		{func(s *Spec) { s.Heads[0].Sets.Coverage = 1.5 }, `head "stance": coverage 1.5: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Sets.Coverage = 0 }, `head "stance": coverage 0 with 2 set thresholds`, false},
		{func(s *Spec) { s.Heads[0].Sets.Thresholds = nil }, `head "stance": coverage 0.9375 with 0 set thresholds`, false},
		{func(s *Spec) { s.Heads[0].Sets.Thresholds = make([]float64, 3) }, `head "stance": 3 set thresholds: want one for each of 2 labels, or none`, false},
		{func(s *Spec) { s.Heads[0].Sets.Thresholds[1] = negativeZero }, `head "stance": set threshold -0: want 0 to 2`, false},

		{func(s *Spec) { s.Heads[0].Targets = slices.Repeat([]Target{target("eu")}, MaxTargets+1) }, `head "stance": 4097 targets: want at most 4096`, false},
		{func(s *Spec) { s.Heads[0].Targets[0].Name = "" }, `head "stance": target 0: empty`, false},
		{func(s *Spec) { s.Heads[0].Targets[0].Name = long }, `head "stance": target 0: 257 bytes: want at most 256`, false},
		{func(s *Spec) { s.Heads[0].Targets[0].Name = "NATO" }, `head "stance": target "NATO": not in canonical form`, false},
		{func(s *Spec) { s.Heads[0].Targets[0].Name = "na  to" }, `head "stance": target "na  to": not in canonical form`, false},
		{func(s *Spec) { s.Heads[0].Targets = []Target{target("nato"), target("eu")} }, `head "stance": target "eu": targets are not in ascending order`, false},
		{func(s *Spec) { s.Heads[0].Targets = []Target{target("eu"), target("eu")} }, `head "stance": target "eu": targets are not in ascending order`, false},
		{func(s *Spec) { s.Heads[0].Targets[0].DocCounts = nil }, `head "stance": target "nato": 2 labels, 0 document counts, 2 priors, 2 biases: want equal numbers`, true},
		{func(s *Spec) { s.Heads[0].Targets[0].Prior[0] = -1 }, `head "stance": target "nato": prior -1: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Targets[0].Prior[0] = 0.5 }, `head "stance": target "nato": priors add up to 0.625: want 1`, false},
		{func(s *Spec) { s.Heads[0].Targets[0].Bias[1] = -maxBias - 1 }, `head "stance": target "nato": bias -1099511627777: want at most 1099511627776 either way`, false},

		{func(s *Spec) { s.Heads[0].Evaluation.Accuracy = 2 }, `head "stance": evaluation: accuracy 2: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.MacroF1 = 3 }, `head "stance": evaluation: macro-F1 3: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.MajorityAccuracy = 4 }, `head "stance": evaluation: majority accuracy 4: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.ECE = nan }, `head "stance": evaluation: ECE NaN: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.PerfectECE = -1 }, `head "stance": evaluation: perfect ECE -1: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.NLL = inf }, `head "stance": evaluation: negative log-likelihood +Inf: want a number from 0`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Brier = 2.5 }, `head "stance": evaluation: Brier score 2.5: want 0 to 2`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Learning[1].Accuracy = 2 }, `head "stance": evaluation: point 1 of the learning curve: accuracy 2, macro-F1 0.25: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Learning[0].MacroF1 = -1 }, `head "stance": evaluation: point 0 of the learning curve: accuracy 0.375, macro-F1 -1: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Levels[0] = 0 }, `head "stance": evaluation: level of confidence 0: want them to ascend from 0 to 1 in whole millionths`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Levels[0] = nan }, `head "stance": evaluation: level of confidence NaN: want them to ascend from 0 to 1 in whole millionths`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Levels[0] = 0.1234567 }, `head "stance": evaluation: level of confidence 0.1234567: want them to ascend from 0 to 1 in whole millionths`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Levels = make([]float64, 16) }, `head "stance": evaluation: 17 levels of confidence: want at most 16`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Counts = nil }, `head "stance": evaluation: levels of confidence, stated probabilities or a dispersion without outcomes`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Dispersion = 0.5 }, `head "stance": evaluation: dispersion 0.5: want 1 to 1e6`, false},
		{func(s *Spec) { s.Heads[1].Evaluation.Outcomes.Dispersion = negativeZero }, `head "topic": evaluation: dispersion below 0`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Stated = []float64{1} }, `head "stance": evaluation: 1 sums of stated probabilities: want 2 labels x 2 answers x 2 levels, at most 65536, or none`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Stated[3] = nan }, `head "stance": evaluation: sum of stated probabilities NaN: want 0 to 2^53`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Counts[0].Truth = 2 }, `head "stance": evaluation: outcome 0: label 2, answer 0, level 1: there are 2 labels and 2 levels`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Counts[1].Level = 2 }, `head "stance": evaluation: outcome 1: label 1, answer 0, level 2: there are 2 labels and 2 levels`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Counts[0].Count = 0 }, `head "stance": evaluation: outcome 0: 0 texts: want 1 to 2^53`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Outcomes.Counts[1] = Outcome{0, 0, 1, 1} }, `head "stance": evaluation: outcome 1: outcomes are not in ascending order`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Learning = make([]LearningPoint, maxLearning+1) }, `head "stance": 1025 points of a learning curve: want at most 1024`, false},

		{func(s *Spec) { s.Heads[0].Blocks[0].Targets, s.Heads[1].Blocks[0].Targets = false, true }, `head "topic": a block for targets, of which there are none`, false},
		{func(s *Spec) { s.Heads[0].Names = []string{"x"} }, `head "stance": 1 names: want one for each of 2 labels, or none`, true},
		{func(s *Spec) { s.Heads[0].Names = []string{"x", ""} }, `head "stance": label "pro": name: empty`, true},
		{func(s *Spec) { s.Heads[0].Names = []string{"x", "x"} }, `head "stance": labels "con" and "pro" are both called "x"`, false},
		{func(s *Spec) { s.Heads[0].Names = []string{"con", "a\n"} }, `head "stance": label "pro": name: "a\n" has a control character`, false},
		{func(s *Spec) { s.Heads[0].Names = []string{"con", "pro"} }, `head "stance": names that are those of the labels`, true},

		{func(s *Spec) { s.Weights = s.Weights[:2] }, "2 weights: want 1 features x 5 labels", true},
		{func(s *Spec) { s.Heads[0].TargetWeights = make([]int16, 3) }, `head "stance": targets: 3 weights: want 1 features x 4 labels`, true},
		{func(s *Spec) { s.IDs[0] = 0 }, "feature 0: ids are not in ascending order", false},
		{func(s *Spec) { s.Heads[0].TargetIDs[0] = 0 }, "feature 0: ids are not in ascending order", false},
		{func(s *Spec) {
			s.IDs, s.IDF, s.Weights, s.Strings = []FeatureID{peaceID, peaceID}, []uint16{1, 1}, make([]int16, 10), nil
		}, "feature 1: ids are not in ascending order", false},
		{func(s *Spec) { s.IDF = nil }, "0 inverse document frequencies: want one for each of 1 features", true},
		{func(s *Spec) { s.IDF[0] = 0 }, "feature 0: inverse document frequency 0", false},
		{func(s *Spec) { s.Heads[0].Blocks[1].Value = BinaryL2 }, "inverse document frequencies that no block uses", true},
		{func(s *Spec) {
			s.IDs, s.IDF, s.Weights, s.Strings = nil, slices.Repeat([]uint16{1}, 600), make([]int16, 5*600), nil
			for i := range 600 {
				s.IDs = append(s.IDs, FeatureID(i+1)<<32)
			}
		}, "feature ids are not hashes: more than 512 share a place", false},
		{func(s *Spec) { s.Strings = []string{"peace", "war"} }, "2 strings: want one for each of 1 features, or none", true},
		{func(s *Spec) { s.Strings[0] = "\xff" }, `the string of feature 0 is "\xff": want UTF-8`, true},
		{func(s *Spec) { s.Strings[0] = "" }, `the string of feature 0 is "": want UTF-8`, true},
	} {
		s := smallSpec()
		c.breakIt(&s)
		if _, err := New(s); err == nil || strings.TrimPrefix(err.Error(), "not a model file: ") != c.want {
			t.Errorf("New: error %v, want %s", err, c.want)
		}
		if c.onlyNew {
			continue
		}
		file := seal(append(s.append(nil), make([]byte, (&Model{spec: s}).selfTestBytes())...))
		if _, err := Parse(file); !errors.Is(err, ErrFormat) || err.Error() != "not a model file: "+c.want {
			t.Errorf("Parse: error %v, want not a model file: %s", err, c.want)
		}
	}
}

// replace returns the small file with the first old replaced by new, sealed
// again.
func replace(t *testing.T, old, new string) []byte {
	t.Helper()
	body := append(slices.Clone(smallBody), smallSelfTest()...)
	if !bytes.Contains(body, []byte(old)) {
		t.Fatalf("the small file has no %q", old)
	}
	return seal(bytes.Replace(body, []byte(old), []byte(new), 1))
}

func TestDamagedFiles(t *testing.T) {
	whole := smallFile()
	const (
		again  = "train it again"
		blocks = "\x02\x00\x00\x00\x01\x0b\x01"
		sets   = "\x02\x00\x00\x00"
	)
	huge := u32(math.MaxUint32)
	for _, c := range []struct {
		file []byte
		kind error
		want string
	}{
		{nil, ErrFormat, `not a model file: it does not begin with "parley model"`},
		{[]byte("PK\x03\x04 something else altogether\n, long enough for a check sum"), ErrFormat, `not a model file: it does not begin with "parley model"`},
		{whole[:40], ErrFormat, `not a model file: it does not begin with "parley model"`},
		{whole[:len(whole)-1], ErrFormat, "not a model file: the check sum does not match: the file is damaged or incomplete"},
		{append(slices.Clone(whole), 0), ErrFormat, "not a model file: the check sum does not match: the file is damaged or incomplete"},
		{replace(t, "model 1\n", "model 0\n"), ErrVersion, `model file of another version: format "0", this program reads 1`},
		{replace(t, "model 1\n", "model 2\n"), ErrVersion, `model file of another version: format "2", this program reads 1`},
		{replace(t, "model 1\n", "model 10\n"), ErrVersion, `model file of another version: format "10", this program reads 1`},
		{replace(t, "model 1\n", "model 1 \n"), ErrVersion, `model file of another version: format "1 ", this program reads 1`},
		{replace(t, "\n"+u32(2), "\n"+u32(3)), ErrVersion, fmt.Sprintf(
			"model file of another version: it reads texts with extractor 3 and Unicode %q, this program with 2 and %q: %s", UnicodeVersion, UnicodeVersion, again)},
		{replace(t, str(UnicodeVersion), str("9.0.0")), ErrVersion, fmt.Sprintf(
			"model file of another version: it reads texts with extractor 2 and Unicode %q, this program with 2 and %q: %s", "9.0.0", UnicodeVersion, again)},
		{replace(t, str(UnicodeVersion), u32(1<<31)), ErrFormat, "not a model file: the file ends within unicode"},
		{replace(t, u32(2)+str("stance"), u32(65)+str("stance")), ErrFormat, "not a model file: 65 heads: want at most 64"},
		{replace(t, str("stance"), u32(1<<20)+"stance"), ErrFormat, "not a model file: the file ends within a head's name"},
		{replace(t, u32(2)+str("con"), huge+str("con")), ErrFormat, "not a model file: the file ends within labels"},
		{replace(t, str("con"), huge+"con"), ErrFormat, "not a model file: the file ends within a label"},
		{replace(t, blocks, huge+"\x01\x0b\x01"), ErrFormat, "not a model file: the file ends within blocks"},
		{replace(t, u32(1)+str("nato"), huge+str("nato")), ErrFormat, "not a model file: the file ends within targets"},
		{replace(t, u32(1)+str("nato"), u32(100)+str("nato")), ErrFormat, "not a model file: the file ends within a target"},
		{replace(t, u32(2)+f64(0.5)+f64(0.75), huge+f64(0.5)+f64(0.75)), ErrFormat, "not a model file: the file ends within calibration curve"},
		{replace(t, sets+f64(1), huge+f64(1)), ErrFormat, "not a model file: the file ends within decision weights"},
		{replace(t, sets+f64(0.5)+f64(2), huge+f64(0.5)+f64(2)), ErrFormat, "not a model file: the file ends within thresholds"},
		{replace(t, sets+f64(0.0625), huge+f64(0.0625)), ErrFormat, "not a model file: the file ends within set thresholds"},
		{replace(t, u32(2)+u64(1)+f64(0.375), huge+u64(1)+f64(0.375)), ErrFormat, "not a model file: the file ends within learning curve"},
		{replace(t, str("stance")+"\x00", str("stance")+"\x01"), ErrVersion, `model file of another version: head "stance" is of kind 1, which this program does not know`},
		{replace(t, "\x01\x0b\x01", "\x01\x0b\x02"), ErrFormat, "not a model file: a block's targets: want 0 or 1"},
		{replace(t, str("summer"), str("été")+"\x00"), ErrFormat, `not a model file: head "topic": label "été" has its own name`},
		{replace(t, u64(1)+u64(peaceID), u64(1<<31)+u64(peaceID)), ErrFormat, "not a model file: 2147483648 features: want at most 2147483647"},
		{replace(t, u64(1)+u64(peaceID), u64(1<<30)+u64(peaceID)), ErrFormat, "not a model file: the file ends within rows"},
		{replace(t, "\x00\x00"+u64(1)+u64(peaceID), "\x00\x01"+u64(1)+u64(peaceID)), ErrFormat, "not a model file: padding is not 0"},
		{replace(t, "\x03\x00\x00\x00\x00\x00\x00\x00\x00\xfc", "\x03\x00\x00\x00\x00\x00\x01\x00\x00\xfc"), ErrFormat, "not a model file: feature 0: padding is not 0"},
		{replace(t, u64(5)+u32(5), u64(4)+u32(5)), ErrFormat, "not a model file: the string of feature 0 ends at 5, the one before at 0, all at 4"},
		{replace(t, u64(5)+u32(5), u64(5)+u32(4)), ErrFormat, "not a model file: the strings end at 4: want 5"},
		{replace(t, u64(5)+u32(5), u64(5)+u32(0)), ErrFormat, "not a model file: the string of feature 0 ends at 0, the one before at 0, all at 5"},
		{replace(t, u64(5)+u32(5), u64(1<<40)+u32(5)), ErrFormat, "not a model file: the file ends within strings"},
		{replace(t, u64(5)+u32(5)+"peace", u64(5)+u32(5)+"\xffeace"), ErrFormat, "not a model file: the strings are not UTF-8"},
		{seal(append(bytes.Clone(whole[:len(whole)-32]), 0)), ErrFormat, "not a model file: the self-test has 1009 bytes: want 1008"},

		// An answer of the self-test that this program does not give.
		{replace(t, u32(16)+u32(1), u32(16)+u32(2)), ErrSelfTest, "self-test failed: text 2: 1 of 16 words known, the file says 2 of 16"},
		{replace(t, u32(15)+u32(0), u32(14)+u32(0)), ErrSelfTest, "self-test failed: text 3: 0 of 15 words known, the file says 0 of 14"},
		{replace(t, u64(786432)+f64(0.75), u64(786433)+f64(0.75)), ErrSelfTest, `self-test failed: text 2: stance "con": score 786432 with probability 0.75, the file says 786433 with 0.75`},
		{replace(t, u64(790528)+f64(0.75), u64(786432)+f64(0.75)), ErrSelfTest, `self-test failed: text 11: stance "con": score 790528 with probability 0.75, the file says 786432 with 0.75`},
		{replace(t, i64(0)+f64(0.25)+i64(-1), i64(0)+f64(0.125)+i64(-1)), ErrSelfTest, `self-test failed: text 0: stance "pro": score 0 with probability 0.25, the file says 0 with 0.125`},
		{replace(t, i64(2)+f64(1)+u32(15), i64(2)+f64(math.NaN())+u32(15)), ErrSelfTest, `self-test failed: text 2: topic "été": score 2 with probability 1, the file says 2 with NaN`},
	} {
		m, err := Parse(c.file)
		if m != nil || !errors.Is(err, c.kind) || err.Error() != c.want {
			t.Errorf("model %v, error\n%v, want\n%s", m != nil, err, c.want)
		}
	}
}

// A file with a flipped bit is refused. With a check sum of its own it may be
// another model, which is then as sound as any.
func TestFlippedBits(t *testing.T) {
	file := smallFile()
	body := len(file) - sha256.Size
	whole, loaded := build(t, smallSpec()), 0
	for i := range 8 * len(file) {
		file[i/8] ^= 1 << (i % 8)
		if _, err := Parse(file); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) {
			t.Errorf("bit %d of byte %d flipped: error %v", i%8, i/8, err)
		}
		if i/8 < body {
			if m := checkParse(t, seal(file[:body])); m != nil {
				loaded++
				if m.Revision() == whole.Revision() {
					t.Errorf("bit %d of byte %d flipped: the same revision", i%8, i/8)
				}
			}
		}
		file[i/8] ^= 1 << (i % 8)
	}
	if loaded == 0 || loaded > 8*len(smallBody) {
		t.Errorf("%d files with a flipped bit and a check sum of their own were read, want some", loaded)
	}
	if _, err := Parse(file); err != nil {
		t.Errorf("with all bits right: %v", err)
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	file := smallFile()
	for n := range file {
		if _, err := Parse(file[:n:n]); !errors.Is(err, ErrFormat) {
			t.Errorf("first %d bytes: error %v", n, err)
		}
		if _, err := Parse(seal(file[:n])); !errors.Is(err, ErrFormat) && n != len(file)-sha256.Size {
			t.Errorf("first %d bytes with a check sum of their own: error %v", n, err)
		}
	}
}

// A file that claims much and holds little takes little memory.
func TestClaimsTakeNoMemory(t *testing.T) {
	huge := u32(math.MaxUint32)
	for name, file := range map[string][]byte{
		"strings":       replace(t, str("stance"), huge+"stance"),
		"labels":        replace(t, u32(2)+str("con"), huge+str("con")),
		"blocks":        replace(t, "\x02\x00\x00\x00\x01\x0b\x01", huge+"\x01\x0b\x01"),
		"targets":       replace(t, u32(1)+str("nato"), huge+str("nato")),
		"thresholds":    replace(t, u32(2)+f64(0.5), huge+f64(0.5)),
		"learning":      replace(t, u32(2)+u64(1)+f64(0.375), huge+u64(1)+f64(0.375)),
		"rows":          replace(t, u64(1)+u64(peaceID), u64(1<<31-1)+u64(peaceID)),
		"rows, 2^63":    replace(t, u64(1)+u64(peaceID), u64(1<<63)+u64(peaceID)),
		"string bytes":  replace(t, u64(5)+u32(5), u64(1<<40)+u32(5)),
		"empty targets": replace(t, u32(2)+str("con"), u32(0)+u32(0)+f64(1)+u32(1<<20)+strings.Repeat("\x00", 4<<20)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Parse(file); err == nil {
			t.Errorf("%s: no error", name)
		}
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20+2*uint64(len(file)) {
			t.Errorf("%s: %d bytes taken for a file of %d", name, taken, len(file))
		}
	}
}

// A file takes memory in proportion to its size, whatever it is full of.
func TestFullFilesTakeMemoryOfTheirSize(t *testing.T) {
	const n = 1 << 16
	full := func(old, entry string) []byte {
		return replace(t, old, u32(n)+strings.Repeat(entry, n)+old[4:])
	}
	for name, file := range map[string][]byte{
		"labels":   full(u32(2)+str("con"), strings.Repeat("\x00", 32)),
		"blocks":   full("\x02\x00\x00\x00\x01\x0b\x01", "\x00\x00\x00"),
		"targets":  full(u32(1)+str("nato"), strings.Repeat("\x00", 4+2*24)),
		"floats":   full(u32(2)+f64(0.5), f64(1)),
		"learning": full(u32(2)+u64(1)+f64(0.375), strings.Repeat("\x00", 24)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Parse(file); err == nil {
			t.Errorf("%s: no error", name)
		}
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20+8*uint64(len(file)) {
			t.Errorf("%s: %d bytes taken for a file of %d", name, taken, len(file))
		}
	}
}

func TestModelWithoutFeatures(t *testing.T) {
	s := smallSpec()
	s.IDs, s.IDF, s.Weights, s.Strings = nil, nil, nil, nil
	m := build(t, s)
	for _, target := range []string{"", "NATO"} {
		r := m.NewClassifier().Classify("peace talks", target)
		checkTarget(t, m, r, 0, target)
		if d := r.Decide(0, Thresholds{}); d != NoEvidence || r.Words != 2 {
			t.Errorf("%v of %d words, want %v of 2", d, r.Words, NoEvidence)
		}
	}
}

// scoresOf is what testdata/v*.scores holds: for each text and target the words
// of the text, and for each head the decision and the score and probability of
// each label.
func scoresOf(m *Model) string {
	var b strings.Builder
	c := m.NewClassifier()
	for _, text := range []string{
		"",
		"Nobody there qwrtz.",
		"The talks could end the war, officials said.",
		"What a summit! Don’t call it peace: drones hit Kharkiv again, and Moscow smiles.",
		"Oil fell as traders bet on looser sanctions; the rouble gained 2%.",
		"Діти повернулися додому. @desk #Alaska2025 https://example.org/x",
		"peace peace peace in our time?",
	} {
		for _, target := range someTargets {
			r := c.Classify(text, target)
			fmt.Fprintf(&b, "%q about %q\n\twords %d known %d\n", text, target, r.Words, r.KnownWords)
			for h, head := range m.Heads() {
				p := &r.Predictions[h]
				fmt.Fprintf(&b, "\t%s %v target %d", head.Name, r.Decide(h, head.Thresholds()), p.Target)
				for _, i := range p.Ranked(-1) {
					fmt.Fprintf(&b, " %s %d %v", head.Labels[i], p.Raw[i], p.Probabilities[i])
				}
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

// Files of the current version are read for ever and give the scores they
// gave, to the bit, on every processor. A new Unicode version in Go or x/text
// makes another version of the file: run with -update.
func TestFilesOfThisVersion(t *testing.T) {
	if *update {
		m := aimed(t, Features{Words: 2, CharMin: 3, CharMax: 3}, paragraphs(t)[0])
		if err := errors.Join(
			os.WriteFile("testdata/v1.model", m.Bytes(), 0o666),
			os.WriteFile("testdata/v1.scores", []byte(scoresOf(m)), 0o666),
		); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("testdata/v*.model")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata/v*.model: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, "model") + "scores")
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got, lines := strings.Split(scoresOf(m), "\n"), strings.Split(string(want), "\n")
		for i := range max(len(got), len(lines)) {
			if i >= len(got) || i >= len(lines) || got[i] != lines[i] {
				t.Errorf("%s:\n got %s\nwant %s", file, strings.Join(got[i:min(i+1, len(got))], ""), strings.Join(lines[i:min(i+1, len(lines))], ""))
			}
		}
		checkCanonical(t, m)
	}
}

// checkCanonical fails unless building m from its parts gives its file.
func checkCanonical(t testing.TB, m *Model) {
	t.Helper()
	again, err := New(*specOf(m))
	if err != nil {
		t.Fatalf("a model that was read cannot be built: %v", err)
	}
	if !bytes.Equal(again.Bytes(), m.Bytes()) || again.Revision() != m.Revision() {
		t.Fatalf("a model of %d bytes, %s, is built as one of %d, %s", len(m.Bytes()), m.Revision(), len(again.Bytes()), again.Revision())
	}
}

// checkParse reads a file: it fails unless that gives an error of one of the
// kinds or a sound model, which it returns.
func checkParse(t testing.TB, file []byte) *Model {
	t.Helper()
	m, err := Parse(file)
	if err == nil {
		checkCanonical(t, m)
		checkAnswers(t, m)
	} else if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrSelfTest) {
		t.Fatalf("error of no kind: %v", err)
	}
	return m
}

// FuzzParse reads the input as it is; with a check sum that holds; and, when
// what is before the self-test describes a model, that model.
func FuzzParse(f *testing.F) {
	f.Add(smallFile())
	f.Add(append(slices.Clone(smallBody), smallSelfTest()...))
	f.Add(slices.Clone(smallBody))
	s := aimedSpec(f, Features{Words: 1}, "goal scored")
	f.Add(s.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkParse(t, slices.Clone(data))
		checkParse(t, seal(data))
		if s, ok := described(data); ok {
			if m, err := New(s); err == nil {
				checkCanonical(t, m)
				checkAnswers(t, m)
			}
		}
	})
}

// described returns what data describes before its self-test.
func described(data []byte) (Spec, bool) {
	d := decoder{all: data, rest: data}
	d.magic()
	m := d.model()
	if d.err != nil {
		return Spec{}, false
	}
	return *specOf(m), true
}

// checkAnswers fails unless the answers of m are distributions that their
// explanations add up to, about any target.
func checkAnswers(t testing.TB, m *Model) {
	t.Helper()
	targets := []string{"", "unheard of"}
	for _, h := range m.Heads() {
		for _, target := range h.Targets[:min(2, len(h.Targets))] {
			targets = append(targets, target.Name)
		}
	}
	c := m.NewClassifier()
	for _, target := range targets {
		for _, text := range append(selfTestTexts[:], "peace", "Peace talks! peace, peace") {
			r := c.Classify(text, target)
			checkProbabilities(t, m, r)
			for h := range r.Predictions {
				r.Decide(h, m.Heads()[h].Thresholds())
				m.Heads()[h].Sets.Set(r.Predictions[h].Probabilities)
				checkTarget(t, m, r, h, target)
			}
			checkExplanations(t, c, r, text)
		}
	}
}
