package model

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// paragraphs returns the texts of testdata/paragraphs.txt, about 400 bytes
// each.
func paragraphs(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/paragraphs.txt")
	if err != nil {
		t.Fatal(err)
	}
	texts := strings.Split(strings.TrimSpace(string(data)), "\n\n")
	if len(texts) < 10 {
		t.Fatalf("testdata/paragraphs.txt has %d paragraphs, want at least 10", len(texts))
	}
	return texts
}

// large returns a model of the size of a real one: two heads of 12 and 3
// labels with the given blocks, which knows every second feature of the
// paragraphs among 100,000 others, so that look-ups miss the nearest cache as
// they do in service.
func large(t testing.TB, f Features, blocks []Block, texts []string) *Model {
	t.Helper()
	x, err := NewExtractor(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 11))
	var ids []FeatureID
	for _, text := range texts {
		for _, feature := range x.Extract(text) {
			if feature.ID%2 == 0 || feature.Words == 1 {
				ids = append(ids, feature.ID)
			}
		}
	}
	for range 100_000 {
		ids = append(ids, FeatureID(rng.Uint64()|1))
	}
	slices.Sort(ids)
	s := Spec{Features: f, IDs: slices.Compact(ids)}
	for _, h := range []struct {
		name   string
		labels string
	}{
		{"topic", "aid arms children economy energy europe front law media sanctions summit territory"},
		{"stance", "con neutral pro"},
	} {
		head := Head{Name: h.name, Labels: strings.Fields(h.labels), Blocks: blocks, InverseTemperature: 0.4, TargetInverseTemperature: 1}
		for range head.Labels {
			head.DocCounts = append(head.DocCounts, 100+rng.Uint64N(900))
			head.Prior = append(head.Prior, 1/float64(len(strings.Fields(h.labels))))
			head.Bias = append(head.Bias, rng.Int64N(1<<22)-1<<21)
		}
		s.Heads = append(s.Heads, head)
	}
	for range len(s.IDs) * s.columns() {
		s.Weights = append(s.Weights, int16(rng.NormFloat64()*1500))
	}
	if s.weighted() {
		for range s.IDs {
			s.IDF = append(s.IDF, uint16(1<<IDFBits+rng.IntN(8<<IDFBits)))
		}
	}
	return build(t, s)
}

// The presets of features, and the blocks that go with them.
var presets = []struct {
	name   string
	f      Features
	blocks []Block
}{
	{"words_1-2", Features{Words: 2}, []Block{{Binary, 11, false}}},
	{"words_1-3,_characters_2-5", Features{Words: 3, CharMin: 2, CharMax: 5}, []Block{{Binary, 11, false}}},
	{"words_1-2,_tfidf", Features{Words: 2}, []Block{{TFIDF, 8, false}}},
	{"words_1-3,_characters_2-5,_binary_and_tfidf", Features{Words: 3, CharMin: 2, CharMax: 5}, []Block{{Binary, 11, false}, {TFIDF, 8, false}}},
}

// BenchmarkClassify is the whole path from text to decision, one paragraph at
// a time.
func BenchmarkClassify(b *testing.B) {
	texts := paragraphs(b)
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	for _, preset := range presets {
		m := large(b, preset.f, preset.blocks, texts)
		b.Run(preset.name, func(b *testing.B) {
			c := m.NewClassifier()
			for _, text := range texts {
				c.Classify(text, "")
			}
			b.SetBytes(int64(size / len(texts)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := c.Classify(texts[i%len(texts)], "")
				for h := range r.Predictions {
					r.Decide(h, Thresholds{MinProbability: 0.5})
				}
			}
		})
	}
}
