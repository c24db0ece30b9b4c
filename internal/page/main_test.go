package page

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/parley-nlp/parley/internal/judge"
)

// A simulation is a made-up head: how it does on made-up rows.
type simulation struct {
	name     string
	labels   []string
	rows     int
	sources  int
	strength float64 // how far the true label's score lies above the others
	sharp    float64 // more than 1: overconfident
	targets  []string
}

// judgements draws answers: scores are normal, that of the truth is higher, the
// probabilities their softmax. Labels are less frequent from the first to the
// last.
func (s simulation) judgements() []judge.Judgement {
	r := rand.New(rand.NewPCG(7, uint64(len(s.labels))))
	var list []judge.Judgement
	for i := range s.rows {
		truth := min(int(float64(len(s.labels))*math.Pow(r.Float64(), 1.7)), len(s.labels)-1)
		source := r.IntN(s.sources)
		p := s.probabilities(r, truth, source)
		best := argmax(p)
		row := judge.Row{
			ID: fmt.Sprintf("doc-%02d.%d", source, i), Place: fmt.Sprintf("dev.jsonl:%d", i+1), Group: fmt.Sprintf("doc-%02d", source),
			Text: texts[i%len(texts)],
		}
		if len(s.targets) > 0 {
			row.Target = s.targets[i%len(s.targets)]
		}
		list = append(list, judge.Judgement{Truth: truth, Predicted: best, Source: source, Probabilities: p, Abstained: p[best] < .4, Row: row})
	}
	return list
}

func (s simulation) probabilities(r *rand.Rand, truth, source int) []float64 {
	p := make([]float64, len(s.labels))
	sum := 0.0
	for i := range p {
		score := r.NormFloat64() - .04*float64(i)
		if i == truth {
			score += s.strength - .1*float64(source%7)
		}
		p[i] = math.Exp(s.sharp * score)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func argmax(p []float64) int {
	best := 0
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	return best
}

var texts = []string{
	"The two presidents are due to meet in Anchorage on Friday, with a truce and the release of prisoners at the top of an agenda that neither side has published.",
	"Nobody should expect a breakthrough: the terms on the table are those of last spring, and the guns have not fallen silent for a single night since.",
	"Grain traders said the talks had already moved prices; futures fell two per cent in thin trading.",
	"“We have heard this before,” the mayor said, standing in front of a school that lost its roof in March.",
}

// head measures the simulation as an evaluation would.
func (s simulation) head() Head {
	list := s.judgements()
	h := Head{Name: s.name, Metrics: judge.Measure(s.labels, list), Details: judge.Detail(s.labels, list, 10)}
	for _, j := range list {
		if !j.Abstained {
			h.Answered++
		}
	}
	return h
}

// named returns n labels like label_01.
func named(n int) []string {
	var labels []string
	for i := range n {
		labels = append(labels, fmt.Sprintf("label_%02d", i+1))
	}
	return labels
}

// stance is a head of three labels on 300 rows with everything that there is.
func stance() Head {
	h := simulation{
		name: "stance", labels: []string{"neutral", "skeptical", "hopeful"}, rows: 300, sources: 24, strength: 1.6, sharp: 1.4,
		targets: []string{"summit", "sanctions", "truce"},
	}.head()
	h.Chosen = "complement naive Bayes, words 1-3, alpha 0.1"
	h.GainFrom100 = .012
	for i := range 6 {
		n := 50 * (i + 1)
		h.LearningCurve = append(h.LearningCurve, judge.LearningPoint{Examples: n, Accuracy: .75 - 9/float64(n+20), MacroF1: .72 - 11/float64(n+20)})
	}
	return h
}

func evaluation(heads ...Head) Evaluation {
	return Evaluation{
		Title: "summit, dev.jsonl", Revision: "sha256:4f1d0c9a77e2b35806", Rows: 300, Sources: 24,
		ModelBytes: 1_843_200, FeatureCount: 48_211, Features: "words 1-3, characters 2-5", Heads: heads,
	}
}
