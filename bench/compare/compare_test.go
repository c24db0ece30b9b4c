package main

import (
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

func TestCopies(t *testing.T) {
	for _, c := range []struct {
		cpu, seconds float64
		want         int
	}{{0.5, 1, 2}, {0.4, 1, 4}, {2, 1, 1}, {1, 1, 1}, {0.001, 1, maxCopies}, {0, 1, maxCopies}, {-0.1, 1, maxCopies}} {
		if got := copiesFor(c.cpu, c.seconds); got != c.want {
			t.Errorf("%v s a copy, %v s: got %d, want %d", c.cpu, c.seconds, got, c.want)
		}
	}
}

func TestStatedPeak(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
	}{{"peak 4096\n", 4096}, {"a warning\npeak 8\n", 8}, {"peak 8\nand then this", 0}, {"", 0}, {"peak x", 0}} {
		if got := statedPeak(c.in); got != c.want {
			t.Errorf("%q: got %d, want %d", c.in, got, c.want)
		}
	}
}

func TestProcessor(t *testing.T) {
	for in, want := range map[string]string{
		"processor\t: 0\nmodel name\t: Fast 3000 @ 2 GHz\nmodel name\t: other\n": "Fast 3000 @ 2 GHz",
		"":               "unknown processor",
		"model : nine\n": "unknown processor",
	} {
		if got := processor(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		s      spread
		digits int
		want   string
	}{
		{spread{}, 1, "-"},
		{spread{2, 2, 2, 5}, 1, "2.0"},
		{spread{2, 1.96, 2.04, 3}, 1, "2.0"},
		{spread{2, 1.5, 3, 3}, 1, "2.0 (1.5 to 3.0)"},
		{spread{-0.001, -0.002, 0, 3}, 2, "0.00"},
		{spread{-1, -2, 0, 3}, 0, "-1 (-2 to 0)"},
	} {
		if got := c.s.format(c.digits); got != c.want {
			t.Errorf("%v: got %q, want %q", c.s, got, c.want)
		}
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		goal
		asked, answer string
	}{
		{atLeast("", 10, exactly(10)), ">= 10", "yes"},
		{atLeast("", 1.0/3, exactly(0.33)), ">= 0.333", "no"},
		{atMost("", 1.5, spread{1.5, 1, 9, 5}), "<= 1.5", "yes"},
		{atMost("", 0, exactly(0.1)), "<= 0", "no"},
		{atMost("", 1, spread{}), "<= 1", "no"}, // nothing was measured
	} {
		if got := c.goal.asked(); got != c.asked {
			t.Errorf("%+v: asked %q, want %q", c.goal, got, c.asked)
		}
		if got := c.goal.answer(); got != c.answer {
			t.Errorf("%+v: %q, want %q", c.goal, got, c.answer)
		}
	}
}

func TestMarkdown(t *testing.T) {
	r := report{Machine: machine{CPU: "Fast", Cores: 2, System: "linux/amd64", Go: "go1"}, Runs: 3, Data: dataSize{Heads: []string{"topic"}, Labels: 4, TrainingRows: 8, TestRows: 9}}
	s := section{Title: "Speed", Columns: []column{{"a text", "us", 1}, {"count", "", 0}}}
	s.add("a|b", exactly(1.25))
	r.Sections = append(r.Sections, s)
	r.Goals = append(r.Goals, atLeast("speed", 2, spread{3, 1, 4, 3}))
	var b strings.Builder
	r.writeMarkdown(&b)
	want := `Fast, 2 cores, linux/amd64, go1.
8 training rows (0.0 MB), 9 test rows (0.0 MB), 4 labels of head topic.
Medians of 3 runs in turns (of starts and loads at least 9), in brackets the least and the greatest.

## Speed

|  | a text, us | count |
|---|---|---|
| a\|b | 1.2 | - |

## What was asked and what was reached

| figure | asked | reached | met |
|---|---|---|---|
| speed | >= 2 | 3.00 (1.00 to 4.00) | yes |
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestAccuracy(t *testing.T) {
	s := system{name: "x", truth: []string{"a", "b", "c", "d"}}
	if got, err := s.accuracy("a\tone\nb\nx\td\nd\n"); got != 0.75 || err != nil {
		t.Errorf("got %v, %v, want 0.75", got, err)
	}
	if _, err := s.accuracy("a\nb\n"); err == nil {
		t.Error("two labels for four texts: no error")
	}
}

func TestDocuments(t *testing.T) {
	texts := []string{"one two", "three", "four five six", "seven"}
	for bytes, want := range map[int]string{
		8:   "one two|four", // the rest of what was cut is left out, and so is what is too short at the end
		13:  "one two three|four five six",
		14:  "one two three",
		100: "one two three four five six seven", // all there is
	} {
		if got := strings.Join(documents(texts, bytes), "|"); got != want {
			t.Errorf("%d bytes: got %q, want %q", bytes, got, want)
		}
	}
	if got := cut("ééé", 3); got != "é" {
		t.Errorf("a word that does not fit: got %q", got)
	}
}

func TestPeerLabels(t *testing.T) {
	c := collection{labels: []string{"A b", "C"}}
	if got := c.peerLabel("C"); got != "__label__1" {
		t.Errorf("got %q", got)
	}
}

func TestDuelsPairTheSameFeatures(t *testing.T) {
	var list []*labelling
	for i, who := range []string{"Parley", fastTextName, sklearnName} {
		for _, kind := range []string{withCharacters, wordsOnly} {
			list = append(list, &labelling{system: &system{name: systemName(who, kind)}, accuracy: 0.9, bytes: 1, perSecond: []float64{float64(12 / (i + 1))}})
		}
	}
	d := duels(list)
	if len(d) != 4 || d[0].who != fastTextName || d[0].kind != wordsOnly || d[3].peer.name != "scikit-learn, characters 2-5" {
		t.Fatalf("got %+v", d)
	}
	if got := d[0].speed(); got.Median != 2 {
		t.Errorf("speed beside fastText: got %v, want 2", got)
	}
	if goals := duelGoals(d); len(goals) != 4 || goals[0].Met || !goals[1].Met || !goals[2].Met {
		t.Errorf("goals: %+v", goals)
	}
	if got := duels(list[:2]); got != nil {
		t.Errorf("without peers: %+v", got)
	}
}

func TestMissingFastTextNamesThePackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := needFastText(); err == nil || !strings.Contains(err.Error(), "Debian package fasttext") {
		t.Errorf("got %v", err)
	}
}

func TestWeightsOnlyHoldsNothingOut(t *testing.T) {
	examples := []dataset.Example{{Group: "a"}, {}}
	if joinSources(examples); examples[0].Group != examples[1].Group || examples[0].Group == "" {
		t.Errorf("groups %q and %q", examples[0].Group, examples[1].Group)
	}
}
