package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// A prior multiplies the probability of a label by the quotient of the new
// share and the old, with and without a target.
func TestPriorMultipliesProbabilities(t *testing.T) {
	examples := opposed(1, 500)
	for i := range examples {
		if i%3 > 0 { // uneven, and not alike for the targets
			examples[i].Labels = []string{"pro"}
		}
	}
	given := map[string]map[string]float64{"stance": {"con": 1, "pro": 9}}
	cfg := quick()
	cfg.Features, cfg.Values = cfg.Features[:1], cfg.Values[:1]
	plain, _ := mustTrain(t, examples, stanceHead, cfg)
	for name, c := range map[string]struct {
		prior Prior
		want  []float64
	}{
		"uniform": {Prior{Mode: UniformPrior}, []float64{0.5, 0.5}},
		"fixed":   {Prior{Mode: FixedPrior, Shares: given}, []float64{0.1, 0.9}},
		"of another head": {
			Prior{Mode: FixedPrior, Shares: map[string]map[string]float64{"topic": {"x": 1}}}, plain.Heads()[0].Prior,
		},
	} {
		cfg.Prior = c.prior
		m, _ := mustTrain(t, examples, stanceHead, cfg)
		if got := m.Heads()[0].Prior; !slices.Equal(got, c.want) {
			t.Errorf("%s: prior %v, want %v", name, got, c.want)
		}
		before, after := plain.NewClassifier(), m.NewClassifier()
		for _, text := range []string{"rise1 fall2 word3", "fall1 fall2 fall3 word7", "unheard of", ""} {
			for _, target := range []string{"", "oil", "wind power", "coal"} {
				p, q := before.Classify(text, target).Predictions[0], after.Classify(text, target).Predictions[0]
				old := plain.Heads()[0].Prior
				if p.Target >= 0 {
					old = plain.Heads()[0].Targets[p.Target].Prior
				}
				if name == "of another head" {
					c.want = old
				}
				odds := p.Probabilities[1] / p.Probabilities[0] * (c.want[1] / old[1]) / (c.want[0] / old[0])
				within(t, fmt.Sprintf("%s, %q about %q: share", name, text, target), q.Probabilities[1], odds/(1+odds), 1e-4)
				within(t, "sum", q.Probabilities[0]+q.Probabilities[1], 1, 1e-12)
			}
		}
	}
}

func TestFixedPriorErrors(t *testing.T) {
	head := &model.Head{Name: "stance", Labels: []string{"con", "pro"}}
	for _, c := range []struct {
		name   string
		shares map[string]float64
		want   string
	}{
		{"shares", map[string]float64{"con": 0.3, "pro": 0.7}, ""},
		{"counts", map[string]float64{"con": 30, "pro": 70}, ""},
		{"a label without", map[string]float64{"con": 1}, `label "pro": share 0`},
		{"a share of 0", map[string]float64{"con": 1, "pro": 0}, `label "pro": share 0`},
		{"a negative share", map[string]float64{"con": -1, "pro": 2}, `label "con": share -1`},
		{"not a number", map[string]float64{"con": math.NaN(), "pro": 2}, `label "con": share NaN`},
		{"infinite", map[string]float64{"con": math.Inf(1), "pro": 2}, `label "con": share +Inf`},
		{"a label too many", map[string]float64{"con": 1, "pro": 2, "maybe": 1}, "3 shares: want those of its 2 labels"},
	} {
		prior, err := fixed(head, c.shares)
		if !says(err, c.want) {
			t.Errorf("%s: got %v and error %v, want %q", c.name, prior, err, c.want)
		} else if err == nil {
			within(t, c.name, prior[0], 0.3, 1e-12)
		}
	}
}

// Texts are drawn anew with other shares of the labels, and the estimate finds
// those, where the mean of the answers is still drawn to the training data.
func TestEstimatedPriorFindsTheShares(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 62))
	cfg := quick()
	cfg.Features, cfg.Estimators = cfg.Features[:1], cfg.Estimators[:2]
	for _, want := range [][]float64{{0.8, 0.1, 0.1}, {0.2, 0.2, 0.6}} {
		byTopic := map[string][]dataset.Example{}
		for _, ex := range generated(2, 900) {
			byTopic[ex.Labels[0]] = append(byTopic[ex.Labels[0]], ex)
		}
		var unlabelled []dataset.Example
		for l, topic := range []string{"economy", "people", "summit"} {
			for range int(800*want[l] + 0.5) {
				unlabelled = append(unlabelled, byTopic[topic][rng.IntN(len(byTopic[topic]))])
			}
		}
		unlabelled = append(unlabelled, texts("", "qwrtz", "?!")...)
		cfg.Prior = Prior{Mode: EstimatedPrior, Unlabelled: unlabelled}
		m, r := mustTrain(t, generated(1, 400), []string{"topic"}, cfg)
		got := m.Heads()[0].Prior
		for l := range want {
			within(t, fmt.Sprintf("shares %v, estimated %v: label %d", want, got, l), got[l], want[l], 0.05)
		}
		if !slices.Equal(r.Heads[0].Prior, got) {
			t.Errorf("the report has %v, the model %v", r.Heads[0].Prior, got)
		}
	}
}

func TestEstimatedPriorOfNothing(t *testing.T) {
	cfg := quick()
	for _, list := range [][]dataset.Example{nil, texts("", "qwrtz")} {
		cfg.Prior = Prior{Mode: EstimatedPrior, Unlabelled: list}
		_, _, err := Train(t.Context(), generated(1, 40), []string{"topic"}, cfg)
		if want := fmt.Sprintf("none of the %d texts", len(list)); !says(err, want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
	// A single text does not move all to one label.
	cfg.Prior = Prior{Mode: EstimatedPrior, Unlabelled: texts("economy1 economy2 economy3 economy4")}
	m, _ := mustTrain(t, generated(1, 200), []string{"topic"}, cfg)
	if p := m.Heads()[0].Prior; slices.Min(p) < 0.05 {
		t.Errorf("prior %v after one text", p)
	}
}
