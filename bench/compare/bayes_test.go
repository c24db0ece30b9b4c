package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/bayesian"
)

// The scores are those of package bayesian, which are held to answers that the
// library itself gave.
func TestBayesScoresAsTheLibrary(t *testing.T) {
	f, err := os.Open("../../internal/bayesian/testdata/plain.gob")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := bayesian.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := want.Counts()
	if err != nil {
		t.Fatal(err)
	}
	b := newBayes(len(counts.Classes))
	text := []string{"nobody has seen this"}
	for i, class := range counts.Classes {
		for j, w := range class.Words {
			for range w.Count {
				b.learn(i, []string{w.Word})
			}
			if w.Count > 0 && j < 4 {
				text = append(text, w.Word)
			}
		}
	}
	for n := range text {
		words := strings.Fields(strings.Join(text[:n+1], " "))
		got, answer := b.scores(words), want.LogScores(words)
		for i, s := range answer.Scores {
			if math.Abs(got[i]-s) > 1e-9*math.Abs(s) {
				t.Errorf("%q, class %d: got %v, want %v", words, i, got[i], s)
			}
		}
		if best := b.classify(strings.Join(words, " ")); best != answer.Best {
			t.Errorf("%q: class %d, want %d", words, best, answer.Best)
		}
	}
}
