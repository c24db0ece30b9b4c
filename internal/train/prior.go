package train

import (
	"fmt"
	"math"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/model"
)

// A PriorMode says which shares of the labels a model expects.
type PriorMode uint8

// The modes.
const (
	TrainPrior     PriorMode = iota // those of the training data
	UniformPrior                    // all alike
	FixedPrior                      // given
	EstimatedPrior                  // estimated from texts without labels
)

// A Prior is the shares of the labels to be expected where the model is used.
// When they differ from those in training, the probability of a label is
// multiplied by the quotient of the two: Saerens et al., "Adjusting the Outputs
// of a Classifier to New a Priori Probabilities" (2002), equation 2.4.
type Prior struct {
	Mode PriorMode
	// Shares, for FixedPrior, are by head and label; heads that are not named
	// keep those of the training data. They are divided by their sum.
	Shares map[string]map[string]float64
	// Unlabelled, for EstimatedPrior, are texts of where the model is used.
	Unlabelled []dataset.Example
}

// apply changes the heads of spec, which draft was made of, to expect the
// prior.
func (p Prior) apply(spec *model.Spec, draft *model.Model, report *Report) error {
	for h := range spec.Heads {
		head := &spec.Heads[h]
		switch p.Mode {
		case UniformPrior:
			expect(head, uniform(len(head.Labels)))
		case FixedPrior:
			shares, given := p.Shares[head.Name]
			if !given {
				continue
			}
			prior, err := fixed(head, shares)
			if err != nil {
				return err
			}
			expect(head, prior)
		case EstimatedPrior:
			prior, err := estimatePrior(draft, h, p.Unlabelled)
			if err != nil {
				return err
			}
			report.prior(head, prior)
			expect(head, prior)
		}
	}
	return nil
}

func uniform(n int) []float64 {
	p := make([]float64, n)
	for i := range p {
		p[i] = 1 / float64(n)
	}
	return p
}

// fixed orders given shares by the head's labels.
func fixed(head *model.Head, shares map[string]float64) ([]float64, error) {
	prior, sum := make([]float64, len(head.Labels)), 0.0
	for i, label := range head.Labels {
		s, ok := shares[label]
		if !ok || !(s > 0) || math.IsInf(s, 0) {
			return nil, fmt.Errorf("prior of head %q: label %q: share %v: want a number above 0 for every label", head.Name, label, s)
		}
		prior[i] = s
		sum += s
	}
	if len(shares) != len(head.Labels) {
		return nil, fmt.Errorf("prior of head %q: %d shares: want those of its %d labels", head.Name, len(shares), len(head.Labels))
	}
	for i := range prior {
		prior[i] /= sum
	}
	return prior, nil
}

// expect moves a head from the prior that it has to another. A bias is worth
// itself times the inverse temperature.
func expect(head *model.Head, prior []float64) {
	shift := make([]int64, len(prior))
	for i := range prior {
		shift[i] = units((exact.Log(prior[i]) - exact.Log(head.Prior[i])) / head.InverseTemperature)
		head.Bias[i] += shift[i]
	}
	for t := range head.Targets {
		of := &head.Targets[t]
		for i := range prior {
			own := units((exact.Log(prior[i]) - exact.Log(of.Prior[i])) / head.TargetInverseTemperature)
			of.Bias[i] += own - shift[i]
		}
		of.Prior = prior
	}
	head.Prior = prior
	head.Evaluation.Outcomes = model.Outcomes{} // those of other answers
}

// units converts nats to units of 2^-model.ScoreBits nats.
func units(nats float64) int64 { return int64(math.Floor(math.Ldexp(nats, model.ScoreBits) + 0.5)) }

const (
	// priorSteps bounds the estimation, priorTolerance ends it: the largest
	// change of a share.
	priorSteps     = 1000
	priorTolerance = 1e-7
)

// estimatePrior estimates the shares of a head's labels among texts without
// labels by expectation maximisation: Saerens et al. (2002), equation 2.9. It
// rests on the texts of each label being like those in training. Texts without
// a known word tell nothing.
func estimatePrior(m *model.Model, h int, texts []dataset.Example) ([]float64, error) {
	c, head := m.NewClassifier(), &m.Heads()[h]
	var posteriors [][]float64
	for _, ex := range texts {
		if r := c.Classify(ex.Text, ""); r.KnownWords > 0 {
			posteriors = append(posteriors, append([]float64(nil), r.Predictions[h].Probabilities...))
		}
	}
	if len(posteriors) == 0 {
		return nil, fmt.Errorf("prior of head %q: none of the %d texts without labels has a known word", head.Name, len(texts))
	}
	n := len(head.Labels)
	prior, next, p := append([]float64(nil), head.Prior...), make([]float64, n), make([]float64, n)
	for range priorSteps {
		// One text with every label alike keeps a share from reaching 0.
		for l := range next {
			next[l] = 1 / float64(n)
		}
		for _, posterior := range posteriors {
			sum := 0.0
			for l, q := range posterior {
				p[l] = float64(q*prior[l]) / head.Prior[l]
				sum += p[l]
			}
			for l := range p {
				next[l] += p[l] / sum
			}
		}
		moved := 0.0
		for l := range next {
			next[l] /= float64(len(posteriors) + 1)
			moved = max(moved, math.Abs(next[l]-prior[l]))
			prior[l] = next[l]
		}
		if moved < priorTolerance {
			break
		}
	}
	return prior, nil
}
