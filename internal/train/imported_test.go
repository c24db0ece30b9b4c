package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/bayesian"
	"github.com/parley-nlp/parley/internal/model"
)

// bayesianData holds files that the other library wrote.
const bayesianData = "../bayesian/testdata/"

// plainCounts are those of a file.
func plainCounts(t *testing.T) bayesian.Counts {
	t.Helper()
	f, err := os.Open(bayesianData + "plain.gob")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := bayesian.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := c.Counts()
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// classCounts are those of a class that learned the words so often each.
func classCounts(name string, words map[string]int64) bayesian.ClassCounts {
	c := bayesian.ClassCounts{Name: name}
	for w, n := range words {
		c.Words = append(c.Words, bayesian.WordCount{Word: w, Count: n})
		c.Total += n
	}
	slices.SortFunc(c.Words, func(a, b bayesian.WordCount) int { return strings.Compare(a.Word, b.Word) })
	return c
}

func imported(t *testing.T, counts bayesian.Counts, cfg ImportConfig) (*model.Model, *ImportReport) {
	t.Helper()
	m, r, err := Import(counts, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

var plainImport = ImportConfig{Head: "label", Alpha: 1}

// An imported model answers by the formula of multinomial naive Bayes, worked
// out here from the counts of the file.
func TestImportAnswersByTheFormula(t *testing.T) {
	counts := plainCounts(t)
	for _, cfg := range []ImportConfig{plainImport, {Head: "label", Alpha: 0.1, Uniform: true}} {
		m, _ := imported(t, plainCounts(t), cfg)
		head, c := &m.Heads()[0], m.NewClassifier()
		for _, text := range []string{
			"the talks could end the war", "critics warn the truce will fail", "ceasefire", "peace peace peace",
			"the meeting in anchorage on friday, nothing else unheard",
		} {
			p := c.Classify(text, "").Predictions[0].Probabilities
			want := formula(counts, cfg, strings.Fields(strings.ReplaceAll(text, ",", "")))
			for i, label := range head.Labels {
				if math.Abs(p[i]-want[label]) > 1e-3 {
					t.Errorf("%+v: %q: %s has probability %v, want %v", cfg, text, label, p[i], want[label])
				}
			}
		}
	}
}

// formula returns P(class) Π P(word | class), divided by the sum over classes.
func formula(counts bayesian.Counts, cfg ImportConfig, words []string) map[string]float64 {
	vocabulary, all := map[string]bool{}, 0.0
	for _, class := range counts.Classes {
		all += float64(class.Total)
		for _, w := range class.Words {
			vocabulary[w.Word] = true
		}
	}
	shares, sum := map[string]float64{}, 0.0
	for _, class := range counts.Classes {
		learned := map[string]float64{}
		for _, w := range class.Words {
			learned[w.Word] = float64(w.Count)
		}
		p := (float64(class.Total) + 1) / (all + float64(len(counts.Classes)))
		if cfg.Uniform {
			p = 1
		}
		for _, w := range words {
			if vocabulary[w] {
				p *= (learned[w] + cfg.Alpha) / (float64(class.Total) + cfg.Alpha*float64(len(vocabulary)))
			}
		}
		shares[class.Name] = p
		sum += p
	}
	for name := range shares {
		shares[name] /= sum
	}
	return shares
}

// On the texts that the library learned, the imported model names the classes
// that the library names.
func TestImportAgreesWithTheLibrary(t *testing.T) {
	var learned []struct{ Text string }
	b, err := os.ReadFile(bayesianData + "training.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &learned); err != nil || len(learned) == 0 {
		t.Fatalf("%d texts: %v", len(learned), err)
	}
	f, err := os.Open(bayesianData + "plain.gob")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source, err := bayesian.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := imported(t, plainCounts(t), plainImport)
	c := m.NewClassifier()
	for _, l := range learned {
		want := source.Classes()[source.LogScores(strings.Fields(l.Text)).Best]
		if got := m.Heads()[0].Labels[c.Classify(l.Text, "").Predictions[0].Best]; got != want {
			t.Errorf("%q: %s, the library says %s", l.Text, got, want)
		}
	}
}

func TestImportFoldsWords(t *testing.T) {
	counts := bayesian.Counts{Classes: []bayesian.ClassCounts{
		classCounts("yes", map[string]int64{"Truce": 2, "truce,": 3, "a/b": 4, "--": 1, "": 2, "never": 0, "#peace": 1, "!": 5}),
		classCounts("no", map[string]int64{"TRUCE": 7, "a/b": 1, "(war)": 2, "don’t": 1, "don't": 1}),
	}, Documents: 3}
	m, r := imported(t, counts, plainImport)
	// truce, #peace, !, war, don't
	if m.FeatureCount() != 5 || r.Words != 8+3 || r.Folded != 3 {
		t.Errorf("%d features of %d words, of which %d fold: want 5 of 11, 3", m.FeatureCount(), r.Words, r.Folded)
	}
	if l := r.LeftOut; l.Words != 3 || l.Occurrences != 8 || !slices.Equal(l.Examples, []string{"a/b", "", "--"}) {
		t.Errorf("left out: %+v", l)
	}
	want := []ImportedLabel{{"no", 12, 1, 13.0 / 32}, {"yes", 18, 7, 19.0 / 32}}
	if !slices.Equal(r.Labels, want) {
		t.Errorf("labels %+v, want %+v", r.Labels, want)
	}
	// The word truce was learned 5 and 7 times, of 11 and 11 that are left.
	folded := bayesian.Counts{Classes: []bayesian.ClassCounts{
		classCounts("no", map[string]int64{"truce": 7, "war": 2, "don't": 2}),
		classCounts("yes", map[string]int64{"truce": 5, "#peace": 1, "!": 5}),
	}}
	cfg := ImportConfig{Head: "label", Alpha: 1, Uniform: true}
	a, _ := imported(t, counts, cfg)
	b, _ := imported(t, folded, cfg)
	for _, text := range []string{"Truce!", "WAR, don’t", "never --", "#peace truce truce"} {
		p := slices.Clone(a.NewClassifier().Classify(text, "").Predictions[0].Raw)
		if q := b.NewClassifier().Classify(text, "").Predictions[0].Raw; !slices.Equal(p, q) {
			t.Errorf("%q: scores %d, from folded counts %d", text, p, q)
		}
	}
}

// Order of classes and documents learned are no part of the model.
func TestImportIsCanonical(t *testing.T) {
	m, _ := imported(t, plainCounts(t), plainImport)
	other := plainCounts(t)
	slices.Reverse(other.Classes)
	other.Documents = 0
	if n, _ := imported(t, other, plainImport); n.Revision() != m.Revision() {
		t.Errorf("revision %s with the classes in another order, want %s", n.Revision(), m.Revision())
	}
	changed := plainCounts(t)
	changed.Classes[0].Words[0].Count++
	changed.Classes[0].Total++
	if n, _ := imported(t, changed, plainImport); n.TrainingData() == m.TrainingData() {
		t.Error("other counts have the same sum of what was imported")
	}
	if head := m.Heads()[0]; head.InverseTemperature != 1 || head.Evaluation.Examples != 0 || m.MinKnownShare() != 0 {
		t.Errorf("inverse temperature %v, %d examples, domain %v", head.InverseTemperature, head.Evaluation.Examples, m.MinKnownShare())
	}
}

// A text of unknown words is answered by the prior, also where a class has
// learned nothing, which the library gives a prior of 0.
func TestImportPrior(t *testing.T) {
	counts := bayesian.Counts{Classes: []bayesian.ClassCounts{
		classCounts("a", map[string]int64{"truce": 6}), classCounts("b", map[string]int64{"war": 1}), classCounts("c", nil),
	}}
	for _, c := range []struct {
		uniform bool
		want    []float64
	}{{false, []float64{7.0 / 10, 2.0 / 10, 1.0 / 10}}, {true, []float64{1.0 / 3, 1.0 / 3, 1.0 / 3}}} {
		m, _ := imported(t, counts, ImportConfig{Head: "label", Alpha: 1, Uniform: c.uniform})
		r := m.NewClassifier().Classify("zebra zebra", "")
		for i, p := range r.Predictions[0].Probabilities {
			if math.Abs(p-c.want[i]) > 1e-9 {
				t.Errorf("uniform %v: label %d has probability %v, want %v", c.uniform, i, p, c.want[i])
			}
		}
		if d := r.Decide(0, model.Thresholds{}); d != model.NoEvidence {
			t.Errorf("decision %v", d)
		}
	}
}

func TestImportErrors(t *testing.T) {
	two := func(a, b bayesian.ClassCounts) bayesian.Counts {
		return bayesian.Counts{Classes: []bayesian.ClassCounts{a, b}}
	}
	words := map[string]int64{}
	for i := range 2049 {
		words[fmt.Sprint("word", i)] = 1
	}
	many := bayesian.Counts{Classes: []bayesian.ClassCounts{classCounts("a", words)}}
	for i := range 1<<16 - 1 {
		many.Classes = append(many.Classes, classCounts(fmt.Sprint("b", i), nil))
	}
	truce, war := classCounts("a", map[string]int64{"truce": 1}), classCounts("b", map[string]int64{"war": 1})
	for _, c := range []struct {
		name   string
		counts bayesian.Counts
		cfg    ImportConfig
		want   string
	}{
		{"alpha", two(truce, war), ImportConfig{Head: "label"}, "alpha 0: want 1e-06 to 1e+06"},
		{"alpha is no number", two(truce, war), ImportConfig{Head: "label", Alpha: math.NaN()}, "alpha NaN: want"},
		{"head", two(truce, war), ImportConfig{Alpha: 1}, `head "": name: empty`},
		{"count", two(classCounts("a", map[string]int64{"truce": 1 << 31, "Truce": 1 << 31}), war), plainImport, `class "a": word "truce": learned more than 4294967295 times`},
		{"class", two(classCounts(strings.Repeat("x", 300), map[string]int64{"truce": 1}), war), plainImport, "label 1: 300 bytes: want at most 256"},
		{"control character", two(classCounts("a\n", map[string]int64{"truce": 1}), war), plainImport, `"a\n" has a control character`},
		{"memory", many, plainImport, "65536 classes x 2049 words are more than memory is planned for (134217728)"},
		{"no word", two(classCounts("a", map[string]int64{"--": 1}), classCounts("b", map[string]int64{"a/b": 1, "truce": 0})), plainImport, "2 words in 2 classes, none of which is a word of a text"},
	} {
		if _, _, err := Import(c.counts, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
}

func TestImportReport(t *testing.T) {
	words := map[string]int64{"truce": 3, "Truce": 1, strings.Repeat("a/", 30): 1}
	for i := range 11 {
		words[strings.Repeat("-", i+1)] = int64(20 - i)
	}
	_, r := imported(t, bayesian.Counts{Documents: 7, Classes: []bayesian.ClassCounts{
		classCounts("hopeful", words), classCounts("other", map[string]int64{"war": 5}),
	}}, plainImport)
	r.Revision, r.ModelBytes = "(revision)", 100
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != importText {
		t.Errorf("report is\n%s\nwant\n%s", got, importText)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

const importText = `revision  (revision)
model     words 1, 2 features, 100 bytes
words     15, of which 1 fold into others
left out  12 words with 166 occurrences, which are not one word of a text
          "-", "--", "---", "----", "-----", "------", "-------", "--------", "---------", "----------" and 2 more
learned   from 7 documents

label
  label    words learned  left out  prior
  hopeful            170       166  0.966
  other                5         0  0.034

warning: the model is not calibrated (inverse temperature 1): its probabilities are those of naive Bayes as they are, which are too sure. Train on labelled texts for calibrated ones

warning: the prior is each label's share of the words learned, as the file does not have documents per label: expect all labels alike by --prior uniform
`
