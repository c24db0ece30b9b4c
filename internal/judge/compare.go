package judge

import (
	"fmt"
	"math"
)

// A Comparison says whether a challenger answers better than the champion, on
// the same rows. Differences are the challenger's figure less the champion's.
type Comparison struct {
	Examples int        `json:"examples"`
	Sources  int        `json:"sources"`
	MacroF1  Difference `json:"macro_f1"`
	Accuracy Difference `json:"accuracy"`
	NLL      Difference `json:"negative_log_likelihood"` // nats; the challenger is better below 0

	// Rows that only one of them got right.
	OnlyChampion   int `json:"only_champion_right"`
	OnlyChallenger int `json:"only_challenger_right"`

	Labels []LabelDifference `json:"labels"`

	Same    bool     `json:"same,omitempty"` // both state the same everywhere
	Verdict Verdict  `json:"verdict"`
	Reasons []string `json:"reasons"`
}

// A Difference is that of one measure.
type Difference struct {
	Champion   float64  `json:"champion"`
	Challenger float64  `json:"challenger"`
	Difference float64  `json:"difference"`
	Interval   Interval `json:"interval"` // of the difference
	// PValue is the probability of so large a difference, to either side, if
	// neither were better.
	PValue float64 `json:"p_value"`
	// Detectable is the smallest true difference that a comparison on as many
	// sources has an 80% chance to show; with a single source, the largest
	// there can be.
	Detectable float64 `json:"detectable"`
}

// A LabelDifference is that of the F1 of one label.
type LabelDifference struct {
	Label      string   `json:"label"`
	Examples   int      `json:"examples"`
	Champion   float64  `json:"champion"`
	Challenger float64  `json:"challenger"`
	Difference float64  `json:"difference"`
	Interval   Interval `json:"interval"`
	// PValue is corrected for there being several labels (Holm); 1 for a label
	// that neither occurs nor is predicted.
	PValue float64 `json:"p_value"`
}

// Compare compares the answers of two classifiers on the same rows in the same
// order, which neither may have been trained on. It is the test of a promotion:
// see Verdict. An error says which row is not the same in both lists, or is not
// about labels. Without any rows the verdict is NotEnoughData.
func Compare(labels []string, champion, challenger []Judgement) (Comparison, error) {
	if err := checkPairs(len(labels), champion, challenger); err != nil {
		return Comparison{}, err
	}
	p := newPairs(len(labels), champion, challenger)
	c := p.measure(labels)
	switch p.sources {
	case 0:
	case 1:
		c.anything()
	default:
		c.bootstrap(p)
	}
	c.pValues(p)
	c.Same = p.equal
	c.decide(p.equal)
	return c, nil
}

func checkPairs(labels int, champion, challenger []Judgement) error {
	if len(champion) != len(challenger) {
		return fmt.Errorf("the champion has %d answers, the challenger %d", len(champion), len(challenger))
	}
	for i := range champion {
		a, b := &champion[i], &challenger[i]
		if a.Truth != b.Truth || a.Source != b.Source {
			return fmt.Errorf("row %d (%s): champion and challenger differ in its label or its source", i+1, a.Row.Place)
		}
		for _, j := range []*Judgement{a, b} {
			if !j.fits(labels) {
				return fmt.Errorf("row %d (%s): label %d, answer %d and %d probabilities do not fit %d labels",
					i+1, a.Row.Place, j.Truth, j.Predicted, len(j.Probabilities), labels)
			}
		}
	}
	return nil
}

// fits reports whether a judgement is about so many labels.
func (j *Judgement) fits(labels int) bool {
	return j.Truth >= 0 && j.Truth < labels && j.Predicted >= 0 && j.Predicted < labels && len(j.Probabilities) == labels
}

// pairs are the answers of both classifiers, row by row.
type pairs struct {
	labels  int
	rows    []pairedAnswer
	sums    []pairSum // by source
	sources int
	equal   bool // both state the same everywhere
}

type pairedAnswer struct{ truth, champion, challenger, source int }

// A pairSum is what one source adds to accuracy and NLL.
type pairSum struct {
	rows                 int
	gain                 int     // rows that the challenger got right, less the champion's
	champion, challenger float64 // surprise
}

func newPairs(labels int, champion, challenger []Judgement) *pairs {
	source, sources := number(champion)
	p := &pairs{labels: labels, sums: make([]pairSum, sources), sources: sources, equal: true}
	for i := range champion {
		a, b := &champion[i], &challenger[i]
		p.rows = append(p.rows, pairedAnswer{a.Truth, a.Predicted, b.Predicted, source[i]})
		s := &p.sums[source[i]]
		s.rows++
		s.gain += one(b.right()) - one(a.right())
		s.champion += surprise(a.Probabilities[a.Truth])
		s.challenger += surprise(b.Probabilities[b.Truth])
		p.equal = p.equal && a.Predicted == b.Predicted && a.Probabilities[a.Truth] == b.Probabilities[b.Truth]
	}
	return p
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// count tallies the answers of both, every source as often as weights say.
func (p *pairs) count(champion, challenger tally, weights []int) {
	clear(champion)
	clear(challenger)
	for i := range p.rows {
		r := &p.rows[i]
		champion.add(r.truth, r.champion, weights[r.source])
		challenger.add(r.truth, r.challenger, weights[r.source])
	}
}

// nll is the mean surprise of both, every source as often as weights say.
func (p *pairs) nll(weights []int) (champion, challenger float64) {
	rows := 0
	for s, w := range weights {
		champion += float64(float64(w) * p.sums[s].champion)
		challenger += float64(float64(w) * p.sums[s].challenger)
		rows += w * p.sums[s].rows
	}
	return champion / float64(max(1, rows)), challenger / float64(max(1, rows))
}

// measure fills in what needs no draws.
func (p *pairs) measure(labels []string) Comparison {
	once := make([]int, p.sources)
	for s := range once {
		once[s] = 1
	}
	champion, challenger := make(tally, p.labels), make(tally, p.labels)
	p.count(champion, challenger, once)
	c := Comparison{
		Examples: len(p.rows), Sources: p.sources,
		MacroF1:  newDifference(champion.macroF1(), challenger.macroF1()),
		Accuracy: newDifference(champion.accuracy(), challenger.accuracy()),
		NLL:      newDifference(p.nll(once)),
		Labels:   []LabelDifference{}, Reasons: []string{},
	}
	for _, r := range p.rows {
		c.OnlyChampion += one(r.champion == r.truth && r.challenger != r.truth)
		c.OnlyChallenger += one(r.challenger == r.truth && r.champion != r.truth)
	}
	for l, label := range labels {
		a, b := champion[l].f1(), challenger[l].f1()
		c.Labels = append(c.Labels, LabelDifference{
			Label: label, Examples: int(champion[l].examples), Champion: a, Challenger: b, Difference: b - a, PValue: 1,
		})
	}
	return c
}

func newDifference(champion, challenger float64) Difference {
	return Difference{Champion: champion, Challenger: challenger, Difference: challenger - champion, PValue: 1}
}

// bootstrap fills in the intervals: both classifiers are measured on the same
// draws of sources, so that what makes a text hard for both does not count.
// Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 8.
func (c *Comparison) bootstrap(p *pairs) {
	var macroF1, accuracy, nll []float64
	f1 := make([][]float64, p.labels)
	champion, challenger := make(tally, p.labels), make(tally, p.labels)
	resample := newResampler(p.sources)
	for range bootstrapDraws {
		weights := resample.draw()
		p.count(champion, challenger, weights)
		a, b := p.nll(weights)
		macroF1 = append(macroF1, challenger.macroF1()-champion.macroF1())
		accuracy = append(accuracy, challenger.accuracy()-champion.accuracy())
		nll = append(nll, b-a)
		for l := range f1 {
			f1[l] = append(f1[l], challenger[l].f1()-champion[l].f1())
		}
	}
	q := newPercentiles(p.sources)
	c.MacroF1.spread(q, macroF1)
	c.Accuracy.spread(q, accuracy)
	c.NLL.spread(q, nll)
	for l := range f1 {
		c.Labels[l].Interval = q.of(f1[l])
	}
}

// spread fills in what the draws of a difference say.
func (d *Difference) spread(p percentiles, draws []float64) {
	d.Interval = p.of(draws)
	// Standard errors from 0 beyond which a two-sided test at 5% shows a
	// difference, and those further ones that leave it an 80% chance.
	const standardErrors = standardError95 + 0.8416212335729143
	d.Detectable = standardErrors * p.standardError(draws)
}

// standardError is the spread of draws about their mean, as of a sample of
// sources.
func (p percentiles) standardError(draws []float64) float64 {
	m, sum := mean(draws), 0.0
	for _, v := range draws {
		sum += float64((v - m) * (v - m))
	}
	n := float64(p.sources)
	return math.Sqrt(sum / float64(len(draws)-1) * n / (n - 1))
}

// anything sets all intervals to the whole range of their measure.
func (c *Comparison) anything() {
	c.MacroF1.reach(1)
	c.Accuracy.reach(1)
	c.NLL.reach(surprise(0))
	for l := range c.Labels {
		c.Labels[l].Interval = Interval{-1, 1}
	}
}

// reach says that the true difference may be as large as most to either side.
func (d *Difference) reach(most float64) {
	d.Interval, d.Detectable = Interval{-most, most}, most
}
