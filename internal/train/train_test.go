package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// written writes examples to n files in a new folder and reads it.
func written(t *testing.T, examples []dataset.Example, n int) *dataset.Set {
	t.Helper()
	folder := t.TempDir()
	files := make([]bytes.Buffer, n)
	for i, ex := range examples {
		row := map[string]string{"text": ex.Text, "group": ex.Group, "topic": ex.Labels[0], "stance": ex.Labels[1]}
		if err := json.NewEncoder(&files[i%n]).Encode(row); err != nil {
			t.Fatal(err)
		}
	}
	for i := range files {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".jsonl")), files[i].Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	srcs, err := dataset.Files([]string{folder}, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.ReadAll(srcs, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestRowsSpreadOverFilesGiveTheSameBytes(t *testing.T) {
	examples := generated(2, 60)
	want, _ := mustTrain(t, examples, twoHeads, quick())
	for _, n := range []int{1, 2, 7} {
		set := written(t, examples, n)
		if m, _ := mustTrain(t, set.Examples, set.Heads, quick()); m.Revision() != want.Revision() {
			t.Errorf("%d files: revision %s, want %s", n, m.Revision(), want.Revision())
		}
	}
}

func TestGoodLabelsAreLearned(t *testing.T) {
	_, r := mustTrain(t, generated(7, 300), twoHeads, quick())
	for _, h := range r.Heads {
		if h.Accuracy < h.MajorityAccuracy+0.2 || h.NLL > 0.8*h.BaseNLL || h.ECE > 0.1 {
			t.Errorf("%s: accuracy %.3f, majority %.3f, NLL %.3f, base %.3f, ECE %.3f", h.Head, h.Accuracy, h.MajorityAccuracy, h.NLL, h.BaseNLL, h.ECE)
		}
	}
}

func TestRandomLabelsLookLikeChance(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	examples := generated(8, 600)
	for i := range examples {
		examples[i].Labels = []string{fmt.Sprint("label", rng.IntN(4))}
	}
	_, r := mustTrain(t, examples, []string{"topic"}, quick())
	h := r.Heads[0]
	if h.Accuracy > 0.32 || h.MacroF1 > 0.32 {
		t.Errorf("accuracy %.3f, macro-F1 %.3f: want about 0.25", h.Accuracy, h.MacroF1)
	}
	if h.NLL > 1.05*h.BaseNLL || h.ECE > 0.08 {
		t.Errorf("NLL %.3f, ECE %.3f: want about %.3f, 0", h.NLL, h.ECE, h.BaseNLL)
	}
}

// leaky returns examples whose label can be told by words that only their own
// group has.
func leaky() []dataset.Example {
	rng := rand.New(rand.NewPCG(19, 20))
	var list []dataset.Example
	for g := range 40 {
		label := fmt.Sprint("label", rng.IntN(3))
		for range 8 {
			words := []string{}
			for range 4 {
				words = append(words, fmt.Sprint("secret", g, "x", rng.IntN(6)), fmt.Sprint("word", rng.IntN(50)))
			}
			rng.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
			list = append(list, dataset.Example{Text: strings.Join(words, " "), Group: fmt.Sprint("group", g), Labels: []string{label}})
		}
	}
	return list
}

func TestLeakWithinGroupsDoesNotLookGood(t *testing.T) {
	examples := leaky()
	cfg := quick()
	cfg.Features = []model.Features{{Words: 1}}
	_, honest := mustTrain(t, examples, []string{"topic"}, cfg)
	for i := range examples {
		examples[i].Group = ""
	}
	_, fooled := mustTrain(t, examples, []string{"topic"}, cfg)
	if got := honest.Heads[0].Accuracy; got > 0.45 {
		t.Errorf("accuracy %.3f with groups, want about a third", got)
	}
	if got := fooled.Heads[0].Accuracy; got < 0.9 {
		t.Errorf("accuracy %.3f without groups, want the leak to show", got)
	}
}

func TestHeadsWithMissingLabels(t *testing.T) {
	examples := generated(9, 80)
	labelled := map[string]uint64{}
	for _, ex := range examples {
		labelled[ex.Labels[1]]++
	}
	m, r := mustTrain(t, examples, twoHeads, quick())
	if got, want := m.Heads()[1].DocCounts, []uint64{labelled["con"], labelled["pro"]}; !slices.Equal(got, want) {
		t.Errorf("documents per stance: got %v, want %v", got, want)
	}
	if got, want := r.Heads[1].Examples, 80-int(labelled[""]); got != want || labelled[""] == 0 {
		t.Errorf("examples of the stance: got %d, want %d, fewer than 80", got, want)
	}
	if got := r.Heads[0].Examples; got != 80 {
		t.Errorf("examples of the topic: got %d, want 80", got)
	}
	if !slices.Equal(m.Heads()[1].Labels, []string{"con", "pro"}) {
		t.Errorf("labels of the stance: got %q", m.Heads()[1].Labels)
	}
}

func TestModelHoldsTheFiguresOfTheReport(t *testing.T) {
	m, r := mustTrain(t, generated(10, 60), twoHeads, quick())
	for i, h := range r.Heads {
		got := m.Heads()[i].Evaluation
		want := model.Evaluation{
			Examples: uint64(h.Examples), Accuracy: h.Accuracy, MacroF1: h.MacroF1, MajorityAccuracy: h.MajorityAccuracy,
			ECE: h.ECE, PerfectECE: h.PerfectECE, NLL: h.NLL, Brier: h.Brier,
		}
		for _, p := range h.LearningCurve {
			want.Learning = append(want.Learning, model.LearningPoint{Examples: uint64(p.Examples), Accuracy: p.Accuracy, MacroF1: p.MacroF1})
		}
		want.Outcomes = got.Outcomes // see TestOutcomes
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the model holds %+v, the report %+v", h.Head, got, want)
		}
	}
	if r.Revision != m.Revision() || r.FeatureCount != m.FeatureCount() || r.ModelBytes != len(m.Bytes()) {
		t.Errorf("report: %+v", r)
	}
}

func TestEveryWordIsKnownToTheModel(t *testing.T) {
	examples := generated(11, 30)
	m, _ := mustTrain(t, examples, twoHeads, quick())
	c := m.NewClassifier()
	for _, ex := range examples {
		if r := c.Classify(ex.Text, ""); r.KnownWords != r.Words || r.Words == 0 {
			t.Errorf("%q: %d of %d words known, want all", ex.Text, r.KnownWords, r.Words)
		}
	}
}

// "one" and "two" speak for no label: as words they stay, for they are known,
// as a pair they go.
func TestSilentWordsStayKnown(t *testing.T) {
	examples := texts("one two left", "one two right")
	examples[0].Labels, examples[1].Labels = []string{"a"}, []string{"b"}
	m, _ := mustTrain(t, examples, []string{"topic"}, pinned(candidate{Features: model.Features{Words: 2}, Estimator: MultinomialNB, Strength: 1}))
	if got := m.FeatureCount(); got != 6 {
		t.Errorf("%d features, want 6: four words, and the pairs that end in left and right", got)
	}
	if r := m.NewClassifier().Classify("one two three", ""); r.KnownWords != 2 {
		t.Errorf("%d words known, want 2", r.KnownWords)
	}
}

func TestErrors(t *testing.T) {
	one := []dataset.Example{{Text: "a text", Labels: []string{"x"}}, {Text: "another", Labels: []string{"x"}}, {Text: "third", Labels: []string{""}}}
	control := []dataset.Example{{Text: "a text", Labels: []string{"x"}}, {Text: "another", Labels: []string{"y\n"}}}
	for _, c := range []struct {
		name     string
		examples []dataset.Example
		want     string
	}{
		{"no rows", nil, "no labelled rows"},
		{"a single label", one, `head "topic": 1 different labels in 3 rows: want at least 2`},
		{"a label with a control character", control, "control character"},
	} {
		m, r, err := Train(context.Background(), c.examples, []string{"topic"}, quick())
		if !says(err, c.want) || m != nil || r != nil {
			t.Errorf("%s: got %v, %v and error %v, want %q", c.name, m, r, err, c.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	var examples []dataset.Example
	for i, ex := range generated(12, 40) {
		ex.Labels, ex.Group = []string{"often"}, ""
		switch {
		case i < 4:
			ex.Labels = []string{"rare"}
		case i < 14:
			ex.Labels, ex.Group = []string{"lonely"}, "one"
		}
		examples = append(examples, ex)
	}
	_, r := mustTrain(t, examples, []string{"topic"}, quick())
	want := []string{
		`topic: labels with less than 5 examples, too few to be learned or judged: "rare"`,
		`topic: labels from one source only, which cross-validation cannot judge: "lonely"`,
	}
	if !slices.Equal(r.Warnings, want) {
		t.Errorf("got %q, want %q", r.Warnings, want)
	}
}

func TestOneSourceIsNotEvaluated(t *testing.T) {
	examples := generated(13, 20)
	for i := range examples {
		examples[i].Group = "one"
	}
	m, r := mustTrain(t, examples, twoHeads, quick())
	if len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], "all rows are of one source") {
		t.Errorf("got warnings %q", r.Warnings)
	}
	for i, h := range m.Heads() {
		if !reflect.DeepEqual(h.Evaluation, model.Evaluation{}) || h.InverseTemperature != 1 || m.MinKnownShare() != 0 {
			t.Errorf("%s: got %+v, temperature %v, known share %v; want none, 1, 0", h.Name, h.Evaluation, h.InverseTemperature, m.MinKnownShare())
		}
		cfg := quick()
		if want := cfg.candidates()[0].String(); r.Heads[i].Chosen() != want {
			t.Errorf("%s: chosen %s, want the first candidate, %s", h.Name, r.Heads[i].Chosen(), want)
		}
	}
	asJSON(t, r)
}

func TestProgressCountsUp(t *testing.T) {
	cfg := quick()
	last, total := 0, 0
	cfg.Progress = func(done, of int) {
		if done < last || done > of || total != 0 && of != total {
			t.Errorf("got %d of %d after %d of %d", done, of, last, total)
		}
		last, total = done, of
	}
	mustTrain(t, generated(14, 30), twoHeads, cfg)
	if last < total/4 || total == 0 {
		t.Errorf("the last call said %d of %d", last, total)
	}
}

func TestAThousandLabels(t *testing.T) {
	const labels = 1000
	var examples []dataset.Example
	for i := range labels {
		name, place, label := fmt.Sprint("name", i), fmt.Sprint("place", i), fmt.Sprintf("label%04d", i)
		for _, text := range []string{name + " of " + place, place + " saw " + name} {
			examples = append(examples, dataset.Example{Text: text, Labels: []string{label}})
		}
	}
	cfg := pinned(candidate{Features: LongText, Estimator: MultinomialNB, Strength: 0.1})
	cfg.Folds = 2
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, r := mustTrain(t, examples, []string{"topic"}, cfg)
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 1200 {
		t.Errorf("%d MB allocated in all, want at most 1200", got)
	}
	if h := r.Heads[0]; len(m.Heads()[0].Labels) != labels || h.Examples != 2*labels || h.Accuracy < 0.99 || h.NLL > 0.5 {
		t.Errorf("got %d labels, %d examples, accuracy %.3f, NLL %.3f; want %d, %d, about 1 and 0",
			len(m.Heads()[0].Labels), h.Examples, h.Accuracy, h.NLL, labels, 2*labels)
	}
}

func TestManyRareLabelsAreOneWarning(t *testing.T) {
	var examples []dataset.Example
	for i := range 40 {
		examples = append(examples, dataset.Example{Text: fmt.Sprintf("text number %d", i), Labels: []string{fmt.Sprintf("label%02d", i/2)}})
	}
	_, r := mustTrain(t, examples, []string{"topic"}, quick())
	want := `topic: 20 labels with less than 5 examples, too few to be learned or judged: "label00", "label01", "label02", "label03", "label04" and 15 more`
	if len(r.Warnings) != 1 || r.Warnings[0] != want {
		t.Errorf("got %q, want %q", r.Warnings, want)
	}
}

// An identifier taken for a label must not take all memory.
func TestTooManyLabelsAreRefused(t *testing.T) {
	words := strings.Repeat("x", 60)
	var examples []dataset.Example
	for i := range 2000 {
		text := fmt.Sprintf("%s%d", words, i)
		for j := range 40 {
			text += fmt.Sprintf(" %d%s%d", i, words[:j%30], j)
		}
		examples = append(examples, dataset.Example{Text: text, Labels: []string{strconv.Itoa(i)}})
	}
	_, _, err := Train(t.Context(), examples, []string{"id"}, quick())
	if err == nil || !strings.Contains(err.Error(), `head "id": 2000 labels x `) {
		t.Errorf("got error %v, want one about too many labels", err)
	}
}

func TestTrainStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := quick()
	steps := 0
	cfg.Progress = func(done, total int) {
		steps++
		cancel()
	}
	_, _, err := Train(ctx, generated(1, 90), twoHeads, cfg)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v after %d steps, want %v", err, steps, context.Canceled)
	}
}

// Data that teach little train all the same, with warnings where there is
// something to warn of, and every figure is a number.
func TestOddDataTrain(t *testing.T) {
	row := func(text, label string) dataset.Example { return dataset.Example{Text: text, Labels: []string{label}} }
	relabelled := func(n int, label func(i int, ex dataset.Example) string) []dataset.Example {
		list := generated(21, n)
		for i := range list {
			list[i].Labels = []string{label(i, list[i])}
		}
		return list
	}
	topic := func(_ int, ex dataset.Example) string { return ex.Labels[0] }
	for _, c := range []struct {
		name     string
		examples []dataset.Example
		warning  string
	}{
		{"two rows", []dataset.Example{row("one text", "a"), row("another one", "b")}, "less than 5 examples"},
		{"one row a label", []dataset.Example{row("one", "a"), row("two", "b"), row("three", "c"), row("four", "d")}, "less than 5 examples"},
		{"a rare label", relabelled(120, func(i int, ex dataset.Example) string {
			if i == 7 {
				return "rare"
			}
			return ex.Labels[0]
		}), `less than 5 examples, too few to be learned or judged: "rare"`},
		{"a label of one source only", relabelled(120, func(i int, ex dataset.Example) string {
			if ex.Group == "source3" {
				return "lonely"
			}
			return ex.Labels[0]
		}), `from one source only, which cross-validation cannot judge: "lonely"`},
		{"one source", func() []dataset.Example {
			list := relabelled(60, topic)
			for i := range list {
				list[i].Group = "one"
			}
			return list
		}(), "all rows are of one source"},
		{"copies of one text", slices.Repeat([]dataset.Example{row("the same text", "a"), row("the same text", "b")}, 40), "all rows are of one source"},
		{"empty texts", append(relabelled(60, topic), row("", "economy"), row("", "summit"), row(" ", "summit"), row("?!", "people")), ""},
		{"only empty texts", []dataset.Example{row("", "a"), row("?", "b"), row("!", "a"), row("...", "b"), row("- -", "a"), row("$", "b")}, ""},
		{"conflicting labels", func() []dataset.Example {
			list := relabelled(40, topic)
			for _, ex := range list[:20] {
				ex.Labels = []string{"people"}
				list = append(list, ex)
			}
			return list
		}(), ""},
		{"labels alike but for one row", relabelled(100, func(i int, _ dataset.Example) string { return []string{"often", "once"}[max(0, i-98)] }), "less than 5 examples"},
		{"random labels", noise(22, 320, 5), ""},
		{"no word twice", func() []dataset.Example {
			var list []dataset.Example
			for i := range 60 {
				list = append(list, row(fmt.Sprintf("x%da y%db", i, i), []string{"a", "b"}[i%2]))
			}
			return list
		}(), ""},
		{"every row without a label but two", func() []dataset.Example {
			list := relabelled(60, func(i int, ex dataset.Example) string { return []string{"a", "b", ""}[min(i, 2)] })
			return list
		}(), "less than 5 examples"},
	} {
		for name, cfg := range map[string]Config{"quick": quick(), "nested": nestedQuick()} {
			m, r, err := Train(t.Context(), c.examples, []string{"topic"}, cfg)
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, name, err)
				continue
			}
			asJSON(t, r)
			if text := asText(t, r); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
				t.Errorf("%s, %s: a figure is no number:\n%s", c.name, name, text)
			}
			if !strings.Contains(strings.Join(r.Warnings, "\n"), c.warning) {
				t.Errorf("%s, %s: warnings %q, want %q", c.name, name, r.Warnings, c.warning)
			}
			for _, ex := range c.examples {
				p := m.NewClassifier().Classify(ex.Text, ex.Target).Predictions[0].Probabilities
				for _, x := range p {
					if !(x >= 0 && x <= 1) {
						t.Fatalf("%s, %s: %q gets %v", c.name, name, ex.Text, p)
					}
				}
			}
		}
	}
}

// nestedQuick is quick with all that can be asked of a run.
func nestedQuick() Config {
	cfg := quick()
	cfg.Nested, cfg.Coverage, cfg.Prior = 1, 0.9, Prior{Mode: UniformPrior}
	cfg.Features = cfg.Features[:1]
	return cfg
}
