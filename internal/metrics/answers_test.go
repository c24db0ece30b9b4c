package metrics

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/parley-nlp/parley/internal/model"
)

// newModel returns a model with one word and a head of each name, with these
// numbers of training documents by label.
func newModel(t testing.TB, heads map[string][]uint64, order ...string) *model.Model {
	t.Helper()
	s := model.Spec{Features: model.Features{Words: 1}}
	columns := 0
	for _, name := range order {
		h := model.Head{Name: name, Blocks: []model.Block{{Value: model.Binary}}, InverseTemperature: 1, TargetInverseTemperature: 1,
			Evaluation: model.Evaluation{Examples: 9, Accuracy: 0.75}}
		for i, n := range heads[name] {
			h.Labels = append(h.Labels, fmt.Sprintf("l%03d", i))
			h.DocCounts, h.Prior, h.Bias = append(h.DocCounts, n), append(h.Prior, 1/float64(len(heads[name]))), append(h.Bias, 0)
		}
		columns += len(h.Labels)
		s.Heads = append(s.Heads, h)
	}
	x, err := model.NewExtractor(s.Features, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.IDs, s.Weights = []model.FeatureID{x.Extract("word")[0].ID}, make([]int16, columns)
	m, err := model.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func answered(head, best int, probability float64, d model.Decision) *Document {
	return &Document{Words: 4, KnownWords: 3, Answers: []Answer{{head, best, probability, d}}}
}

func TestAnswers(t *testing.T) {
	h := NewHeads(newModel(t, map[string][]uint64{"a": {2, 2}, "b": {1, 1, 1}}, "a", "b"))
	a := NewAnswers(100)
	a.Use(h)
	h.Observe(answered(0, 1, 0.75, model.Labeled))
	h.Observe(answered(0, 0, 0.5, model.Ambiguous))
	h.Observe(&Document{Words: 1, Answers: []Answer{{0, 0, 0.5, model.NoEvidence}, {1, 2, 0.25, model.NoEvidence}}})
	checkMetrics(t, a, `# TYPE parley_predictions_total counter
parley_predictions_total{head="a",label="l000"} 0
parley_predictions_total{head="a",label="l001"} 1
parley_predictions_total{head="b",label="l000"} 0
parley_predictions_total{head="b",label="l001"} 0
parley_predictions_total{head="b",label="l002"} 0
# TYPE parley_prediction_probability summary
parley_prediction_probability_sum{head="a"} 1.75
parley_prediction_probability_count{head="a"} 3
parley_prediction_probability_sum{head="b"} 0.25
parley_prediction_probability_count{head="b"} 1
# TYPE parley_abstentions_total counter
parley_abstentions_total{head="a",reason="AMBIGUOUS"} 1
parley_abstentions_total{head="a",reason="LOW_CONFIDENCE"} 0
parley_abstentions_total{head="a",reason="NO_EVIDENCE"} 1
parley_abstentions_total{head="a",reason="OUT_OF_DOMAIN"} 0
parley_abstentions_total{head="b",reason="AMBIGUOUS"} 0
parley_abstentions_total{head="b",reason="LOW_CONFIDENCE"} 0
parley_abstentions_total{head="b",reason="NO_EVIDENCE"} 1
parley_abstentions_total{head="b",reason="OUT_OF_DOMAIN"} 0
# TYPE parley_drift_documents gauge
parley_drift_documents 3
# TYPE parley_drift_abstained_share gauge
parley_drift_abstained_share{head="a"} 0.6666666666666666
parley_drift_abstained_share{head="b"} 1
# TYPE parley_drift_training_accuracy gauge
parley_drift_training_accuracy{head="a"} 0.75
parley_drift_training_accuracy{head="b"} 0.75
# TYPE parley_drift_unknown_word_share gauge
parley_drift_unknown_word_share 0.3333333333333333
# TYPE parley_drift_unfamiliar_share gauge
parley_drift_unfamiliar_share 0.3333333333333333
`, "parley_predictions_total", "parley_prediction_probability", "parley_abstentions_total", "parley_drift_documents",
		"parley_drift_abstained_share", "parley_drift_training_accuracy", "parley_drift_unknown_word_share", "parley_drift_unfamiliar_share")
}

// When another revision goes live, numbers of the heads and labels that both
// have go on, others begin anew or end, and drift begins anew.
func TestSwap(t *testing.T) {
	one := NewHeads(newModel(t, map[string][]uint64{"a": {1, 1, 1}, "gone": {1, 1}}, "a", "gone"))
	two := NewHeads(newModel(t, map[string][]uint64{"a": {1, 1}, "new": {1, 1}}, "a", "new"))
	a := NewAnswers(100)
	a.Use(one)
	one.Observe(answered(0, 1, 0.5, model.Labeled))
	one.Observe(answered(0, 2, 0.5, model.Labeled))
	two.Observe(answered(0, 1, 0.5, model.Labeled)) // asked for by name before it was live
	a.Use(two, one)
	one.Observe(answered(0, 1, 0.5, model.Labeled)) // a call that was still running
	two.Observe(answered(0, 0, 0.5, model.Labeled))
	const want = `# TYPE parley_predictions_total counter
parley_predictions_total{head="a",label="l000"} 1
parley_predictions_total{head="a",label="l001"} 3
parley_predictions_total{head="new",label="l000"} 0
parley_predictions_total{head="new",label="l001"} 0
# TYPE parley_drift_documents gauge
parley_drift_documents 1
`
	checkMetrics(t, a, want, "parley_predictions_total", "parley_drift_documents")
	a.Use(two, one) // nothing new
	checkMetrics(t, a, want, "parley_predictions_total", "parley_drift_documents")
	a.Use(one)
	a.Use(two)
	checkMetrics(t, a, strings.Replace(want, "documents 1", "documents 0", 1), "parley_predictions_total", "parley_drift_documents")
}

// Labels beyond the limit share a series: those with the fewest documents.
func TestManyLabels(t *testing.T) {
	counts := make([]uint64, 300)
	for i := range counts {
		counts[i] = uint64(i)
	}
	m := newModel(t, map[string][]uint64{"a": counts}, "a")
	h, again := NewHeads(m), NewHeads(m)
	a := NewAnswers(100)
	a.Use(h)
	for _, best := range []int{0, 199, 200, 299} {
		h.Observe(answered(0, best, 0.5, model.Labeled))
		again.Observe(answered(0, best, 0.5, model.Labeled))
	}
	a.Use(again)
	if n := testutil.CollectAndCount(a, "parley_predictions_total"); n != maxLabelSeries+1 {
		t.Errorf("%d series, want %d", n, maxLabelSeries+1)
	}
	if n := again.heads[0].cells[0].Load(); again.heads[0].labels[0] != otherLabels || n != 4 {
		t.Errorf("label 0 counts as %s, %d times, want %s, 4 times", again.heads[0].labels[0], n, otherLabels)
	}
	if n := again.heads[0].cells[200].Load(); again.heads[0].labels[200] != "l200" || n != 2 {
		t.Errorf("label 200 counts as %s, %d times, want l200, twice", again.heads[0].labels[200], n)
	}
}

// Of many heads the first have series, and all are counted.
func TestManyHeads(t *testing.T) {
	heads := map[string][]uint64{}
	var order []string
	for i := range maxHeadSeries + 5 {
		name := fmt.Sprintf("h%02d", i)
		heads[name], order = []uint64{1, 1}, append(order, name)
	}
	h := NewHeads(newModel(t, heads, order...))
	a := NewAnswers(100)
	a.Use(h)
	h.Observe(answered(maxHeadSeries+4, 1, 0.5, model.Labeled))
	if n := testutil.CollectAndCount(a, "parley_predictions_total"); n != 2*maxHeadSeries {
		t.Errorf("%d series of labels, want those of %d heads", n, maxHeadSeries)
	}
	h.Observe(answered(3, 1, 0.5, model.Labeled))
	if n := testutil.CollectAndCount(a, "parley_drift_psi"); n != 1 { // nobody has asked the others
		t.Errorf("%d series of drift, want that of one head", n)
	}
}

// Nothing is lost when revisions change while answers come.
func TestSwapWhileAnswersCome(t *testing.T) {
	one := NewHeads(newModel(t, map[string][]uint64{"a": {1, 1}}, "a"))
	two := NewHeads(newModel(t, map[string][]uint64{"a": {2, 1}}, "a"))
	a := NewAnswers(100)
	a.Use(one, two)
	var answers sync.WaitGroup
	for _, h := range []*Heads{one, two} {
		answers.Go(func() {
			for range 10_000 {
				h.Observe(answered(0, 0, 0.5, model.Labeled))
			}
		})
	}
	for i := range 100 {
		if i%2 == 0 {
			a.Use(two, one)
		} else {
			a.Use(one, two)
		}
		testutil.CollectAndCount(a)
	}
	answers.Wait()
	if n := one.heads[0].cells[0].Load(); n != 20_000 || one.heads[0].cells[0] != two.heads[0].cells[0] {
		t.Errorf("counted %d answers, want 20000", n)
	}
}

func TestStability(t *testing.T) {
	for _, test := range []struct {
		served  []uint64
		trained []uint64
		want    float64
	}{
		{[]uint64{50, 50}, []uint64{50, 50}, 0},
		{[]uint64{500, 500}, []uint64{5000, 5000}, 0},
		// Shares 0.75 and 0.25 against 0.5 and 0.5: 0.25 ln 1.5 - 0.25 ln 0.5.
		{[]uint64{1499999, 499999}, []uint64{999999, 999999}, 0.25*math.Log(1.5) - 0.25*math.Log(0.5)},
		// Half a document each: 1.5/2 and 0.5/2 against 0.5 and 0.5.
		{[]uint64{1, 0}, []uint64{7, 7}, 0.25*math.Log(1.5) - 0.25*math.Log(0.5)},
	} {
		if got := stability(test.served, smoothed(test.trained)); !near(got, test.want) {
			t.Errorf("%v against %v: %v, want %v", test.served, test.trained, got, test.want)
		}
	}
	if got := stability([]uint64{9, 9}, []float64{1, 0}); math.IsInf(got, 0) || math.IsNaN(got) {
		t.Errorf("a prior of 0 gives %v", got)
	}
}

// The window holds the last documents, whatever came before.
func TestWindow(t *testing.T) {
	m := newModel(t, map[string][]uint64{"a": {1, 1, 1}}, "a")
	w := newWindow(NewHeads(m).heads, 100)
	for i := range 1000 {
		w.see(answered(0, i%3, 0.25, model.Labeled))
	}
	for range 95 {
		w.see(answered(0, 1, 0.5, model.OutOfDomain))
	}
	sum := w.sum()
	// 95 new ones and the rest of the oldest slot that is still there.
	h := sum.heads[0]
	if sum.documents != 95 || sum.unfamiliar != 95 || h.asked != 95 || h.abstained != 95 || h.best[1] != 95 || h.probability != 95*probabilityUnit/2 {
		t.Errorf("the window holds %+v, want the last 95 documents", sum)
	}
}

func BenchmarkObserve(b *testing.B) {
	h := NewHeads(newModel(b, map[string][]uint64{"topic": make([]uint64, 12), "stance": make([]uint64, 3)}, "topic", "stance"))
	NewAnswers(10_000).Use(h)
	d := &Document{Words: 60, KnownWords: 55, Answers: []Answer{{0, 7, 0.9, model.Labeled}, {1, 2, 0.6, model.Labeled}}}
	b.Run("one core", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Observe(d)
		}
	})
	b.Run("all cores", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				h.Observe(d)
			}
		})
	})
}

func BenchmarkCalls(b *testing.B) {
	c := NewCalls([]string{"/parley.v1.ClassificationService/Classify"}, nil)
	b.ReportAllocs()
	for b.Loop() {
		c.Begin()
		c.End("/parley.v1.ClassificationService/Classify", 0, 70_000)
	}
}
