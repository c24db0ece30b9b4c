package train

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// wordModel is a model with one head whose labels are each spoken for by one
// word, with a weight of so many nats.
func wordModel(t *testing.T, head string, nats float64, words map[string]string) *model.Model {
	t.Helper()
	x, err := model.NewExtractor(singleWords, 0)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for l := range words {
		labels = append(labels, l)
	}
	slices.Sort(labels)
	type row struct {
		id    model.FeatureID
		label int
	}
	var rows []row
	for i, l := range labels {
		rows = append(rows, row{x.Extract(words[l])[0].ID, i})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	n := len(labels)
	s := model.Spec{Features: singleWords, Heads: []model.Head{{
		Name: head, Labels: labels, DocCounts: make([]uint64, n), Prior: uniform(n), Bias: make([]int64, n),
		Blocks: []model.Block{{Value: model.Binary, WeightBits: 10}}, InverseTemperature: 1, TargetInverseTemperature: 1,
	}}}
	for _, r := range rows {
		s.IDs = append(s.IDs, r.id)
		weights := make([]int16, n)
		weights[r.label] = int16(nats * (1 << 10))
		s.Weights = append(s.Weights, weights...)
	}
	m, err := model.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// labelledRows makes an example of each "label text", each its own source.
func labelledRows(list ...string) []dataset.Example {
	var examples []dataset.Example
	for i, s := range list {
		label, text, _ := strings.Cut(s, " ")
		examples = append(examples, dataset.Example{Text: text, Labels: []string{strings.Trim(label, "-")}, File: "rows", Line: i + 1})
	}
	return examples
}

func compared(t *testing.T, champion, challenger *model.Model, examples []dataset.Example) *ComparisonReport {
	t.Helper()
	r, err := CompareModels(champion, challenger, examples, []string{"head"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCompareModelWithItself(t *testing.T) {
	m := wordModel(t, "head", 2, map[string]string{"a": "apple", "b": "pear"})
	r := compared(t, m, m, labelledRows("a apple one", "b pear two", "a pear three", "b apple four", "a neither"))
	h := r.Heads[0]
	if h.Verdict != judge.Keep || h.MacroF1.Difference != 0 || h.NLL.Difference != 0 || h.OnlyChampion+h.OnlyChallenger != 0 {
		t.Errorf("a model compared with itself: %+v", h)
	}
	if r.Champion != r.Challenger || len(r.Warnings) > 0 {
		t.Errorf("champion %+v, challenger %+v, warnings %q", r.Champion, r.Challenger, r.Warnings)
	}
}

// Labels that only one of the models has are compared too: the other can only
// be wrong about them, with probability 0.
func TestCompareUnionOfLabels(t *testing.T) {
	champion := wordModel(t, "head", 2, map[string]string{"b": "pear", "d": "plum"})
	challenger := wordModel(t, "head", 2, map[string]string{"a": "apple", "b": "pear", "c": "cherry"})
	r := compared(t, champion, challenger, labelledRows("a apple", "b pear", "x quince", "--- pear", "b pear tree"))
	h := r.Heads[0]
	var labels []string
	for _, l := range h.Labels {
		labels = append(labels, fmt.Sprint(l.Label, l.Examples))
	}
	if got := strings.Join(labels, " "); got != "a1 b2 c0 d0 x1" {
		t.Errorf("labels %s", got)
	}
	if h.Examples != 4 || r.Rows != 5 || h.OnlyChampion != 0 || h.OnlyChallenger != 1 {
		t.Errorf("%d of %d rows, only champion %d, only challenger %d", h.Examples, r.Rows, h.OnlyChampion, h.OnlyChallenger)
	}
	if h.Accuracy.Champion != 0.5 || h.Accuracy.Challenger != 0.75 {
		t.Errorf("accuracy %v and %v", h.Accuracy.Champion, h.Accuracy.Challenger)
	}
	want := []string{
		`head: the champion does not know the label "a": its rows count as mistakes`,
		`head: the champion does not know the label "x": its rows count as mistakes`,
		`head: the challenger does not know the label "x": its rows count as mistakes`,
	}
	if !slices.Equal(r.Warnings, want) {
		t.Errorf("warnings %q", r.Warnings)
	}
	// Champion: a and x have probability 0 (1e-12 counts), b has e²/(e²+1) twice.
	p := math.Exp(2) / (math.Exp(2) + 1)
	if nll := (-2*math.Log(1e-12) - 2*math.Log(p)) / 4; math.Abs(h.NLL.Champion-nll) > 1e-6 {
		t.Errorf("NLL of the champion %v, want %v", h.NLL.Champion, nll)
	}
}

func TestCompareDoesNotDependOnOrder(t *testing.T) {
	champion := wordModel(t, "head", 1, map[string]string{"a": "apple", "b": "pear"})
	challenger := wordModel(t, "head", 2, map[string]string{"a": "apple", "b": "plum"})
	rows := labelledRows("a apple one", "b pear two", "a pear three", "b plum four", "a plum five", "b apple pear plum")
	text := func(list []dataset.Example) string {
		var b bytes.Buffer
		if err := compared(t, champion, challenger, list).WriteText(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := text(rows)
	back := slices.Clone(rows)
	slices.Reverse(back)
	if got := text(back); got != want {
		t.Errorf("rows in another order:\n%s\nwant\n%s", got, want)
	}
}

// The target of a row reaches both models.
func TestCompareUsesTargets(t *testing.T) {
	var rows []dataset.Example
	for i := range 240 { // towards left the word means for, towards right against
		target := []string{"left", "right"}[i%2]
		label := []string{"for", "against"}[(i/2+i)%2]
		word := []string{"yes", "no"}[i/2%2]
		rows = append(rows, dataset.Example{Text: fmt.Sprintf("%s it is number%d", word, i), Target: target, Labels: []string{label}, File: "rows", Line: i + 1})
	}
	cfg := Default()
	cfg.Features, cfg.Values, cfg.Estimators, cfg.Alphas = []model.Features{singleWords}, []model.Value{model.Binary}, []Estimator{MultinomialNB}, []float64{1}
	trained := func(cfg Config) *model.Model {
		m, _, err := Train(context.Background(), rows[:160], []string{"head"}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	aimed := trained(cfg)
	cfg.Members = 1
	h := compared(t, trained(cfg), aimed, rows[160:]).Heads[0]
	if h.Accuracy.Champion > 0.6 || h.Accuracy.Challenger < 0.9 || h.Verdict != judge.Promote {
		t.Errorf("accuracy %v without and %v with weights per target: %s %q", h.Accuracy.Champion, h.Accuracy.Challenger, h.Verdict, h.Reasons)
	}
}

func TestCompareNoticesTrainingRows(t *testing.T) {
	rows := labelledRows("a apple pie", "b pear tart", "a apple cake", "b pear juice")
	cfg := Default()
	cfg.Features, cfg.Values, cfg.Estimators, cfg.Folds = []model.Features{singleWords}, []model.Value{model.Binary}, []Estimator{MultinomialNB}, 2
	m, _, err := Train(context.Background(), rows, []string{"head"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	other := wordModel(t, "head", 1, map[string]string{"a": "apple", "b": "pear"})
	r := compared(t, other, m, rows)
	if r.Champion.TrainedOn || !r.Challenger.TrainedOn {
		t.Errorf("trained on: champion %v, challenger %v", r.Champion.TrainedOn, r.Challenger.TrainedOn)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "the challenger was trained on") {
		t.Errorf("warnings %q", r.Warnings)
	}
	if r := compared(t, other, m, rows[:3]); r.Challenger.TrainedOn || len(r.Warnings) > 0 {
		t.Errorf("on other rows: warnings %q", r.Warnings)
	}
}

func TestCompareMissingHead(t *testing.T) {
	a := wordModel(t, "head", 1, map[string]string{"a": "apple", "b": "pear"})
	b := wordModel(t, "other", 1, map[string]string{"a": "apple", "b": "pear"})
	rows := labelledRows("a apple", "b pear")
	for _, c := range []struct {
		champion, challenger *model.Model
		want                 string
	}{
		{b, a, `the champion has no head "head": it has other`},
		{a, b, `the challenger has no head "head": it has other`},
	} {
		if _, err := CompareModels(c.champion, c.challenger, rows, []string{"head"}); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

func TestCompareNothing(t *testing.T) {
	m := wordModel(t, "head", 1, map[string]string{"a": "apple", "b": "pear"})
	if r := compared(t, m, m, nil); r.Heads[0].Verdict != judge.NotEnoughData {
		t.Errorf("verdict without rows: %s", r.Heads[0].Verdict)
	}
}

func TestComparisonText(t *testing.T) {
	champion := wordModel(t, "head", 1, map[string]string{"a": "apple", "b": "pear"})
	challenger := wordModel(t, "head", 2, map[string]string{"a": "apple", "b": "plum"})
	r := compared(t, champion, challenger, labelledRows("a apple one", "b pear two", "b plum four", "unknown plum"))
	r.Champion.Revision, r.Champion.ModelBytes = "(one)", 100
	r.Challenger.Revision, r.Challenger.ModelBytes = "(two)", 200
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != comparisonText {
		t.Errorf("report is\n%s\nwant\n%s", got, comparisonText)
	}
}

const comparisonText = `champion    (one)
            words 1, 2 features, 100 bytes
challenger  (two)
            words 1, 2 features, 200 bytes
data        4 rows from 4 sources

head: not enough data
  macro-F1 +0.00 points, 95% interval -100.00 to +100.00, p 1.0000: not shown to be less than 1 point worse
  NLL -0.0932 nats, 95% interval -0.5662 to +0.3799, p 0.7500: no difference shown
  the interval of macro-F1 reaches 100.0 points to either side: only a difference of 108.9 or more would likely show
  only the champion is right on 1 of 4 rows, only the challenger on 1

            champion  challenger  difference  95% interval             p  detectable
  macro-F1     0.389       0.389      +0.000  -1.000 to +1.000    1.0000       1.089
  accuracy     0.500       0.500      +0.000  -1.000 to +1.000    1.0000       1.132
  NLL          7.238       7.145      -0.093  -0.566 to +0.380    0.7500       0.546

  F1 of label      n  champion  challenger  difference  95% interval        p (Holm)
  a                1     0.500       0.667      +0.167  -0.600 to +0.600      1.0000
  b                2     0.667       0.500      -0.167  -1.000 to +1.000      1.0000
  unknown          1     0.000       0.000      +0.000  +0.000 to +0.000      1.0000

warning: head: the champion does not know the label "unknown": its rows count as mistakes

warning: head: the challenger does not know the label "unknown": its rows count as mistakes
`
