package main

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestLibraryScores holds the answers of import --scores to those that the
// library itself gave.
func TestLibraryScores(t *testing.T) {
	const folder = "../../internal/bayesian/testdata/"
	for _, name := range []string{"plain", "tfidf-after"} {
		source, err := readBayesian(folder + name + ".gob")
		if err != nil {
			t.Fatal(err)
		}
		var recorded struct {
			Classes []string
			Rows    []struct {
				Doc    []string
				Log    []any `json:"log_scores"`
				Prob   []any `json:"prob_scores"`
				Best   int
				Strict bool
			}
		}
		b, err := os.ReadFile(folder + name + ".scores.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &recorded); err != nil || len(recorded.Rows) == 0 {
			t.Fatalf("%s: %d rows: %v", name, len(recorded.Rows), err)
		}
		for _, want := range recorded.Rows {
			got := printedRow(t, newLibraryRow(source, strings.Join(want.Doc, " ")))
			if got.LogScores.Best != recorded.Classes[want.Best] || got.LogScores.Strict != want.Strict {
				t.Errorf("%s: %q: %s (strict %v), want %s (%v)", name, got.Text, got.LogScores.Best, got.LogScores.Strict, recorded.Classes[want.Best], want.Strict)
			}
			for i, class := range recorded.Classes {
				checkScore(t, name+" log "+class+": "+got.Text, got.LogScores.Scores[i].Score, want.Log[i])
				checkScore(t, name+" prob "+class+": "+got.Text, got.Probabilities.Scores[i].Score, want.Prob[i])
			}
		}
	}
}

// Wherever the library's probabilities mean nothing, proper ones are given, and
// nowhere else.
func TestProperProbabilities(t *testing.T) {
	source, err := readBayesian("../../internal/bayesian/testdata/plain.gob")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[bool]int{}
	for n := range 60 {
		row := newLibraryRow(source, strings.TrimSpace(strings.Repeat("zebra ", n)))
		seen[row.Defined]++
		if row.Defined != (row.Proper == nil) {
			t.Errorf("%d words: defined %v, proper %v", n, row.Defined, row.Proper)
		}
		answer := row.Probabilities
		if !row.Defined {
			answer = row.Proper
		}
		sum := 0.0
		for _, s := range answer.Scores {
			sum += float64(s.Score)
		}
		if math.Abs(sum-1) > 1e-9 { // or NaN
			t.Errorf("%d words: probabilities %v", n, answer.Scores)
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("defined and not: %v", seen)
	}
}

// printed is a row as it stands on standard output.
type printed struct {
	Text          string
	LogScores     printedAnswer `json:"log_scores"`
	Probabilities printedAnswer
}

type printedAnswer struct {
	Best   string
	Strict bool
	Scores []struct{ Score any }
}

func printedRow(t *testing.T, row libraryRow) (p printed) {
	t.Helper()
	b, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// checkScore compares numbers to 1e-9, and what is no number as text.
func checkScore(t *testing.T, what string, got, want any) {
	t.Helper()
	g, isNumber := got.(float64)
	w, wanted := want.(float64)
	if isNumber != wanted || !isNumber && got != want || isNumber && !(math.Abs(g-w) <= 1e-9*max(1, math.Abs(w))) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{
		0.1: "0.1", 1.0 / 3: strconv.FormatFloat(1.0/3, 'g', -1, 64), 1e-40: "1e-40",
		math.Inf(1): `"+Inf"`, math.Inf(-1): `"-Inf"`,
	} {
		if b, err := json.Marshal(number(f)); err != nil || string(b) != want {
			t.Errorf("%v is written as %s: %v", f, b, err)
		}
	}
	if b, err := json.Marshal(number(math.NaN())); err != nil || string(b) != `"NaN"` {
		t.Errorf("NaN is written as %s: %v", b, err)
	}
}
