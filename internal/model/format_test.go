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
func f64(f float64) string    { return u64(math.Float64bits(f)) }
func str(s string) string     { return u32(uint32(len(s))) + s }
func join(s ...string) []byte { return []byte(strings.Join(s, "")) }

// seal appends the check sum to what comes before it.
func seal(body []byte) []byte {
	check := sha256.Sum256(body)
	return append(slices.Clone(body), check[:]...)
}

// smallSpec describes a model that knows the word "peace": a head of two
// labels, another of one.
func smallSpec() Spec {
	return Spec{
		Features:      Features{Words: 2, CharMin: 3, CharMax: 4},
		MinKnownShare: 0.0625,
		TrainingData:  sha256.Sum256([]byte("examples")),
		Heads: []Head{
			{
				Name: "stance", Labels: []string{"con", "pro"}, DocCounts: []uint64{2, 0}, Value: TF, WeightBits: 11,
				Bias: []int64{1 << 20, 0}, InverseTemperature: 0.5, MinProbability: 0.25,
				Evaluation: Evaluation{Examples: 2, Accuracy: 0.5, MacroF1: 0.25, MajorityAccuracy: 1, ECE: 0.125, NLL: 2},
			},
			{Name: "topic", Labels: []string{"été"}, DocCounts: []uint64{2}, WeightBits: 20, Bias: []int64{-1}, InverseTemperature: 1},
		},
		IDs:     []FeatureID{0x8a31ea9b0ff654e9},
		Weights: []int16{-1024, 1024, 3},
	}
}

// smallBody is the file of smallSpec up to the self-test.
var smallBody = join(
	"parley model 0\n",
	"\x01\x00\x00\x00",                 // extractor
	str(UnicodeVersion),                // Unicode tables
	"\x02\x03\x04",                     // words 1-2, characters 3-4
	"\x00\x00\x00\x00\x00\x00\xb0\x3f", // 0.0625, least share of known words
	"\xc5\x90\xb3\xc9\x24\xc3\x5c\x2f\x24\x17\x46\x52\x22\x84\xe4\x70"+ // training data: SHA-256 of "examples"
		"\x9d\xf4\x90\xd7\x3a\x38\xaa\xa7\xd6\xde\x4e\xd1\xea\xc2\xf5\x46",
	"\x02\x00\x00\x00", // heads

	"\x06\x00\x00\x00stance",
	"\x02\x00\x00\x00", // labels
	"\x03\x00\x00\x00con",
	"\x02\x00\x00\x00\x00\x00\x00\x00", // 2 documents
	"\x00\x00\x10\x00\x00\x00\x00\x00", // bias 1<<20: 1 nat
	"\x03\x00\x00\x00pro",
	"\x00\x00\x00\x00\x00\x00\x00\x00",              // no document
	"\x00\x00\x00\x00\x00\x00\x00\x00",              // bias 0
	"\x01",                                          // term frequency
	"\x0b",                                          // weight bits 11
	f64(0.5),                                        // inverse temperature
	f64(0.25),                                       // threshold
	"\x02\x00\x00\x00\x00\x00\x00\x00",              // evaluation: 2 examples,
	f64(0.5), f64(0.25), f64(1), f64(0.125), f64(2), // accuracy, macro-F1, majority accuracy, ECE, NLL

	"\x05\x00\x00\x00topic",
	"\x01\x00\x00\x00",                  // labels
	"\x05\x00\x00\x00\xc3\xa9t\xc3\xa9", // été
	"\x02\x00\x00\x00\x00\x00\x00\x00",  // 2 documents
	"\xff\xff\xff\xff\xff\xff\xff\xff",  // bias -1
	"\x00",                              // binary
	"\x14",                              // weight bits 20
	f64(1),                              // inverse temperature
	f64(0),                              // no threshold
	"\x00\x00\x00\x00\x00\x00\x00\x00",  // not evaluated
	f64(0), f64(0), f64(0), f64(0), f64(0),

	"\x01\x00\x00\x00",                 // rows
	"\xe9\x54\xf6\x0f\x9b\xea\x31\x8a", // id of "peace"
	"\x00\xfc",                         // con -1024
	"\x00\x04",                         // pro 1024
	"\x03\x00",                         // été 3
)

// smallSelfTest is its self-test. "peace" occurs in the text 2 only, where
// both scores of stance come to half a nat; the other texts give biases and
// priors, (2+1)/4 and (0+1)/4.
func smallSelfTest() []byte {
	var b []byte
	for text, words := range []uint32{0, 16, 16, 15, 5, 6, 15, 3, 7} {
		if text == 2 {
			b = append(b, join(
				u32(words), u32(1),
				u64(1<<19), f64(0.5), // stance con: 1<<20 - 1024<<9
				u64(1<<19), f64(0.5), // stance pro: 0 + 1024<<9
				u64(2), f64(1), // topic été: -1 + 3<<0
			)...)
			continue
		}
		b = append(b, join(
			u32(words), u32(0),
			u64(1<<20), f64(0.75),
			u64(0), f64(0.25),
			u64(math.MaxUint64), f64(1),
		)...)
	}
	return b
}

func TestFormatBytes(t *testing.T) {
	m, err := New(smallSpec())
	if err != nil {
		t.Fatal(err)
	}
	want := seal(append(slices.Clone(smallBody), smallSelfTest()...))
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
	m, err := Parse(seal(append(slices.Clone(smallBody), smallSelfTest()...)))
	if err != nil {
		t.Fatal(err)
	}
	s := smallSpec()
	if got, want := fmt.Sprintf("%+v", m.spec), fmt.Sprintf("%+v", s); got != want {
		t.Errorf("spec\n%s, want\n%s", got, want)
	}
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
	if Binary.String() != "binary" || TF.String() != "tf" {
		t.Errorf("value functions are %q and %q", Binary, TF)
	}
}

// A rule that a Spec breaks is told by New, and by Parse of a file that breaks
// it.
func TestBrokenRules(t *testing.T) {
	long := strings.Repeat("x", MaxNameBytes+1)
	labels := func(n int) Head {
		h := smallSpec().Heads[1]
		h.Labels, h.DocCounts, h.Bias = nil, make([]uint64, n), make([]int64, n)
		for i := range n {
			h.Labels = append(h.Labels, fmt.Sprintf("%06d", i))
		}
		return h
	}
	for _, c := range []struct {
		breakIt func(s *Spec)
		want    string
		onlyNew bool // a file cannot say it, or says it in another way
	}{
		{func(s *Spec) { s.Features.Words = 0 }, "word n-grams up to 0: want 1 to 3", false},
		{func(s *Spec) { s.Features.CharMax = 6 }, "character n-grams from 3 to 6: want 2 to 5, or 0 for none", false},
		{func(s *Spec) { s.MinKnownShare = 1.5 }, "share of known words 1.5: want 0 to 1", false},
		{func(s *Spec) { s.MinKnownShare = math.NaN() }, "share of known words NaN: want 0 to 1", false},
		{func(s *Spec) { s.MinKnownShare = math.Copysign(0, -1) }, "share of known words -0: want 0 to 1", false},

		{func(s *Spec) { s.Heads, s.Weights = nil, nil }, "0 heads: want 1 to 64", false},
		{func(s *Spec) { s.Heads = make([]Head, 65) }, "65 heads: want 1 to 64", true},
		{func(s *Spec) { s.Heads[1].Name = "stance" }, `two heads are called "stance"`, false},
		{func(s *Spec) { s.Heads[0].Name = "" }, `head "": name: empty`, false},
		{func(s *Spec) { s.Heads[0].Name = long }, `head "` + long + `": name: 257 bytes: want at most 256`, false},
		{func(s *Spec) { s.Heads[0].Name = "a\xff" }, `head "a\xff": name: "a\xff" is not UTF-8`, false},
		{func(s *Spec) { s.Heads[0].Name = "a\tb" }, `head "a\tb": name: "a\tb" has a control character`, false},

		{func(s *Spec) { s.Heads[1] = labels(0); s.Weights = s.Weights[:2] }, `head "topic": 0 labels, 0 document counts, 0 biases: want equal numbers, at least 1`, false},
		{func(s *Spec) { s.Heads[0].DocCounts = []uint64{1} }, `head "stance": 2 labels, 1 document counts, 2 biases: want equal numbers, at least 1`, true},
		{func(s *Spec) { s.Heads[0].Bias = []int64{1, 2, 3} }, `head "stance": 2 labels, 2 document counts, 3 biases: want equal numbers, at least 1`, true},
		{func(s *Spec) { s.Heads[0].Labels[1] = "" }, `head "stance": label 1: empty`, false},
		{func(s *Spec) { s.Heads[0].Labels[0] = long }, `head "stance": label 0: 257 bytes: want at most 256`, false},
		{func(s *Spec) { s.Heads[0].Labels[1] = "a\u0085" }, `head "stance": label 1: "a\u0085" has a control character`, false},
		{func(s *Spec) { s.Heads[0].Labels[1] = "con" }, `head "stance": label "con": labels are not in ascending order`, false},
		{func(s *Spec) { s.Heads[0].Labels[1] = "abc" }, `head "stance": label "abc": labels are not in ascending order`, false},
		{func(s *Spec) { s.Heads[0].Bias[0] = maxBias + 1 }, `head "stance": label "con": bias 1099511627777: want at most 1099511627776 either way`, false},
		{func(s *Spec) { s.Heads[0].Bias[1] = math.MinInt64 }, `head "stance": label "pro": bias -9223372036854775808: want at most 1099511627776 either way`, false},
		{func(s *Spec) { s.Heads = []Head{labels(MaxLabels + 1)}; s.Weights = make([]int16, MaxLabels+1) }, "65537 labels: want at most 65536", false},

		{func(s *Spec) { s.Heads[0].Value = 2 }, `head "stance": value function 2: want 0 or 1`, false},
		{func(s *Spec) { s.Heads[0].WeightBits = 21 }, `head "stance": weight bits 21: want at most 20`, false},
		{func(s *Spec) { s.Heads[0].InverseTemperature = 0 }, `head "stance": inverse temperature 0: want 1e-9 to 1e9`, false},
		{func(s *Spec) { s.Heads[0].InverseTemperature = math.Inf(1) }, `head "stance": inverse temperature +Inf: want 1e-9 to 1e9`, false},
		{func(s *Spec) { s.Heads[0].MinProbability = -0.5 }, `head "stance": threshold -0.5: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.Accuracy = 2 }, `head "stance": evaluation: 2: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.MacroF1 = 3 }, `head "stance": evaluation: 3: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.MajorityAccuracy = 4 }, `head "stance": evaluation: 4: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.ECE = math.NaN() }, `head "stance": evaluation: NaN: want 0 to 1`, false},
		{func(s *Spec) { s.Heads[0].Evaluation.NLL = math.Inf(1) }, `head "stance": evaluation: negative log-likelihood +Inf: want a number from 0`, false},

		{func(s *Spec) { s.Weights = s.Weights[:2] }, "2 weights: want 1 features x 3 labels", true},
		{func(s *Spec) { s.IDs[0] = 0 }, "feature 0: ids are not in ascending order", false},
		{func(s *Spec) { s.IDs, s.Weights = []FeatureID{5, 7, 7}, make([]int16, 9) }, "feature 2: ids are not in ascending order", false},
		{func(s *Spec) {
			s.IDs, s.Weights = nil, make([]int16, 3*600)
			for i := range 600 {
				s.IDs = append(s.IDs, FeatureID(i+1)<<32)
			}
		}, "feature ids are not hashes: more than 512 share a place", false},
	} {
		s := smallSpec()
		c.breakIt(&s)
		if _, err := New(s); err == nil || err.Error() != c.want {
			t.Errorf("New: error %v, want %s", err, c.want)
		}
		if c.onlyNew {
			continue
		}
		file := seal(append(s.append(nil), make([]byte, len(selfTestTexts)*(8+16*s.columns()))...))
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
	whole := seal(append(slices.Clone(smallBody), smallSelfTest()...))
	again := "train it again"
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
		{replace(t, "model 0\n", "model 1\n"), ErrVersion, `model file of another version: format "1", this program reads 0`},
		{replace(t, "model 0\n", "model 10\n"), ErrVersion, `model file of another version: format "10", this program reads 0`},
		{replace(t, "model 0\n", "model 0 \n"), ErrVersion, `model file of another version: format "0 ", this program reads 0`},
		{replace(t, "\n"+u32(1), "\n"+u32(2)), ErrVersion, fmt.Sprintf(
			"model file of another version: it reads texts with extractor 2 and Unicode %q, this program with 1 and %q: %s", UnicodeVersion, UnicodeVersion, again)},
		{replace(t, str(UnicodeVersion), str("9.0.0")), ErrVersion, fmt.Sprintf(
			"model file of another version: it reads texts with extractor 1 and Unicode %q, this program with 1 and %q: %s", "9.0.0", UnicodeVersion, again)},
		{replace(t, str(UnicodeVersion), u32(1<<31)), ErrFormat, "not a model file: the file ends within unicode"},
		{replace(t, u32(2)+str("stance"), u32(65)+str("stance")), ErrFormat, "not a model file: 65 heads: want at most 64"},
		{replace(t, str("stance"), u32(1<<20)+"stance"), ErrFormat, "not a model file: the file ends within a head's name"},
		{replace(t, u32(2)+str("con"), u32(math.MaxUint32)+str("con")), ErrFormat, "not a model file: the file ends within a label"},
		{replace(t, u32(1)+u64(0x8a31ea9b0ff654e9), u32(math.MaxUint32)+u64(0x8a31ea9b0ff654e9)), ErrFormat, "not a model file: the file ends within ids"},
		{seal(append(bytes.Clone(whole[:len(whole)-32]), 0)), ErrFormat, "not a model file: the self-test has 505 bytes: want 504"},

		// An answer of the self-test that this program does not give.
		{replace(t, u32(16)+u32(1), u32(16)+u32(2)), ErrSelfTest, "self-test failed: text 2: 1 of 16 words known, the file says 2 of 16"},
		{replace(t, u32(15)+u32(0), u32(14)+u32(0)), ErrSelfTest, "self-test failed: text 3: 0 of 15 words known, the file says 0 of 14"},
		{replace(t, u64(1<<19)+f64(0.5), u64(1<<19+1)+f64(0.5)), ErrSelfTest, `self-test failed: text 2: stance "con": score 524288 with probability 0.5, the file says 524289 with 0.5`},
		{replace(t, u64(0)+f64(0.25), u64(0)+f64(0.125)), ErrSelfTest, `self-test failed: text 0: stance "pro": score 0 with probability 0.25, the file says 0 with 0.125`},
		{replace(t, u64(2)+f64(1), u64(2)+f64(math.NaN())), ErrSelfTest, `self-test failed: text 2: topic "été": score 2 with probability 1, the file says 2 with NaN`},
		{replace(t, string(u64(1<<19))+f64(0.5), u64(1<<18)+f64(0.5)), ErrSelfTest, `self-test failed: text 2: stance "con": score 524288 with probability 0.5, the file says 262144 with 0.5`},
	} {
		m, err := Parse(c.file)
		if m != nil || !errors.Is(err, c.kind) || err.Error() != c.want {
			t.Errorf("model %v, error\n%v, want\n%s", m != nil, err, c.want)
		}
	}
}

func TestEveryFlippedBitIsRefused(t *testing.T) {
	file := seal(append(slices.Clone(smallBody), smallSelfTest()...))
	for i := range 8 * len(file) {
		file[i/8] ^= 1 << (i % 8)
		if _, err := Parse(file); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) {
			t.Errorf("bit %d of byte %d flipped: error %v", i%8, i/8, err)
		}
		file[i/8] ^= 1 << (i % 8)
	}
	if _, err := Parse(file); err != nil {
		t.Errorf("with all bits right: %v", err)
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	file := seal(append(slices.Clone(smallBody), smallSelfTest()...))
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
	for name, file := range map[string][]byte{
		"strings": replace(t, str("stance"), u32(math.MaxUint32)+"stance"),
		"labels":  replace(t, u32(2)+str("con"), u32(math.MaxUint32)+str("con")),
		"rows":    replace(t, u32(1)+u64(0x8a31ea9b0ff654e9), u32(math.MaxUint32)+u64(0x8a31ea9b0ff654e9)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Parse(file); err == nil {
			t.Errorf("%s: no error", name)
		}
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
			t.Errorf("%s: %d bytes taken for a file of %d", name, taken, len(file))
		}
	}
}

func TestModelWithoutFeatures(t *testing.T) {
	s := smallSpec()
	s.IDs, s.Weights = nil, nil
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	r := m.NewClassifier().Classify("peace talks")
	if d := r.Decide(0, Thresholds{}); d != NoEvidence || r.Words != 2 {
		t.Errorf("%v of %d words, want %v of 2", d, r.Words, NoEvidence)
	}
}

// scoresOf is what testdata/v*.scores holds: for each text its words, and for
// each head the decision and the score and probability of each label.
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
		r := c.Classify(text)
		fmt.Fprintf(&b, "%q\n\twords %d known %d\n", text, r.Words, r.KnownWords)
		for h, head := range m.Heads() {
			p := &r.Predictions[h]
			fmt.Fprintf(&b, "\t%s %v", head.Name, r.Decide(h, Thresholds{MinProbability: head.MinProbability}))
			for _, i := range p.Ranked(-1) {
				fmt.Fprintf(&b, " %s %d %v", head.Labels[i], p.Raw[i], p.Probabilities[i])
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Files of the current version are read for ever and give the scores they
// gave, to the bit, on every processor. A new Unicode version in Go or x/text
// makes another version of the file: run with -update.
func TestFilesOfThisVersion(t *testing.T) {
	if *update {
		m := tiny(t, Features{Words: 2, CharMin: 3, CharMax: 3}, paragraphs(t)[:3]...)
		if err := errors.Join(
			os.WriteFile("testdata/v0.model", m.Bytes(), 0o666),
			os.WriteFile("testdata/v0.scores", []byte(scoresOf(m)), 0o666),
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
	again, err := New(m.spec)
	if err != nil {
		t.Fatalf("a model that was read cannot be built: %v", err)
	}
	if !bytes.Equal(again.Bytes(), m.Bytes()) || again.Revision() != m.Revision() {
		t.Fatalf("a model of %d bytes, %s, is built as one of %d, %s", len(m.Bytes()), m.Revision(), len(again.Bytes()), again.Revision())
	}
}

// FuzzParse reads the input as it is; with a check sum that holds; and, when
// it describes a model, with a self-test that holds.
func FuzzParse(f *testing.F) {
	f.Add(seal(append(slices.Clone(smallBody), smallSelfTest()...)))
	f.Add(append(slices.Clone(smallBody), smallSelfTest()...))
	f.Add(slices.Clone(smallBody))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, file := range [][]byte{slices.Clone(data), seal(data)} {
			m, err := Parse(file)
			if err == nil {
				checkCanonical(t, m)
				checkAnswers(t, m)
			} else if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrSelfTest) {
				t.Fatalf("error of no kind: %v", err)
			}
		}
		d := decoder{rest: data}
		d.magic()
		if s := d.spec(); d.err == nil {
			if m, err := New(s); err == nil {
				checkCanonical(t, m)
				checkAnswers(t, m)
			}
		}
	})
}

// checkAnswers fails unless the answers of m are distributions that their
// explanations add up to.
func checkAnswers(t testing.TB, m *Model) {
	t.Helper()
	c := m.NewClassifier()
	for _, text := range append(selfTestTexts[:], "peace", "Peace talks! peace, peace") {
		r := c.Classify(text)
		checkProbabilities(t, r)
		for h := range r.Predictions {
			r.Decide(h, Thresholds{MinProbability: m.Heads()[h].MinProbability})
			for label, score := range r.Predictions[h].Raw {
				e := c.Explain(h, label, 1)
				sum := e.Bias + e.Remainder
				for _, term := range e.Terms {
					sum += term.Contribution
				}
				if sum != score {
					t.Fatalf("%q: head %d, label %d: the explanation comes to %d, the score is %d", text, h, label, sum, score)
				}
			}
		}
	}
}
