package model

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestExplanationAddsUpToTheScore(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 13))
	for _, f := range []Features{{Words: 1}, {Words: 3}, {Words: 2, CharMin: 2, CharMax: 5}} {
		for _, m := range []*Model{tiny(t, f, tinyWords), aimed(t, f, tinyWords)} {
			c := m.NewClassifier()
			for i := range 150 {
				text := generated(rng)
				checkExplanations(t, c, c.Classify(text, someTargets[i%len(someTargets)]), text)
			}
		}
	}
}

// checkExplanations fails unless explanations of any length of each score of r,
// the last result of c, add up to it.
func checkExplanations(t testing.TB, c *Classifier, r *Result, text string) {
	t.Helper()
	for h, head := range c.m.Heads() {
		p := &r.Predictions[h]
		for label := range head.Labels {
			bias := head.Bias[label]
			if p.Target >= 0 {
				bias += head.Targets[p.Target].Bias[label]
			}
			for _, n := range []int{0, 1, 5, math.MaxInt, -1} {
				e := c.Explain(h, label, n)
				checkExplanation(t, text, e, n)
				sum := e.Bias + e.Remainder
				for _, term := range e.Terms {
					sum += term.Contribution
				}
				if sum != p.Raw[label] || e.Bias != bias {
					t.Fatalf("%q, %s %q, %d terms: bias %d and sum %d, want %d and %d", text, head.Name, head.Labels[label],
						n, e.Bias, sum, bias, p.Raw[label])
				}
				if (n < 0 || n == math.MaxInt) && e.Remainder != 0 {
					t.Fatalf("%q: remainder %d beside all terms", text, e.Remainder)
				}
			}
		}
	}
}

// checkExplanation fails when the terms of e are too many, out of order or not
// of the text.
func checkExplanation(t testing.TB, text string, e Explanation, n int) {
	t.Helper()
	if n >= 0 && len(e.Terms) > n {
		t.Fatalf("%q: %d terms, want at most %d", text, len(e.Terms), n)
	}
	spans := map[[2]int]bool{}
	for _, term := range e.Terms {
		if term.Start < 0 || term.Start >= term.End || term.End > len(text) || term.Contribution == 0 || term.Count < 1 {
			t.Fatalf("%q: term %+v", text, term)
		}
		if spans[[2]int{term.Start, term.End}] {
			t.Fatalf("%q: two terms for %q", text, text[term.Start:term.End])
		}
		spans[[2]int{term.Start, term.End}] = true
	}
	if !slices.IsSortedFunc(e.Terms, func(a, b Evidence) int {
		return cmp.Or(cmp.Compare(abs(b.Contribution), abs(a.Contribution)), cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	}) {
		t.Fatalf("%q: terms out of order: %+v", text, e.Terms)
	}
}

// weighted returns a model of one head with labels "a" and "b" in which every
// n-gram of words weighs for "a" as given, in nats, and the negative for "b".
// A key " xy" is a character n-gram.
func weighted(t *testing.T, f Features, value Value, weights map[string]int16) *Model {
	t.Helper()
	type row struct {
		id     FeatureID
		weight int16
	}
	var rows []row
	for ngram, weight := range weights {
		id := charID(ngram)
		if ngram[0] != ' ' {
			id = wordID(t, ngram)
		}
		rows = append(rows, row{id, weight})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	s := Spec{Features: f, Heads: []Head{{
		Name: "h", Labels: []string{"a", "b"}, DocCounts: []uint64{1, 1}, Prior: []float64{0.5, 0.5}, Bias: []int64{3 << ScoreBits, 0},
		Blocks: []Block{{Value: value}}, InverseTemperature: 1, TargetInverseTemperature: 1,
	}}}
	for _, r := range rows {
		s.IDs = append(s.IDs, r.id)
		s.Weights = append(s.Weights, r.weight, -r.weight)
	}
	if value == TFIDF {
		s.IDF = slices.Repeat([]uint16{1 << IDFBits}, len(rows))
	}
	return build(t, s)
}

func TestExplain(t *testing.T) {
	const nat = 1 << ScoreBits
	weights := map[string]int16{"peace": 2, "talks": -5, "war": 0, "peace talks": 5, " ta": 1, " pe": 4}
	chars := Features{Words: 2, CharMin: 3, CharMax: 3}
	for _, c := range []struct {
		name      string
		f         Features
		value     Value
		text      string
		label, n  int
		terms     []Evidence
		remainder int64
	}{
		{"level terms are in order of the text", Features{Words: 2}, Binary, "Peace-talks, war.", 0, 9,
			[]Evidence{{0, 11, 5 * nat, 1}, {6, 11, -5 * nat, 1}, {0, 5, 2 * nat, 1}}, 0},
		{"the other label", Features{Words: 2}, Binary, "Peace-talks", 1, 9,
			[]Evidence{{0, 11, -5 * nat, 1}, {6, 11, 5 * nat, 1}, {0, 5, -2 * nat, 1}}, 0},
		{"what is not listed remains", Features{Words: 2}, Binary, "Peace talks", 0, 1,
			[]Evidence{{0, 11, 5 * nat, 1}}, -3 * nat},
		{"all listed", Features{Words: 1}, Binary, "Peace talks", 0, -1,
			[]Evidence{{6, 11, -5 * nat, 1}, {0, 5, 2 * nat, 1}}, 0},
		{"a word known by its characters only", chars, TF, "talk peace talk", 0, 9,
			[]Evidence{{5, 10, (2 + 4) * nat, 1}, {0, 4, 2 * nat, 1}}, 0},
		{"nothing listed", Features{Words: 2}, Binary, "Peace talks", 0, 0, []Evidence{}, 2 * nat},
		{"a word counts once in a binary head", Features{Words: 1}, Binary, "war peace peace", 0, 9,
			[]Evidence{{4, 9, 2 * nat, 2}}, 0},
		{"and each time in the other", Features{Words: 1}, TF, "war peace peace", 0, 9,
			[]Evidence{{4, 9, 4 * nat, 2}}, 0},
		{"characters go to the first word that has them", chars, Binary, "a tall tale, talks; war", 0, 9,
			[]Evidence{{13, 18, -5 * nat, 1}, {2, 6, 1 * nat, 1}}, 0},
		{"characters and their word are one term", chars, TF, "peace pen peace", 0, 9,
			[]Evidence{{0, 5, (2*2 + 3*4) * nat, 2}}, 0},
		{"normalised values share the length", Features{Words: 1}, BinaryL2, "Peace talks peace", 0, 9,
			[]Evidence{{6, 11, -5 * 2896 << 8, 1}, {0, 5, 2 * 2896 << 8, 2}}, 0}, // 4096 / sqrt 2
		{"within a family", Features{Words: 2}, BinaryL2, "Peace talks", 0, 9,
			[]Evidence{{0, 11, 5 * nat, 1}, {6, 11, -5 * 2896 << 8, 1}, {0, 5, 2 * 2896 << 8, 1}}, 0},
		{"a frequent word has more of it", Features{Words: 1}, TFIDF, "war peace peace", 0, 9,
			[]Evidence{{4, 9, 2 * 3526 << 8, 2}}, 0}, // 1 + ln 2 is 433/256: 4096 * 433 / sqrt(256^2 + 433^2)
		{"no evidence, no terms", chars, TF, "pen tall", 0, 9, []Evidence{}, 0},
	} {
		m := weighted(t, c.f, c.value, weights)
		k := m.NewClassifier()
		k.Classify(c.text, "")
		e := k.Explain(0, c.label, c.n)
		if !slices.Equal(e.Terms, c.terms) || e.Remainder != c.remainder || e.Bias != m.Heads()[0].Bias[c.label] {
			t.Errorf("%s: %+v, want %+v and remainder %d", c.name, e, c.terms, c.remainder)
		}
	}
}
