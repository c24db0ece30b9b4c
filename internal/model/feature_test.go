package model

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// extract returns the features of text, which stay valid.
func extract(t testing.TB, f Features, seed uint64, text string) []Feature {
	t.Helper()
	x, err := NewExtractor(f, seed)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(x.Extract(text))
}

// wordID returns the id of the n-gram of all the tokens of text.
func wordID(t testing.TB, text string) FeatureID {
	t.Helper()
	features := extract(t, Features{Words: MaxWords}, 0, text)
	return features[len(features)-1].ID
}

// charID returns the id of a character n-gram, spelled from its definition.
func charID(ngram string) FeatureID {
	return finish(hash(familyCharacter, []byte(ngram)))
}

func TestFeaturesCheck(t *testing.T) {
	for _, c := range []struct {
		f    Features
		text string // of String
		err  string
	}{
		{Features{Words: 1}, "words 1", ""},
		{Features{Words: 2}, "words 1-2", ""},
		{Features{Words: 3, CharMin: 2, CharMax: 5}, "words 1-3, characters 2-5", ""},
		{Features{Words: 1, CharMin: 3, CharMax: 3}, "words 1, characters 3-3", ""},
		{Features{}, "words 1", "word n-grams up to 0: want 1 to 3"},
		{Features{Words: 4}, "words 1-4", "word n-grams up to 4: want 1 to 3"},
		{Features{Words: 1, CharMin: 1, CharMax: 5}, "words 1, characters 1-5", "character n-grams from 1 to 5: want 2 to 5, or 0 for none"},
		{Features{Words: 1, CharMin: 2, CharMax: 6}, "words 1, characters 2-6", "character n-grams from 2 to 6: want 2 to 5, or 0 for none"},
		{Features{Words: 1, CharMin: 4, CharMax: 3}, "words 1, characters 4-3", "character n-grams from 4 to 3: want 2 to 5, or 0 for none"},
		{Features{Words: 1, CharMin: 2}, "words 1", "character n-grams from 2 to 0: want 2 to 5, or 0 for none"},
	} {
		if got := c.f.String(); got != c.text {
			t.Errorf("%#v is %q, want %q", c.f, got, c.text)
		}
		message := ""
		if _, err := NewExtractor(c.f, 0); err != nil {
			message = err.Error()
		}
		if message != c.err {
			t.Errorf("%v: error %q, want %q", c.f, message, c.err)
		}
	}
}

func TestWordFeatures(t *testing.T) {
	const text = "Peace talks, at last!"
	type want struct {
		span    string
		id      FeatureID
		words   uint8
		counted bool
	}
	var got []want
	for _, f := range extract(t, Features{Words: 3}, 0, text) {
		got = append(got, want{text[f.Start:f.End], f.ID, f.Words, f.Counted})
	}
	if want := []want{
		{"Peace", wordID(t, "peace"), 1, true},
		{"talks", wordID(t, "talks"), 1, true},
		{"at", wordID(t, "at"), 1, true},
		{"last", wordID(t, "last"), 1, true},
		{"!", wordID(t, "!"), 1, false},
		{"Peace talks", wordID(t, "peace talks"), 2, false},
		{"talks, at", wordID(t, "talks at"), 2, false},
		{"at last", wordID(t, "at last"), 2, false},
		{"last!", wordID(t, "last !"), 2, false},
		{"Peace talks, at", wordID(t, "peace talks at"), 3, false},
		{"talks, at last", wordID(t, "talks at last"), 3, false},
		{"at last!", wordID(t, "at last !"), 3, false},
	}; !slices.Equal(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
	for n, count := range []int{0, 5, 9, 12} {
		if n > 0 {
			if got := len(extract(t, Features{Words: n}, 0, text)); got != count {
				t.Errorf("words up to %d give %d features, want %d", n, got, count)
			}
		}
	}
}

func TestWordIDsAreThoseOfTheTokens(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"peace talks", "Peace; (TALKS)", true},
		{"peace talks", "peace – 🕊 – talks", true},
		{"don't go", "Don’t: go", true},
		{"été", "E\u0301TE\u0301", true},
		{"http://a.b", "www.c.d/e", true},
		{"peace talks", "peace! talks", false}, // "!" is a token
		{"peace talks", "talks peace", false},
		{"peace talks", "peacetalks", false},
		{"peace", "#peace", false},
		{"peace", "peace peace", false},
	} {
		if same := wordID(t, c.a) == wordID(t, c.b); same != c.same {
			t.Errorf("the last n-grams of %q and %q have one id: %v, want %v", c.a, c.b, same, c.same)
		}
	}
}

func TestCharacterFeatures(t *testing.T) {
	const text = "Été go! www.a.b #x"
	for _, c := range []struct {
		f    Features
		want string // span:n-gram
	}{
		{Features{Words: 1, CharMin: 2, CharMax: 3},
			"Été: é|Été: ét|Été:ét|Été:été|Été:té|Été:té |Été:é |go: g|go: go|go:go|go:go |go:o |#x: #|#x: #x|#x:#x|#x:#x |#x:x "},
		{Features{Words: 1, CharMin: 5, CharMax: 5}, "Été: été "},
		{Features{Words: 3, CharMin: 4, CharMax: 4}, "Été: été|Été:été |go: go |#x: #x "},
	} {
		var want []string
		for _, s := range strings.Split(c.want, "|") {
			span, ngram, _ := strings.Cut(s, ":")
			want = append(want, fmt.Sprintf("%s:%x", span, charID(ngram)))
		}
		var got []string
		for _, f := range extract(t, c.f, 0, text) {
			if f.Words == 0 {
				got = append(got, fmt.Sprintf("%s:%x", text[f.Start:f.End], f.ID))
				if f.Counted {
					t.Errorf("%v: a character n-gram of %q counts as a word", c.f, text[f.Start:f.End])
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", c.f, got, want)
		}
	}
}

func TestCharactersOfALongWord(t *testing.T) {
	f := Features{Words: 1, CharMin: 2, CharMax: 2}
	for _, c := range []struct{ runes, want int }{
		{1, 1 + 2},
		{maxWordRunes, 1 + maxWordRunes + 1},
		{maxWordRunes + 1, 1 + maxWordRunes + 1},
		{100_000, 1 + maxWordRunes + 1},
	} {
		if got := len(extract(t, f, 0, strings.Repeat("é", c.runes))); got != c.want {
			t.Errorf("a word of %d characters gives %d features, want %d", c.runes, got, c.want)
		}
	}
}

func TestBlocksOfTokensDoNotMatter(t *testing.T) {
	text := strings.Join(paragraphs(t), "\n")
	type gram struct {
		id FeatureID
		span
	}
	for _, f := range []Features{{Words: 1}, {Words: 3}, {Words: 2, CharMin: 2, CharMax: 5}} {
		var k tokenizer
		k.tokenize(text)
		read := func(block int) []gram {
			var g grams
			var list []gram
			for lo := 0; lo < len(k.tokens); lo += block {
				g.read(&k, f, lo, min(lo+block, len(k.tokens)))
				at := 0
				for s := range g.all() {
					list = append(list, gram{g.ids[at], s})
					at++
				}
				if at != len(g.ids) || at != g.ends[0] {
					t.Fatalf("%v: %d spans of %d ids, of which the last ends at %d", f, at, len(g.ids), g.ends[0])
				}
			}
			slices.SortFunc(list, func(a, b gram) int {
				return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.words, b.words), cmp.Compare(a.id, b.id))
			})
			return list
		}
		want := read(len(k.tokens) + 1)
		for _, block := range []int{1, 2, 3, blockTokens} {
			if got := read(block); !slices.Equal(got, want) {
				t.Errorf("%v: blocks of %d tokens give other n-grams", f, block)
			}
		}
	}
}

func TestSeedGivesOtherIDsInTheSameOrder(t *testing.T) {
	text := strings.Join(paragraphs(t), "\n")
	f := Features{Words: 3, CharMin: 2, CharMax: 5}
	a, b := extract(t, f, 0, text), extract(t, f, 1, text)
	if len(a) != len(b) {
		t.Fatalf("%d features, with a seed %d", len(a), len(b))
	}
	ids := map[FeatureID]FeatureID{}
	for i := range a {
		if a[i].ID == b[i].ID {
			t.Errorf("feature %d has the id %#x with either seed", i, a[i].ID)
		}
		if other, ok := ids[a[i].ID]; ok && other != b[i].ID {
			t.Errorf("feature %d: %#x is %#x and %#x with the seed", i, a[i].ID, other, b[i].ID)
		}
		ids[a[i].ID] = b[i].ID
		a[i].ID, b[i].ID = 0, 0
	}
	if !slices.Equal(a, b) {
		t.Error("the features differ in more than their ids")
	}
}

// The ids below never change while ExtractorVersion stays: model files hold
// them.
func TestIDsAreFixed(t *testing.T) {
	for _, c := range []struct {
		name string
		id   FeatureID
		want FeatureID
	}{
		{"peace", wordID(t, "peace"), 0xea92cb902b00b6b1},
		{"don't", wordID(t, "don’t"), 0x632ad3450d6d2e54},
		{"été", wordID(t, "ÉTÉ"), 0x39f93f6fd59c314f},
		{"平", wordID(t, "平"), 0x39c78a11304fa43a},
		{"URL", wordID(t, "https://example.com"), 0x540ed034ae15de24},
		{"#peace", wordID(t, "#Peace"), 0xe8f7afc8c86da112},
		{"!", wordID(t, "!"), 0xf6e3d02d96d755e1},
		{"peace talks", wordID(t, "peace talks"), 0xe5015726975c45e},
		{"peace talks failed", wordID(t, "peace talks failed"), 0xeec70d4feab72273},
		{"characters pe", charID(" pe"), 0x817f72e086f7fc13},
		{"characters a", charID(" a"), 0x6995a4c93c858bcd},
	} {
		if c.id != c.want {
			t.Errorf("the id of %s is %#x, want %#x", c.name, c.id, c.want)
		}
	}
	if finish(0) != 1 {
		t.Errorf("finish(0) = %d, want 1: 0 is not an id", finish(0))
	}
}

// noCollision fails when two of the n-grams share an id. It compares the
// numbers of distinct ids under two seeds: n-grams that share an id under both
// are as good as impossible.
func noCollision(t *testing.T, name string, a, b []FeatureID) {
	t.Helper()
	slices.Sort(a)
	slices.Sort(b)
	na, nb := len(slices.Compact(a)), len(slices.Compact(b))
	if na != nb || na < 1000 {
		t.Errorf("%s: %d distinct ids with one seed, %d with another", name, na, nb)
	}
}

func TestNoCollisionsInText(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var text strings.Builder
	for text.Len() < 1<<20 { // short words of few letters: n-grams that are much alike
		for range 1 + rng.IntN(8) {
			text.WriteRune([]rune("aabcdefghiкл1_é平")[rng.IntN(16)])
		}
		text.WriteString([]string{" ", ", ", "! ", "'", "? #"}[rng.IntN(5)])
	}
	f := Features{Words: 3, CharMin: 2, CharMax: 5}
	var ids [2][]FeatureID
	for seed := range ids {
		for _, feature := range extract(t, f, uint64(seed), text.String()) {
			ids[seed] = append(ids[seed], feature.ID)
		}
	}
	noCollision(t, "generated text", ids[0], ids[1])
}

func TestNoCollisionsOfFiveCharacters(t *testing.T) {
	alphabet := []string{" ", "a", "b", "c", "d", "e", "z", "0", "1", "9", "_", "'", "é", "ж", "平", "\U0010ffff"}
	for _, family := range []uint64{familyWord, familyCharacter} {
		ngrams := []string{""}
		var ids []FeatureID
		for range 5 {
			var next []string
			for _, ngram := range ngrams {
				for _, c := range alphabet {
					next = append(next, ngram+c)
				}
			}
			ngrams = next
			for _, ngram := range ngrams {
				ids = append(ids, finish(hash(family, []byte(ngram))))
			}
		}
		want := len(ids)
		slices.Sort(ids)
		if got := len(slices.Compact(ids)); got != want {
			t.Errorf("family %#x: %d n-grams have %d ids", family, want, got)
		}
	}
}

// A word has the same hash whether it was hashed in its text or by itself, of
// every length and whatever follows it.
func TestHashPadded(t *testing.T) {
	text := []byte(strings.Repeat("abcdefghijklmnopqrstuvwxyz", 4))
	for n := 1; n <= 40; n++ {
		if got, want := hashPadded(7, text, n), hash(7, text[:n]); got != want {
			t.Errorf("%d bytes: %#x, want %#x", n, got, want)
		}
	}
	if hash(7, []byte("abcdefgh")) == hash(7, []byte("abcdefgha")) {
		t.Error("eight bytes and nine have the same hash")
	}
}

// Each bit of an id is as often 1 as 0: the index takes its places from the
// highest, its marks from the lowest.
func TestIDsSpreadEvenly(t *testing.T) {
	const n = 1 << 16
	var ones [64]int
	for i := range uint64(n) {
		id := finish(step(familyWord, i))
		for bit := range ones {
			ones[bit] += int(id >> bit & 1)
		}
	}
	for bit, count := range ones {
		if count < n/2-n/64 || count > n/2+n/64 { // 8 standard deviations
			t.Errorf("bit %d is 1 in %d of %d ids", bit, count, n)
		}
	}
}

// Two features have the same string exactly when they are the same feature.
func TestStringsTellFeaturesApart(t *testing.T) {
	for _, f := range someFeatures {
		x, err := NewExtractor(f, 0)
		if err != nil {
			t.Fatal(err)
		}
		names, ids := map[FeatureID]string{}, map[string]FeatureID{}
		rng := rand.New(rand.NewPCG(9, 9))
		for range 200 {
			features, seen := x.Extract(generated(rng)), 0
			x.Strings(func(int) bool { return true }, func(i int, s string) {
				if i != seen {
					t.Fatalf("string %d comes as number %d", i, seen)
				}
				seen++
				id := features[i].ID
				if name, ok := names[id]; ok && name != s {
					t.Fatalf("feature %#x is %q and %q", id, name, s)
				}
				if other, ok := ids[s]; ok && other != id {
					t.Fatalf("%q is feature %#x and %#x", s, other, id)
				}
				names[id], ids[s] = s, id
			})
			if seen != len(features) {
				t.Fatalf("%d strings of %d features", seen, len(features))
			}
		}
	}
}

func TestStrings(t *testing.T) {
	x, err := NewExtractor(Features{Words: 2, CharMin: 2, CharMax: 3}, 0)
	if err != nil {
		t.Fatal(err)
	}
	x.Extract("E\u0301t\u00e9! Don't")
	var got []string
	x.Strings(func(i int) bool { return i%2 == 0 }, func(_ int, s string) { got = append(got, s) })
	want := []string{"\u00e9t\u00e9", "don't", "! don't", "~ \u00e9t", "~\u00e9t\u00e9", "~t\u00e9 ", "~ d", "~do", "~on", "~n'", "~'t", "~t "}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
