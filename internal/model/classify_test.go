package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// referenceRaw is the score as its definition says it, without index, blocks
// or scratch: bias + value(count) * weight for every feature that the model
// knows.
func referenceRaw(t testing.TB, s *Spec, text string) [][]int64 {
	t.Helper()
	rows := map[FeatureID]int{}
	for row, id := range s.IDs {
		rows[id] = row
	}
	counts, known := map[FeatureID]int64{}, false
	for _, f := range extract(t, s.Features, 0, text) {
		counts[f.ID]++
		_, ok := rows[f.ID]
		known = known || ok && f.Counted
	}
	var raw [][]int64
	column, columns := 0, len(s.Weights)/len(s.IDs)
	for _, h := range s.Heads {
		scores := slices.Clone(h.Bias)
		for label := range h.Labels {
			for id, count := range counts {
				if row, ok := rows[id]; ok && known {
					if h.Value == Binary {
						count = 1
					}
					unit := int64(1) << (ScoreBits - h.WeightBits)
					scores[label] += count * int64(s.Weights[row*columns+column]) * unit
				}
			}
			column++
		}
		raw = append(raw, scores)
	}
	return raw
}

const tinyWords = "goal scored in the match shares fell don't été 平和"

// generated returns texts of known and unknown words, marks, tags and URLs.
func generated(rng *rand.Rand) string {
	pieces := append(strings.Fields(tinyWords), "unknown", "qwrtz", "#goal", "@match", "https://a.b/c", "!", "?",
		"GOAL", "E\u0301te\u0301", "\xff", "👍🏽", "—", "scored.in", "sha\u00adres", "don’t")
	var b strings.Builder
	for range rng.IntN(120) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
		b.WriteString([]string{" ", " ", " ", ", ", "", "! "}[rng.IntN(6)])
	}
	return b.String()
}

// checkProbabilities fails unless the probabilities of r are a distribution
// whose best label is Best.
func checkProbabilities(t testing.TB, r *Result) {
	t.Helper()
	for h, p := range r.Predictions {
		sum := 0.0
		for i, q := range p.Probabilities {
			if !(q >= 0 && q <= 1) {
				t.Fatalf("head %d: probability %d is %v", h, i, q)
			}
			if q > p.Probabilities[p.Best] {
				t.Fatalf("head %d: label %d with %v beats the best, %d with %v", h, i, q, p.Best, p.Probabilities[p.Best])
			}
			sum += q
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("head %d: probabilities %v add up to %v", h, p.Probabilities, sum)
		}
	}
}

func TestScoresAreThoseOfTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, f := range []Features{{Words: 1}, {Words: 2}, {Words: 3}, {Words: 1, CharMin: 2, CharMax: 3}, {Words: 3, CharMin: 2, CharMax: 5}} {
		m := tiny(t, f, tinyWords)
		c := m.NewClassifier()
		for range 300 {
			text := generated(rng)
			r, want := c.Classify(text), referenceRaw(t, &m.spec, text)
			for h := range want {
				if !slices.Equal(r.Predictions[h].Raw, want[h]) {
					t.Fatalf("%v, head %d of %q: scores %v, want %v", f, h, text, r.Predictions[h].Raw, want[h])
				}
			}
			checkProbabilities(t, r)
		}
	}
}

// A text of more features than the hit set starts with, and of many blocks.
func TestScoresOfLongTexts(t *testing.T) {
	texts := paragraphs(t)
	m := large(t, Features{Words: 3, CharMin: 2, CharMax: 5}, texts)
	all := strings.Join(texts, " ")
	for _, text := range []string{all, strings.Repeat(all+"\n", 20)} {
		r, want := m.NewClassifier().Classify(text), referenceRaw(t, &m.spec, text)
		for h := range want {
			if !slices.Equal(r.Predictions[h].Raw, want[h]) {
				t.Errorf("head %d of %d bytes: scores %v, want %v", h, len(text), r.Predictions[h].Raw, want[h])
			}
		}
		checkProbabilities(t, r)
	}
}

func TestWordCounts(t *testing.T) {
	m := tiny(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords)
	for _, c := range []struct {
		text         string
		words, known int
	}{
		{"", 0, 0},
		{"goal! #goal @match https://a.b", 1, 1},
		{"Goal goal unknown", 3, 2},
		{"平和会", 3, 2},
		{"goals", 1, 0}, // its characters are known, the word is not
	} {
		if r := m.NewClassifier().Classify(c.text); r.Words != c.words || r.KnownWords != c.known || r.UsedBytes != len(c.text) {
			t.Errorf("%q: %d of %d words in %d bytes, want %d of %d in %d", c.text, r.KnownWords, r.Words, r.UsedBytes, c.known, c.words, len(c.text))
		}
	}
}

func TestNoEvidence(t *testing.T) {
	m := tiny(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords+" !", "#goal")
	c := m.NewClassifier()
	for _, text := range []string{"", "...", "qwrtz", "goals matches", "!!", "#goal!", "\xff\xfe"} {
		r := c.Classify(text)
		for h, want := range [][]float64{{3.0 / 5, 2.0 / 5}, {2.0 / 5, 1.0 / 5, 2.0 / 5}} {
			p := r.Predictions[h]
			if !slices.Equal(p.Raw, m.Heads()[h].Bias) || !slices.Equal(p.Probabilities, want) || p.Best != 0 {
				t.Errorf("%q, head %d: %+v, want the biases, %v and 0", text, h, p, want)
			}
			if d := r.Decide(h, Thresholds{}); d != NoEvidence {
				t.Errorf("%q, head %d: %v, want %v", text, h, d, NoEvidence)
			}
		}
	}
}

func TestDecide(t *testing.T) {
	result := func(known int, outOfDomain bool, p ...float64) *Result {
		prediction := Prediction{Raw: make([]int64, len(p)), Probabilities: p}
		prediction.Best = prediction.best()
		return &Result{Predictions: []Prediction{prediction}, Words: 4, KnownWords: known, outOfDomain: outOfDomain}
	}
	for _, c := range []struct {
		r    *Result
		t    Thresholds
		want Decision
	}{
		{result(0, true, 0.9, 0.1), Thresholds{1, 1}, NoEvidence},
		{result(1, true, 0.9, 0.1), Thresholds{1, 1}, OutOfDomain},
		{result(1, false, 0.9, 0.1), Thresholds{0.95, 1}, LowConfidence},
		{result(1, false, 0.9, 0.1), Thresholds{0.9, 0.85}, Ambiguous},
		{result(1, false, 0.75, 0.25), Thresholds{0.75, 0.5}, Labeled},
		{result(1, false, 0.5, 0.5), Thresholds{}, Labeled},
		{result(1, false, 0.5, 0.5), Thresholds{MinMargin: 1e-9}, Ambiguous},
		{result(1, false, 0.25, 0.5, 0.25), Thresholds{MinMargin: 0.25}, Labeled},
		{result(1, false, 1), Thresholds{1, 1}, Labeled}, // a single label
	} {
		if got := c.r.Decide(0, c.t); got != c.want {
			t.Errorf("%v with %+v: %v, want %v", c.r.Predictions[0].Probabilities, c.t, got, c.want)
		}
	}
	for d, want := range map[Decision]string{
		NoEvidence: "NO_EVIDENCE", OutOfDomain: "OUT_OF_DOMAIN", LowConfidence: "LOW_CONFIDENCE",
		Ambiguous: "AMBIGUOUS", Labeled: "LABELED", 0: "Decision(0)", 9: "Decision(9)",
	} {
		if d.String() != want {
			t.Errorf("Decision %d is %q, want %q", uint8(d), d, want)
		}
	}
}

func TestOutOfDomain(t *testing.T) {
	s := tiny(t, Features{Words: 1}, "goal").spec
	for _, c := range []struct {
		share float64
		text  string
		want  Decision
	}{
		{0, "goal x x x", Labeled},
		{0.25, "goal x x x", Labeled},
		{0.25, "goal x x x x", OutOfDomain},
		{1, "goal goal", Labeled},
		{1, "goal x", OutOfDomain},
		{1, "x", NoEvidence},
		{1, "goal #x @x http://x.y ?", Labeled}, // none of these counts as a word
	} {
		s.MinKnownShare = c.share
		m, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.NewClassifier().Classify(c.text).Decide(1, Thresholds{}); got != c.want {
			t.Errorf("%q with a share of %v: %v, want %v", c.text, c.share, got, c.want)
		}
	}
}

func TestRanked(t *testing.T) {
	for _, c := range []struct {
		probabilities []float64
		raw           []int64
		k             int
		want          []int
	}{
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, -1, []int{1, 2, 0}},
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, 2, []int{1, 2}},
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, 0, []int{}},
		{[]float64{0.2, 0.5, 0.3}, []int64{0, 0, 0}, 9, []int{1, 2, 0}},
		{[]float64{0.25, 0.25, 0.25, 0.25}, []int64{1, 1, 1, 1}, -1, []int{0, 1, 2, 3}},
		{[]float64{0, 1, 0, 0}, []int64{-9, 5, -7, -7}, -1, []int{1, 2, 3, 0}}, // scores break ties
	} {
		p := Prediction{Raw: c.raw, Probabilities: c.probabilities}
		if got := p.Ranked(c.k); !slices.Equal(got, c.want) {
			t.Errorf("Ranked(%d) of %v, %v = %v, want %v", c.k, c.probabilities, c.raw, got, c.want)
		}
		if all := p.Ranked(-1); p.best() != all[0] {
			t.Errorf("best of %v, %v = %d, want %d", c.probabilities, c.raw, p.best(), all[0])
		}
	}
}

func TestCalibrate(t *testing.T) {
	const nat = 1 << ScoreBits
	for _, c := range []struct {
		inverseTemperature float64
		raw                []int64
		want               []float64
	}{
		{1, []int64{5 * nat, 5 * nat}, []float64{0.5, 0.5}},
		{1, []int64{0, nat}, []float64{1 / (1 + math.E), math.E / (1 + math.E)}},
		{0.5, []int64{0, 2 * nat}, []float64{1 / (1 + math.E), math.E / (1 + math.E)}},
		{1e9, []int64{-1 << 62, 1 << 62}, []float64{0, 1}},
		{1e-9, []int64{0, nat}, []float64{0.5, 0.5}},
		{1, []int64{math.MinInt64, math.MaxInt64}, []float64{0, 1}},
	} {
		h := Head{InverseTemperature: c.inverseTemperature}
		got := make([]float64, len(c.raw))
		h.Calibrate(got, make([]float64, len(c.raw)), c.raw)
		for i := range got {
			if !(math.Abs(got[i]-c.want[i]) < 1e-9) {
				t.Errorf("%v at %v: %v, want %v", c.raw, c.inverseTemperature, got, c.want)
			}
		}
	}
}

func TestPrior(t *testing.T) {
	for _, c := range []struct {
		counts []uint64
		want   []float64
	}{
		{[]uint64{0, 0}, []float64{0.5, 0.5}},
		{[]uint64{2, 0, 5}, []float64{0.3, 0.1, 0.6}},
		{[]uint64{math.MaxUint64, math.MaxUint64}, []float64{0.5, 0.5}},
	} {
		h, got := Head{DocCounts: c.counts}, make([]float64, len(c.counts))
		h.Prior(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("prior of %v: %v, want %v", c.counts, got, c.want)
		}
	}
}

// The heaviest text that is read keeps scores inside an int64.
func TestScoresDoNotOverflow(t *testing.T) {
	s := tiny(t, Features{Words: 1}, "a").spec
	for i := range s.Heads {
		s.Heads[i].Value, s.Heads[i].WeightBits = TF, 0
		for j := range s.Heads[i].Bias {
			s.Heads[i].Bias[j] = -maxBias
		}
	}
	for i := range s.Weights {
		s.Weights[i] = math.MinInt16
	}
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	c := m.NewClassifier()
	c.Classify("a")
	c.set.hits[0].count = MaxTextBytes / 2 // as of "a a a ..."
	c.score()
	c.calibrate(0)
	if got, want := c.result.Predictions[0].Raw[0], int64(-maxBias+MaxTextBytes/2*math.MinInt16<<ScoreBits); got != want {
		t.Errorf("score %d, want %d", got, want)
	}
	checkProbabilities(t, &c.result)
}

func TestHead(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abc", 2, "ab"},
		{"aéb", 2, "a"},
		{"aéb", 3, "aé"},
		{"平和", 5, "平"},
		{"👍👍", 7, "👍"},
		{"👍", 3, ""},
		{"\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"}, // no character begins here
		{"\x80\x80", 1, "\x80"},
	} {
		if got := head(c.text, c.limit); got != c.want {
			t.Errorf("head(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

// What follows MaxTextBytes is not read, neither in service nor in training.
func TestTextsAreCut(t *testing.T) {
	m := tiny(t, Features{Words: 1}, "goal x")
	text := "goal " + strings.Repeat(" ", MaxTextBytes-6) + "平 goal"
	c := m.NewClassifier()
	r := c.Classify(text)
	if r.UsedBytes != MaxTextBytes-1 || r.Words != 1 || r.KnownWords != 1 {
		t.Errorf("%d of %d words known in %d bytes, want 1 of 1 in %d", r.KnownWords, r.Words, r.UsedBytes, MaxTextBytes-1)
	}
	if got := len(extract(t, m.Features(), 0, text)); got != 1 {
		t.Errorf("the extractor gives %d features, want 1", got)
	}
	m.Release(c)
}

// copyOf returns a copy of r that outlives its classifier's next call.
func copyOf(r *Result) Result {
	again := *r
	again.Predictions = nil
	for _, p := range r.Predictions {
		p.Raw, p.Probabilities = slices.Clone(p.Raw), slices.Clone(p.Probabilities)
		again.Predictions = append(again.Predictions, p)
	}
	return again
}

func TestClassifierForgetsTheLastText(t *testing.T) {
	m := tiny(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords)
	rng := rand.New(rand.NewPCG(8, 9))
	used := m.NewClassifier()
	for i := range 300 {
		text := generated(rng)
		if i == 100 {
			used.set.generation, text = math.MaxUint32, tinyWords // the counter goes round
		}
		got, want := copyOf(used.Classify(text)), copyOf(m.NewClassifier().Classify(text))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%q:\n used %v\nfresh %v", text, got, want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := tiny(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords)
	rng := rand.New(rand.NewPCG(10, 11))
	var texts, want []string
	for range 50 {
		texts = append(texts, generated(rng))
		want = append(want, fmt.Sprint(copyOf(m.NewClassifier().Classify(texts[len(texts)-1]))))
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				k := (i*7 + worker) % len(texts)
				c := m.Acquire()
				if got := fmt.Sprint(copyOf(c.Classify(texts[k]))); got != want[k] {
					t.Errorf("%q: %s, want %s", texts[k], got, want[k])
				}
				c.Explain(0, 0, 3)
				m.Release(c)
			}
		})
	}
	group.Wait()
}

func TestReleaseDropsGiants(t *testing.T) {
	m := tiny(t, Features{Words: 1}, "goal")
	c := m.NewClassifier()
	c.Classify(strings.Repeat("x", 4*maxPooledRunes))
	m.Release(c)
	for range 10 {
		if m.Acquire() == c {
			t.Fatal("the pool keeps the memory of a giant")
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	texts := paragraphs(t)
	for _, f := range []Features{{Words: 2}, {Words: 3, CharMin: 2, CharMax: 5}} {
		m := tiny(t, f, texts...)
		c := m.NewClassifier()
		for _, text := range texts {
			c.Classify(text)
		}
		i := 0
		if n := testing.AllocsPerRun(100, func() {
			c.Classify(texts[i%len(texts)])
			i++
		}); n != 0 {
			t.Errorf("%v: %v allocations a text, want 0", f, n)
		}
		if r := c.Classify(texts[0]); r.KnownWords != r.Words || r.Words < 50 || !utf8.ValidString(texts[0]) {
			t.Errorf("%v: the paragraph has %d of %d words known", f, r.KnownWords, r.Words)
		}
	}
}
