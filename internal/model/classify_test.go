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

// A reference scores texts as the definition says it, without index, blocks of
// features or scratch memory: bias + the sum over all blocks and all known
// features of value * (weight + weight of the target).
type reference struct {
	s       *Spec
	rows    map[FeatureID]int
	targets []map[FeatureID]int // rows per head
}

func newReference(s *Spec) reference {
	r := reference{s, positions(s.IDs), nil}
	for _, h := range s.Heads {
		r.targets = append(r.targets, positions(h.TargetIDs))
	}
	return r
}

func positions(ids []FeatureID) map[FeatureID]int {
	at := map[FeatureID]int{}
	for row, id := range ids {
		at[id] = row
	}
	return at
}

// known returns the features of text that the model knows, each once, and their
// counts: none when no word is known.
func (r reference) known(t testing.TB, text string) (ids []FeatureID, list []occurrence) {
	t.Helper()
	at, evidence := map[FeatureID]int{}, false
	for _, f := range extract(t, r.s.Features, 0, text) {
		row, ok := r.rows[f.ID]
		if !ok {
			continue
		}
		evidence = evidence || f.Counted
		i, seen := at[f.ID]
		if !seen {
			i = len(ids)
			at[f.ID] = i
			ids, list = append(ids, f.ID), append(list, occurrence{words: f.Words})
			if r.s.weighted() {
				list[i].idf = r.s.IDF[row]
			}
		}
		list[i].count++
	}
	if !evidence {
		return nil, nil
	}
	return ids, list
}

// raw returns the scores of every head.
func (r reference) raw(t testing.TB, text, target string) [][]int64 {
	t.Helper()
	ids, list := r.known(t, text)
	var raw [][]int64
	column := 0
	for n, h := range r.s.Heads {
		aimedColumn := 0
		scores := slices.Clone(h.Bias)
		of := slices.IndexFunc(h.Targets, func(t Target) bool { return t.Name == target })
		for label := range scores {
			if of >= 0 {
				scores[label] += h.Targets[of].Bias[label]
			}
		}
		for _, b := range h.Blocks {
			values := valuesOf(b.Value, list)
			unit := int64(1) << (ScoreBits - b.WeightBits - b.Value.Bits())
			for label := range scores {
				for i, id := range ids {
					w := int64(r.s.Weights[r.rows[id]*r.s.columns()+column+label])
					if row, ok := r.targets[n][Cross(id, target)]; ok && of >= 0 && b.Targets {
						w += int64(h.TargetWeights[row*h.targetColumns()+aimedColumn+label])
					}
					scores[label] += int64(values[i]) * w * unit
				}
			}
			column += len(scores)
			if b.Targets {
				aimedColumn += len(scores)
			}
		}
		raw = append(raw, scores)
	}
	return raw
}

// checkScores fails unless the scores of r are those of the definition.
func checkScores(t testing.TB, r *Result, want [][]int64, text, target string) {
	t.Helper()
	for h := range want {
		if !slices.Equal(r.Predictions[h].Raw, want[h]) {
			t.Fatalf("head %d of %.200q about %q: scores %v, want %v", h, text, target, r.Predictions[h].Raw, want[h])
		}
	}
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

// checkProbabilities fails unless the probabilities of r are distributions, of
// each of which Best is the best label as the head weighs it.
func checkProbabilities(t testing.TB, m *Model, r *Result) {
	t.Helper()
	for h, p := range r.Predictions {
		weights := m.Heads()[h].DecisionWeights
		if len(weights) == 0 {
			weights = slices.Repeat([]float64{1}, len(p.Probabilities))
		}
		sum := 0.0
		for i, q := range p.Probabilities {
			if !(q >= 0 && q <= 1) {
				t.Fatalf("head %d: probability %d is %v", h, i, q)
			}
			if best := p.Probabilities[p.Best] * weights[p.Best]; q*weights[i] > best {
				t.Fatalf("head %d: label %d with %v beats the best, %d with %v", h, i, q*weights[i], p.Best, best)
			}
			sum += q
		}
		if !(math.Abs(sum-1) <= 1e-9) {
			t.Fatalf("head %d: probabilities %v add up to %v", h, p.Probabilities, sum)
		}
	}
}

var someFeatures = []Features{{Words: 1}, {Words: 2}, {Words: 3}, {Words: 1, CharMin: 2, CharMax: 3}, {Words: 3, CharMin: 2, CharMax: 5}}

func TestScoresAreThoseOfTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, f := range someFeatures {
		for _, m := range []*Model{tiny(t, f, tinyWords), aimed(t, f, tinyWords)} {
			c, definition := m.NewClassifier(), newReference(specOf(m))
			for range 100 {
				text := generated(rng)
				for _, target := range someTargets {
					r := c.Classify(text, target)
					checkScores(t, r, definition.raw(t, text, target), text, target)
					checkProbabilities(t, m, r)
				}
			}
		}
	}
}

// Every choice of blocks, in a head of its own, gives the scores of the
// definition.
func TestScoresOfBlocks(t *testing.T) {
	f := Features{Words: 2, CharMin: 3, CharMax: 4}
	one := aimedSpec(t, f, tinyWords)
	s := Spec{Features: f, IDs: one.IDs, IDF: one.IDF}
	rng := rand.New(rand.NewPCG(32, 33))
	for choice := 1; choice < 1<<values; choice++ {
		h := one.Heads[1]
		h.Name, h.Blocks = fmt.Sprint("head ", choice), nil
		for v := range Value(values) {
			if choice>>v&1 == 1 {
				h.Blocks = append(h.Blocks, Block{v, min(uint8(choice), v.MaxWeightBits()), (choice>>1+int(v))%3 > 0})
			}
		}
		h.TargetWeights = nil
		for range len(h.TargetIDs) * h.targetColumns() {
			h.TargetWeights = append(h.TargetWeights, int16(rng.Uint32()))
		}
		s.Heads = append(s.Heads, h)
	}
	for range len(s.IDs) * s.columns() {
		s.Weights = append(s.Weights, int16(rng.Uint32()))
	}
	m := build(t, s)
	c, definition := m.NewClassifier(), newReference(specOf(m))
	for range 100 {
		text, target := generated(rng), []string{"", peacePlan, tariffs}[rng.IntN(3)]
		r := c.Classify(text, target)
		checkScores(t, r, definition.raw(t, text, target), text, target)
		checkProbabilities(t, m, r)
	}
}

// A text of more features than the hit set starts with, and of many blocks of
// tokens.
func TestScoresOfLongTexts(t *testing.T) {
	texts := paragraphs(t)
	all := strings.Join(texts, " ")
	f := Features{Words: 3, CharMin: 2, CharMax: 5}
	for _, m := range []*Model{large(t, f, []Block{{Binary, 11, false}, {TFIDF, 8, false}}, texts), aimed(t, f, texts...)} {
		for _, text := range []string{all, strings.Repeat(all+"\n", 20)} {
			for _, target := range []string{"", tariffs} {
				r := m.NewClassifier().Classify(text, target)
				checkScores(t, r, newReference(specOf(m)).raw(t, text, target), text, target)
				checkProbabilities(t, m, r)
			}
		}
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
		if r := m.NewClassifier().Classify(c.text, ""); r.Words != c.words || r.KnownWords != c.known || r.UsedBytes != len(c.text) {
			t.Errorf("%q: %d of %d words in %d bytes, want %d of %d in %d", c.text, r.KnownWords, r.Words, r.UsedBytes, c.known, c.words, len(c.text))
		}
	}
}

func TestNoEvidence(t *testing.T) {
	m := tiny(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords+" !", "#goal")
	c := m.NewClassifier()
	for _, text := range []string{"", "...", "qwrtz", "goals matches", "!!", "#goal!", "\xff\xfe"} {
		r := c.Classify(text, "")
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

func TestOutOfDomain(t *testing.T) {
	s := *specOf(tiny(t, Features{Words: 1}, "goal"))
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
		if got := build(t, s).NewClassifier().Classify(c.text, "").Decide(1, Thresholds{}); got != c.want {
			t.Errorf("%q with a share of %v: %v, want %v", c.text, c.share, got, c.want)
		}
	}
}

// softmax is the definition of calibrated probabilities.
func softmax(raw []int64, inverseTemperature float64) []float64 {
	p, sum := make([]float64, len(raw)), 0.0
	for i, r := range raw {
		p[i] = math.Exp(inverseTemperature * float64(r-slices.Max(raw)) / (1 << ScoreBits))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
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
		k := weighted(t, Features{Words: 1}, Binary, map[string]int16{"goal": 1}).NewClassifier()
		k.Classify("goal", "")
		head, p := &k.m.spec.Heads[0], &k.result.Predictions[0]
		head.InverseTemperature, p.Raw = c.inverseTemperature, c.raw
		k.calibrate(0)
		for i, got := range p.Probabilities {
			if !(math.Abs(got-c.want[i]) < 1e-9) {
				t.Errorf("%v at %v: %v, want %v", c.raw, c.inverseTemperature, p.Probabilities, c.want)
			}
		}
	}
}

// The heaviest text that is read keeps scores inside an int64.
func TestScoresDoNotOverflow(t *testing.T) {
	f := Features{Words: 3, CharMin: 2, CharMax: 5}
	const pattern = "a!" // two tokens, three n-grams of words for each, three of characters
	ids := featureIDs(t, f, strings.Repeat(pattern, 4))
	s := Spec{Features: f, IDs: ids, IDF: slices.Repeat([]uint16{math.MaxUint16}, len(ids)), Heads: []Head{{
		Name: "h", Labels: []string{"down", "up"}, DocCounts: []uint64{1, 1}, Prior: []float64{0.5, 0.5}, Bias: []int64{-maxBias, maxBias},
		Blocks: []Block{{Binary, 0, true}, {TF, 0, true}, {BinaryL2, 0, true}, {TFIDF, 0, true}}, InverseTemperature: 1e9,
		Targets:                  []Target{{Name: "b", DocCounts: []uint64{1, 1}, Prior: []float64{0.5, 0.5}, Bias: []int64{-maxBias, maxBias}}},
		TargetInverseTemperature: 1e9,
	}}}
	h := &s.Heads[0]
	for _, id := range ids {
		h.TargetIDs = append(h.TargetIDs, Cross(id, "b"))
	}
	slices.Sort(h.TargetIDs)
	for range len(ids) * len(h.Blocks) {
		s.Weights = append(s.Weights, math.MinInt16, math.MaxInt16)
		h.TargetWeights = append(h.TargetWeights, math.MinInt16, math.MaxInt16)
	}
	c := build(t, s).NewClassifier()
	c.Classify(strings.Repeat(pattern, 4), "")
	for i := range c.set.hits {
		c.set.hits[i].count = MaxTextBytes / 2 // as of the longest text
	}
	c.value()
	c.score()
	c.aim(0, "b")
	c.calibrate(0)
	p := c.result.Predictions[0]
	// Of the block of term frequencies alone, and each feature counts twice: with
	// the target's weight.
	least := int64(2*len(ids)*MaxTextBytes/2) << ScoreBits
	if len(c.set.hits) != 9 || p.Raw[0] > least*math.MinInt16 || p.Raw[1] < least*math.MaxInt16 {
		t.Errorf("%d hits with scores %v, want 9 with scores beyond %d and %d", len(c.set.hits), p.Raw, least*math.MinInt16, least*math.MaxInt16)
	}
	if p.Probabilities[0] != 0 || p.Probabilities[1] != 1 {
		t.Errorf("probabilities %v, want 0 and 1", p.Probabilities)
	}
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
	r := c.Classify(text, "")
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

var someTargets = []string{"", peacePlan, "unheard of", tariffs}

func TestClassifierForgetsTheLastText(t *testing.T) {
	m := aimed(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords)
	rng := rand.New(rand.NewPCG(8, 9))
	used := m.NewClassifier()
	for i := range 300 {
		text, target := generated(rng), someTargets[rng.IntN(len(someTargets))]
		if i == 100 {
			used.set.generation, text = math.MaxUint32, tinyWords // the counter goes round
		}
		fresh := m.NewClassifier()
		got, want := copyOf(used.Classify(text, target)), copyOf(fresh.Classify(text, target))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%q about %q:\n used %v\nfresh %v", text, target, got, want)
		}
		if got, want := fmt.Sprint(used.Explain(1, 2, 4)), fmt.Sprint(fresh.Explain(1, 2, 4)); got != want {
			t.Fatalf("%q about %q:\n used %v\nfresh %v", text, target, got, want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := aimed(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords)
	rng := rand.New(rand.NewPCG(10, 11))
	var texts, want []string
	for i := range 50 {
		texts = append(texts, generated(rng))
		want = append(want, fmt.Sprint(copyOf(m.NewClassifier().Classify(texts[i], someTargets[i%4]))))
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				k := (i*7 + worker) % len(texts)
				c := m.Acquire()
				if got := fmt.Sprint(copyOf(c.Classify(texts[k], someTargets[k%4]))); got != want[k] {
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
	c.Classify(strings.Repeat("x ", 4*maxPooled), "")
	m.Release(c)
	for range 10 {
		if m.Acquire() == c {
			t.Fatal("the pool keeps the memory of a giant")
		}
	}
}

// No memory is taken for a text once the classifier has seen texts of its size,
// whatever the values, with and without a target.
func TestClassifyAllocatesNothing(t *testing.T) {
	texts := paragraphs(t)
	all := aimedSpec(t, Features{Words: 2, CharMin: 2, CharMax: 3}, texts...)
	for v := range Value(values) {
		alone := all
		alone.Heads = slices.Clone(all.Heads[1:2])
		h := &alone.Heads[0]
		h.Blocks = []Block{{v, 7, true}}
		h.TargetWeights = h.TargetWeights[:len(h.TargetIDs)*len(h.Labels)]
		alone.Weights = all.Weights[:len(all.IDs)*len(h.Labels)]
		if v != TFIDF {
			alone.IDF = nil
		}
		checkAllocations(t, v.String(), build(t, alone), texts)
	}
	checkAllocations(t, "all values", build(t, all), texts)
	for _, f := range []Features{{Words: 2}, {Words: 3, CharMin: 2, CharMax: 5}} {
		m := tiny(t, f, texts...)
		checkAllocations(t, f.String(), m, texts)
		if r := m.NewClassifier().Classify(texts[0], ""); r.KnownWords != r.Words || r.Words < 50 || !utf8.ValidString(texts[0]) {
			t.Errorf("%v: the paragraph has %d of %d words known", f, r.KnownWords, r.Words)
		}
	}
}

func checkAllocations(t *testing.T, name string, m *Model, texts []string) {
	t.Helper()
	c := m.NewClassifier()
	for _, target := range someTargets {
		for _, text := range texts {
			c.Classify(text, target)
		}
		i := 0
		if n := testing.AllocsPerRun(100, func() {
			c.Classify(texts[i%len(texts)], target)
			i++
		}); n != 0 {
			t.Errorf("%s, about %q: %v allocations a text, want 0", name, target, n)
		}
	}
}

// FuzzClassify holds that no text about anything makes a wild answer.
func FuzzClassify(f *testing.F) {
	for _, q := range []struct{ text, target string }{
		{"", ""},
		{tinyWords, peacePlan},
		{"Goal! GOAL scored in the match", " PEACE\tPlan"},
		{"qwrtz vbnm", "Zo\u0308lle"},
		{"#goal @match https://a.b/c \xff 平和", "\xff"},
		{strings.Repeat("shares fell ", 100), tariffs},
	} {
		f.Add(q.text, q.target)
	}
	m := aimed(f, Features{Words: 3, CharMin: 2, CharMax: 5}, tinyWords, "#goal !")
	definition, used := newReference(specOf(m)), m.NewClassifier()
	f.Fuzz(func(t *testing.T, text, target string) {
		r := used.Classify(text, target)
		checkScores(t, r, definition.raw(t, text, CanonicalTarget(target)), text, target)
		checkProbabilities(t, m, r)
		checkExplanations(t, used, r, text)
		for h := range r.Predictions {
			checkTarget(t, m, r, h, target)
			if d := r.Decide(h, Thresholds{}); (d == NoEvidence) != (r.KnownWords == 0) {
				t.Fatalf("%q: %v with %d known words", text, d, r.KnownWords)
			}
		}
		if got, want := fmt.Sprint(copyOf(r)), fmt.Sprint(copyOf(m.NewClassifier().Classify(text, target))); got != want {
			t.Fatalf("%q about %q:\n used %v\nfresh %v", text, target, got, want)
		}
	})
}

// checkTarget fails unless the prediction of head h names the target that was
// given, and a text without evidence has that target's prior.
func checkTarget(t testing.TB, m *Model, r *Result, h int, target string) {
	t.Helper()
	head, p := &m.Heads()[h], &r.Predictions[h]
	want := slices.IndexFunc(head.Targets, func(t Target) bool { return t.Name == CanonicalTarget(target) })
	prior, bias := head.Prior, head.Bias
	if want >= 0 {
		prior, bias = head.Targets[want].Prior, slices.Clone(head.Bias)
		for i, b := range head.Targets[want].Bias {
			bias[i] += b
		}
	}
	if p.Target != want {
		t.Fatalf("head %s about %q: target %d, want %d", head.Name, target, p.Target, want)
	}
	if r.KnownWords == 0 && (!slices.Equal(p.Probabilities, prior) || !slices.Equal(p.Raw, bias)) {
		t.Fatalf("head %s about %q without evidence: %v of %v, want the prior %v and the biases %v", head.Name, target, p.Probabilities, p.Raw, prior, bias)
	}
}
