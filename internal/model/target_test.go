package model

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestCanonicalTarget(t *testing.T) {
	for _, c := range []struct{ target, want string }{
		{"", ""},
		{" \t\n", ""},
		{"peace plan", "peace plan"},
		{" Peace\t \u00a0PLAN\n", "peace plan"},
		{"E\u0301TE\u0301", "été"},
		{"J\u030cA", "ǰa"}, // only the small letter has a composed form
		{"K\u212b", "kå"},  // signs for kelvin and ångström
		{"İstanbul", "istanbul"},
		{"#Alaska2025!", "#alaska2025!"},
		{"平和 条約", "平和 条約"},
		{"peace\u2003plan", "peace plan"},
		{"a\xffb", "a\ufffdb"},
	} {
		if got := CanonicalTarget(c.target); got != c.want {
			t.Errorf("CanonicalTarget(%q) = %q, want %q", c.target, got, c.want)
		}
	}
}

// checkCanonicalTarget fails unless the canonical form of s is one.
func checkCanonicalTarget(t testing.TB, s string) {
	t.Helper()
	got := CanonicalTarget(s)
	if again := CanonicalTarget(got); again != got {
		t.Fatalf("the canonical form of %q is %q, whose canonical form is %q", s, got, again)
	}
	if !norm.NFC.IsNormalString(got) || strings.ToLower(got) != got || strings.Join(strings.Fields(got), " ") != got {
		t.Fatalf("the canonical form of %q is %q: not composed, in lower case and with single spaces", s, got)
	}
}

// The canonical form of a canonical form is itself, for every character with
// accents.
func TestCanonicalTargetIsCanonical(t *testing.T) {
	for r := range rune(0x30000) { // above are no letters with two forms
		c := string(r)
		checkCanonicalTarget(t, c+"\u030c\u0323  "+c)
		checkCanonicalTarget(t, "a\u0308"+c)
	}
}

func FuzzCanonicalTarget(f *testing.F) {
	for _, s := range []string{"", " Peace\tPLAN ", "J\u030cA", "a\xff \u0301b", "\u1100\u1161\u11a8", "İ\u0307\u0323"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkCanonicalTarget(t, s)
		if got, want := CanonicalTarget("  "+s+"\t"), CanonicalTarget(s); got != want {
			t.Fatalf("%q with space around it is %q, without %q", s, got, want)
		}
	})
}

func TestHeadTarget(t *testing.T) {
	m := aimed(t, Features{Words: 1}, tinyWords)
	topic, stance, tone := &m.Heads()[0], &m.Heads()[1], &m.Heads()[2]
	for _, c := range []struct {
		head   *Head
		target string
		want   int
	}{
		{stance, peacePlan, 0},
		{stance, tariffs, 1},
		{stance, " Peace  PLAN", 0},
		{stance, "ZO\u0308LLE", 1},
		{stance, "", -1},
		{stance, " ", -1},
		{stance, "peace", -1},
		{stance, "peaceplan", -1},
		{stance, "zolle", -1},
		{tone, peacePlan, -1},
		{tone, tariffs, 0},
		{topic, peacePlan, -1},
	} {
		if got := c.head.Target(c.target); got != c.want {
			t.Errorf("head %s: target %q is %d, want %d", c.head.Name, c.target, got, c.want)
		}
	}
}

// The ids below never change while ExtractorVersion stays.
func TestCrossIDsAreFixed(t *testing.T) {
	for _, c := range []struct {
		word, target string
		want         FeatureID
	}{
		{"peace", peacePlan, 0xcbeb3b75e0e1bb86},
		{"peace", tariffs, 0x79e27ce74c22958},
		{"war", peacePlan, 0x4e542b50349f9943},
		{"peace", "", 0x8fbc836bd34cffaf},
	} {
		if got := Cross(wordID(t, c.word), c.target); got != c.want {
			t.Errorf("the id of %q about %q is %#x, want %#x", c.word, c.target, got, c.want)
		}
	}
}

// No two features of texts share an id, whichever target they are about.
func TestCrossIDsDiffer(t *testing.T) {
	f := Features{Words: 3, CharMin: 2, CharMax: 5}
	ids := featureIDs(t, f, paragraphs(t)...)
	n := len(ids)
	targets := []string{"a", "b", "aa", "ab", "ba", peacePlan, tariffs, "peace plan ", "\x00a"}
	for _, id := range ids[:n:n] {
		for _, target := range targets {
			ids = append(ids, Cross(id, target))
		}
	}
	slices.Sort(ids)
	if want, got := n*(1+len(targets)), len(slices.Compact(ids)); got != want {
		t.Errorf("%d features with %d targets have %d ids, want %d", n, len(targets), got, want)
	}
}

// The weights of a target are added to those of the features.
func TestTargetWeightsAdd(t *testing.T) {
	const nat = 1 << ScoreBits
	s := *specOf(weighted(t, Features{Words: 2}, TF, map[string]int16{"peace": 2, "talks": -5, "war": 1}))
	s.Heads[0].Blocks[0].Targets = true
	s.Heads[0].Targets = []Target{{Name: "nato", DocCounts: []uint64{1, 1}, Prior: []float64{0.25, 0.75}, Bias: []int64{nat / 2, 0}}}
	cross := map[FeatureID]int16{ // of texts about the target; "talks" has none
		Cross(wordID(t, "peace"), "nato"): -7,
		Cross(wordID(t, "war"), "nato"):   100,
		Cross(wordID(t, "war"), "un"):     1000,
	}
	for _, id := range slices.Sorted(maps.Keys(cross)) {
		h := &s.Heads[0]
		h.TargetIDs, h.TargetWeights = append(h.TargetIDs, id), append(h.TargetWeights, cross[id], -cross[id])
	}
	c := build(t, s).NewClassifier()
	for _, q := range []struct {
		target string
		raw    []int64
		terms  []Evidence
	}{
		{"", []int64{2 * nat, 1 * nat}, []Evidence{{6, 11, -5 * nat, 1}, {0, 5, 4 * nat, 2}}},
		{"un", []int64{2 * nat, 1 * nat}, []Evidence{{6, 11, -5 * nat, 1}, {0, 5, 4 * nat, 2}}},
		{"NATO", []int64{2*nat - 14*nat + nat/2, 15 * nat}, []Evidence{{0, 5, -10 * nat, 2}, {6, 11, -5 * nat, 1}}},
	} {
		r := c.Classify("peace talks peace", q.target)
		if got := r.Predictions[0].Raw; !slices.Equal(got, q.raw) {
			t.Errorf("about %q: scores %v, want %v", q.target, got, q.raw)
		}
		if r.Words != 3 || r.KnownWords != 3 {
			t.Errorf("about %q: %d of %d words known, want 3 of 3", q.target, r.KnownWords, r.Words)
		}
		if e := c.Explain(0, 0, -1); !slices.Equal(e.Terms, q.terms) {
			t.Errorf("about %q: terms %+v, want %+v", q.target, e.Terms, q.terms)
		}
	}
}

// A target that a head does not know changes nothing in it, and the answer
// says so.
func TestUnknownTargets(t *testing.T) {
	m := aimed(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords)
	rng := rand.New(rand.NewPCG(36, 37))
	plain, about := m.NewClassifier(), m.NewClassifier()
	changed := 0
	for range 300 {
		text := generated(rng)
		want := plain.Classify(text, "")
		for _, target := range []string{"unheard of", peacePlan, strings.ToUpper(tariffs)} {
			got := about.Classify(text, target)
			if got.Words != want.Words || got.KnownWords != want.KnownWords {
				t.Fatalf("%q about %q: %d of %d words known, want %d of %d", text, target, got.KnownWords, got.Words, want.KnownWords, want.Words)
			}
			for h := range m.Heads() {
				checkTarget(t, m, got, h, target)
				p, q := got.Predictions[h], want.Predictions[h]
				if q.Target != -1 {
					t.Fatalf("%q: head %d used target %d, want -1", text, h, q.Target)
				}
				if same := slices.Equal(p.Raw, q.Raw) && slices.Equal(p.Probabilities, q.Probabilities); p.Target < 0 && !same {
					t.Fatalf("%q about %q, head %d: %+v, want %+v", text, target, h, p, q)
				} else if p.Target >= 0 && !same {
					changed++
				}
			}
		}
	}
	if changed < 300 {
		t.Errorf("a known target changed %d answers, want most of 900", changed)
	}
}

func TestNoEvidenceAboutATarget(t *testing.T) {
	m := aimed(t, Features{Words: 2, CharMin: 2, CharMax: 5}, tinyWords)
	c := m.NewClassifier()
	for _, text := range []string{"", "...", "qwrtz", "goals matches"} {
		for _, target := range []string{"", "unheard of", peacePlan, "Peace  plan", tariffs} {
			r := c.Classify(text, target)
			for h := range m.Heads() {
				checkTarget(t, m, r, h, target)
				if d := r.Decide(h, Thresholds{}); d != NoEvidence {
					t.Errorf("%q about %q, head %d: %v, want %v", text, target, h, d, NoEvidence)
				}
			}
		}
	}
	p := c.Classify("qwrtz", peacePlan).Predictions[1]
	if !slices.Equal(p.Probabilities, []float64{0.125, 0.125, 0.75}) || p.Best != 2 || !slices.Equal(p.Raw, []int64{7 - 1<<19, 1 - 1<<20, 2 + 1<<16}) {
		t.Errorf("without evidence about %q: %+v, want the target's prior and biases", peacePlan, p)
	}
}

// A target has an inverse temperature of its own.
func TestTargetTemperature(t *testing.T) {
	m := aimed(t, Features{Words: 1}, tinyWords)
	c := m.NewClassifier()
	for _, q := range []struct {
		target  string
		inverse float64
	}{{"", 0.5}, {"unheard of", 0.5}, {peacePlan, 0.25}} {
		p := c.Classify("goal scored", q.target).Predictions[1]
		want := softmax(p.Raw, q.inverse)
		for i := range want {
			if d := p.Probabilities[i] - want[i]; !(d < 1e-12 && d > -1e-12) {
				t.Errorf("about %q: probabilities %v of %v, want %v", q.target, p.Probabilities, p.Raw, want)
			}
		}
	}
}
