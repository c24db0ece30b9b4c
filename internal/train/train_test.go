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

func TestShuffledExamplesGiveTheSameBytes(t *testing.T) {
	examples := generated(1, 60)
	want, wantReport := mustTrain(t, examples, twoHeads, quick())
	for _, procs := range []int{1, 4} {
		before := runtime.GOMAXPROCS(procs)
		for seed := range uint64(15) {
			m, r := mustTrain(t, shuffled(examples, seed), twoHeads, quick())
			if !bytes.Equal(m.Bytes(), want.Bytes()) {
				t.Errorf("%d processors, seed %d: revision %s, want %s", procs, seed, m.Revision(), want.Revision())
			}
			if !reflect.DeepEqual(r, wantReport) {
				t.Errorf("%d processors, seed %d: got report %+v, want %+v", procs, seed, r, wantReport)
			}
		}
		runtime.GOMAXPROCS(before)
	}
}

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

// allKinds is a candidate of every kind.
func allKinds() []candidate {
	cfg := quick()
	return cfg.candidates()
}

func TestServedScoresAreThoseOfTraining(t *testing.T) {
	examples := generated(4, 60)
	for _, c := range allKinds() {
		corpus, tasks := prepared(t, examples, twoHeads, pinned(c))
		m, _ := mustTrain(t, examples, twoHeads, pinned(c))
		served := m.NewClassifier()
		for h, task := range tasks {
			head := task.train(context.Background(), []candidate{c}, func() {})
			raw := make([]int64, len(task.labels))
			for i, ex := range corpus.examples {
				head.score(raw, corpus.docs[i], c.Value)
				if got := served.Classify(ex.Text).Predictions[h].Raw; !slices.Equal(got, raw) {
					t.Fatalf("%s: %q: served %v, trained %v", c, ex.Text, got, raw)
				}
			}
		}
	}
}

// Cross-validation takes a fold out of the counts and reckons with the words it
// needs only; here every fold's model is trained afresh from the other rows.
func TestOutOfFoldScoresAreThoseOfAModelTrainedWithoutTheFold(t *testing.T) {
	examples := append(generated(5, 60), dataset.Example{Text: "nothing known", Group: "other", Labels: []string{"summit", "pro"}})
	for _, c := range allKinds() {
		corpus, tasks := prepared(t, examples, twoHeads, pinned(c))
		for h, task := range tasks {
			raw := task.outOfFold(c)
			for f := range task.folds {
				var others []dataset.Example
				for i, ex := range corpus.examples {
					if task.fold[i] != f {
						others = append(others, ex)
					}
				}
				m, _ := mustTrain(t, others, twoHeads, pinned(c))
				checkFold(t, task, f, raw, task.prior(f), m, h)
			}
		}
	}
}

// checkFold compares what the examples of fold f got in cross-validation with
// what m says of them.
func checkFold(t *testing.T, task *task, f int, raw [][]int64, prior []float64, m *model.Model, h int) {
	t.Helper()
	served := m.NewClassifier()
	task.eachIn(f, func(i int) {
		r := served.Classify(task.examples[i].Text)
		p := r.Predictions[h]
		if known := r.KnownWords > 0; known != task.known[i] {
			t.Fatalf("%q: known %t, want %t", task.examples[i].Text, task.known[i], known)
		}
		if task.known[i] && !slices.Equal(raw[i], p.Raw) {
			t.Fatalf("%q: out of fold %v, retrained %v", task.examples[i].Text, raw[i], p.Raw)
		}
		if !task.known[i] && !slices.Equal(prior, p.Probabilities) {
			t.Fatalf("%q: prior %v, retrained %v", task.examples[i].Text, prior, p.Probabilities)
		}
		if got := task.answer(i, raw[i], prior); got != p.Best {
			t.Fatalf("%q: answer %d, retrained %d", task.examples[i].Text, got, p.Best)
		}
	})
}

func TestChosenCandidateHasTheFiguresOfItsHead(t *testing.T) {
	examples := append(generated(6, 60), dataset.Example{Text: "nothing known", Group: "other", Labels: []string{"summit", "pro"}})
	_, r := mustTrain(t, examples, twoHeads, quick())
	for _, h := range r.Heads {
		found := false
		for _, c := range h.Candidates {
			if c.MacroF1 > h.MacroF1 {
				t.Errorf("%s: %s has macro-F1 %v, the chosen one %v", h.Head, c.Candidate, c.MacroF1, h.MacroF1)
			}
			if c.Candidate == h.Chosen {
				found = true
				near(t, h.Head+" macro-F1", c.MacroF1, h.MacroF1)
				near(t, h.Head+" accuracy", c.Accuracy, h.Accuracy)
			}
		}
		if !found || len(h.Candidates) != 16 {
			t.Errorf("%s: %d candidates, the chosen one among them: %t; want 16, true", h.Head, len(h.Candidates), found)
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
			Examples: uint64(h.Examples), Accuracy: h.Accuracy, MacroF1: h.MacroF1,
			MajorityAccuracy: h.MajorityAccuracy, ECE: h.ECE, NLL: h.NLL,
		}
		if got != want || m.Heads()[i].InverseTemperature != h.InverseTemperature {
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
		if r := c.Classify(ex.Text); r.KnownWords != r.Words || r.Words == 0 {
			t.Errorf("%q: %d of %d words known, want all", ex.Text, r.KnownWords, r.Words)
		}
	}
}

// "one" and "two" speak for no label: as words they stay, for they are known,
// as a pair they go.
func TestSilentWordsStayKnown(t *testing.T) {
	examples := texts("one two left", "one two right")
	examples[0].Labels, examples[1].Labels = []string{"a"}, []string{"b"}
	m, _ := mustTrain(t, examples, []string{"topic"}, pinned(candidate{model.Features{Words: 2}, model.Binary, MultinomialNB, 1}))
	if got := m.FeatureCount(); got != 6 {
		t.Errorf("%d features, want 6: four words, and the pairs that end in left and right", got)
	}
	if r := m.NewClassifier().Classify("one two three"); r.KnownWords != 2 {
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
		if h.Evaluation != (model.Evaluation{}) || h.InverseTemperature != 1 || m.MinKnownShare() != 0 {
			t.Errorf("%s: got %+v, temperature %v, known share %v; want none, 1, 0", h.Name, h.Evaluation, h.InverseTemperature, m.MinKnownShare())
		}
		if want := allKinds()[0].String(); r.Heads[i].Chosen != want {
			t.Errorf("%s: chosen %s, want the first candidate, %s", h.Name, r.Heads[i].Chosen, want)
		}
	}
}

func TestProgressCountsToTheEnd(t *testing.T) {
	cfg := quick()
	last, total := 0, 0
	cfg.Progress = func(done, of int) {
		if done != last+1 || total != 0 && of != total {
			t.Errorf("got %d of %d after %d of %d", done, of, last, total)
		}
		last, total = done, of
	}
	mustTrain(t, generated(14, 30), twoHeads, cfg)
	if last != total || total == 0 {
		t.Errorf("the last call said %d of %d", last, total)
	}
}

func TestThousandsOfLabels(t *testing.T) {
	const labels = 2000
	var examples []dataset.Example
	for i := range labels {
		name, place, label := fmt.Sprint("name", i), fmt.Sprint("place", i), fmt.Sprintf("label%04d", i)
		for _, text := range []string{name + " of " + place, place + " saw " + name} {
			examples = append(examples, dataset.Example{Text: text, Labels: []string{label}})
		}
	}
	cfg := pinned(candidate{LongText, model.Binary, MultinomialNB, 0.1})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, r := mustTrain(t, examples, []string{"topic"}, cfg)
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 2000 {
		t.Errorf("%d MB allocated in all, want at most 2000", got)
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
