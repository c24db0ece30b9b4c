package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
)

// The report of a run is the same on every machine: it is compared byte for
// byte, the revision included.
func TestReportOfASmallCorpus(t *testing.T) {
	srcs, err := dataset.Files([]string{"testdata/small.jsonl"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.ReadAll(srcs, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, trained := mustTrain(t, set.Examples, set.Heads, quick())
	evaluated, err := Evaluate(m, set.Examples, set.Heads)
	if err != nil {
		t.Fatal(err)
	}
	for file, r := range map[string]*Report{"testdata/train.report": trained, "testdata/evaluate.report": evaluated} {
		got := asText(t, r)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
		}
	}
}

func TestReportSurvivesJSON(t *testing.T) {
	_, r := mustTrain(t, generated(1, 30), twoHeads, quick())
	want := asJSON(t, r)
	var again Report
	if err := json.Unmarshal(want, &again); err != nil {
		t.Fatal(err)
	}
	if got := asJSON(t, &again); !bytes.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGain(t *testing.T) {
	point := func(n int, f1 float64) judge.LearningPoint { return judge.LearningPoint{Examples: n, MacroF1: f1} }
	for _, c := range []struct {
		name  string
		curve []judge.LearningPoint
		more  int
		want  float64
	}{
		{"none", nil, 100, 0},
		{"one point", []judge.LearningPoint{point(100, 0.5)}, 100, 0},
		{"doubling gains 0.1", []judge.LearningPoint{point(50, 0.4), point(100, 0.5)}, 100, 0.1},
		{"only the last two count", []judge.LearningPoint{point(10, 0), point(50, 0.4), point(100, 0.5)}, 300, 0.2},
		{"falling", []judge.LearningPoint{point(50, 0.5), point(100, 0.4)}, 100, 0},
		{"no growth of the data", []judge.LearningPoint{point(100, 0.4), point(100, 0.5)}, 100, 0},
	} {
		within(t, c.name, gain(c.curve, c.more), c.want, 1e-12)
	}
}

func TestNamesOfOddCharacters(t *testing.T) {
	heads := []string{`a "head" / <b> % é`}
	labels := []string{"naïve 🙂", `"quoted", <b>&amp;`, "%d%s", " ", "和平\u2028", strings.Repeat("x", 256)}
	var examples []dataset.Example
	for i, ex := range generated(1, 60) {
		ex.Labels = []string{labels[i%len(labels)]}
		examples = append(examples, ex)
	}
	m, r := mustTrain(t, examples, heads, quick())
	var again Report
	if err := json.Unmarshal(asJSON(t, r), &again); err != nil {
		t.Fatal(err)
	}
	if got := again.Heads[0].Head; got != heads[0] || m.Head(heads[0]) != 0 {
		t.Errorf("head %q, want %q", got, heads[0])
	}
	text := asText(t, r)
	for i, l := range again.Heads[0].Labels {
		if l.Label != m.Heads()[0].Labels[i] || !strings.Contains(text, l.Label) {
			t.Errorf("label %q: want %q, and in the text\n%s", l.Label, m.Heads()[0].Labels[i], text)
		}
	}
}

func TestColumnsOfTheTextLineUp(t *testing.T) {
	for _, c := range []struct {
		labels []string
		want   int
	}{{nil, 5}, {[]string{"a"}, 5}, {[]string{"a", "territory"}, 9}, {[]string{"être né"}, 7}} {
		var list []judge.LabelMetrics
		for _, l := range c.labels {
			list = append(list, judge.LabelMetrics{Label: l})
		}
		if got := labelWidth(list); got != c.want {
			t.Errorf("%q: width %d, want %d", c.labels, got, c.want)
		}
	}
}

func TestConfusionOfManyLabelsIsLeftOut(t *testing.T) {
	for _, c := range []struct {
		labels int
		shown  bool
	}{{maxConfusion, true}, {maxConfusion + 1, false}} {
		var examples []dataset.Example
		for i, ex := range generated(1, 3*c.labels) {
			ex.Labels = []string{fmt.Sprint("label", i%c.labels)}
			examples = append(examples, ex)
		}
		_, r := mustTrain(t, examples, []string{"topic"}, quick())
		text := asText(t, r)
		if shown := strings.Contains(text, "predicted\n"); shown != c.shown || strings.Contains(text, "see --json") == c.shown {
			t.Errorf("%d labels: matrix shown %t, want %t:\n%s", c.labels, shown, c.shown, text)
		}
	}
}
