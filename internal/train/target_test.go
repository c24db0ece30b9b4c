package train

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

var stanceHead = []string{"stance"}

// Where the same words mean the opposite for each target, tables per target
// win, and the report and the model say so.
func TestTablesPerTargetWinWhereWordsTurnAround(t *testing.T) {
	cfg := quick()
	_, blind := mustTrain(t, withoutTargets(opposed(1, 500)), stanceHead, cfg)
	m, r := mustTrain(t, opposed(1, 500), stanceHead, cfg)
	h := r.Heads[0]
	if h.Accuracy < 0.85 || blind.Heads[0].Accuracy > 0.6 {
		t.Errorf("accuracy %.3f with targets, %.3f without", h.Accuracy, blind.Heads[0].Accuracy)
	}
	if !slices.ContainsFunc(h.Members, func(m MemberReport) bool { return m.PerTarget }) || !strings.Contains(h.Chosen(), "per target") {
		t.Errorf("chosen: %s", h.Chosen())
	}
	if text := asText(t, r); !strings.Contains(text, ", per target\n") {
		t.Errorf("no table per target in\n%s", text)
	}
	var names []string
	for _, target := range m.Heads()[0].Targets {
		names = append(names, target.Name)
	}
	if want := []string{"oil", "wind power"}; !slices.Equal(names, want) {
		t.Errorf("targets %q, want %q", names, want)
	}
	held, err := Evaluate(m, opposed(2, 200), stanceHead)
	if err != nil {
		t.Fatal(err)
	}
	if held.Heads[0].Accuracy < 0.85 || len(held.Heads[0].Targets) != 2 {
		t.Errorf("on other texts: accuracy %.3f, targets %+v", held.Heads[0].Accuracy, held.Heads[0].Targets)
	}
}

func withoutTargets(examples []dataset.Example) []dataset.Example {
	for i := range examples {
		examples[i].Target = ""
	}
	return examples
}

// A target that has no tables gets the answer of a text without one, and the
// prediction says so; of one that has, case and spaces do not matter.
func TestUnknownTargetFallsBack(t *testing.T) {
	m, _ := mustTrain(t, opposed(1, 500), stanceHead, quick())
	c := m.NewClassifier()
	answer := func(text, target string) ([]int64, int) {
		p := c.Classify(text, target).Predictions[0]
		return slices.Clone(p.Raw), p.Target
	}
	differ := 0
	for _, ex := range opposed(3, 40) {
		none, at := answer(ex.Text, "")
		unknown, of := answer(ex.Text, "Coal")
		if at != -1 || of != -1 || !slices.Equal(none, unknown) {
			t.Fatalf("%q: got %v, %d without a target and %v, %d for an unknown one", ex.Text, none, at, unknown, of)
		}
		known, of := answer(ex.Text, " WIND  power ")
		if again, _ := answer(ex.Text, "wind power"); of != 1 || !slices.Equal(known, again) {
			t.Fatalf("%q: target %d, scores %v and %v", ex.Text, of, known, again)
		}
		if !slices.Equal(known, none) {
			differ++
		}
	}
	if differ < 30 {
		t.Errorf("%d of 40 answers depend on the target", differ)
	}
}

func TestFindTargets(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts map[string]int
		want  []string
	}{
		{"none", map[string]int{"": 200}, nil},
		{"a single one", map[string]int{"a": 200}, nil},
		{"one, and texts without", map[string]int{"a": 200, "": 200}, nil},
		{"two", map[string]int{"b": 50, "A ": 60}, []string{"a", "b"}},
		{"one of few texts", map[string]int{"b": 49, "a": 50}, []string{"a"}},
		{"one that is written in two ways", map[string]int{"Oil": 30, "oil ": 30, "wind": 60}, []string{"oil", "wind"}},
	} {
		var examples []dataset.Example
		for _, name := range slices.Sorted(maps.Keys(c.texts)) {
			for i := range c.texts[name] {
				examples = append(examples, dataset.Example{Text: "text", Target: name, Labels: []string{[]string{"con", "pro"}[i%2]}})
			}
		}
		task := newTask(&corpus{examples: examples}, "stance", 0)
		if !slices.Equal(task.targets, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, task.targets, c.want)
		}
		for i, at := range task.target {
			if known := slices.Contains(c.want, model.CanonicalTarget(examples[i].Target)); known != (at >= 0) || at >= 0 && task.targets[at] != model.CanonicalTarget(examples[i].Target) {
				t.Fatalf("%s: %q is target %d of %q", c.name, examples[i].Target, at, task.targets)
			}
		}
	}
}

// A target in which all have one label is no target of its own.
func TestTargetOfOneLabel(t *testing.T) {
	examples := opposed(4, 300)
	for i := range examples {
		if examples[i].Target == "Oil" {
			examples[i].Labels = []string{"pro"}
		}
	}
	m, r := mustTrain(t, examples, stanceHead, quick())
	if !bytes.Contains(asJSON(t, r), []byte(`"stance"`)) || m.Heads()[0].Target("oil") >= 0 {
		t.Errorf("targets %+v", m.Heads()[0].Targets)
	}
}
