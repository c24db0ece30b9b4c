package train

import "github.com/parley-nlp/parley/internal/exact"

// A scoredText is the scores, in nats, of a text that was not trained on.
type scoredText struct {
	nats  []float64
	truth int
}

// Bounds of the inverse temperature: 1 would be believing naive Bayes, which
// counts every n-gram of a phrase as independent evidence.
const (
	coolest = 1e-6
	hottest = 1e3
)

// fitTemperature returns the inverse temperature that makes the softmax of the
// scores most likely. The likelihood is concave in it, so its slope has one
// root, found by bisection of the logarithm. Guo et al., "On Calibration of
// Modern Neural Networks" (2017), section 4.2. Without texts it returns 1.
//
// Scores that tell few texts apart without a mistake would seem certain of
// everything. So to the n texts one more is added that is of every label alike:
// the true label of a text is to get (n + 1/labels) / (n + 1), each other one
// (1/labels) / (n + 1). After Platt, "Probabilistic Outputs for Support Vector
// Machines" (1999), section 2.2.
func fitTemperature(texts []scoredText) float64 {
	if len(texts) == 0 {
		return 1
	}
	lo, hi := exact.Log(coolest), exact.Log(hottest)
	for range 50 {
		mid := (lo + hi) / 2
		if likelihoodSlope(texts, exact.Exp(mid)) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return min(max(exact.Exp((lo+hi)/2), coolest), hottest)
}

// likelihoodSlope is the derivative of the log-likelihood by the inverse
// temperature: over all texts the sum of the score expected by the target less
// that expected by the softmax.
func likelihoodSlope(texts []scoredText, inverse float64) float64 {
	slope, labels := 0.0, len(texts[0].nats)
	other := 1 / float64(labels*(len(texts)+1))
	p := make([]float64, labels)
	for _, t := range texts {
		exact.Softmax(p, t.nats, inverse)
		// Scores relative to the true label's, whose own term is then 0.
		for i := range p {
			slope += float64((other - p[i]) * (t.nats[i] - t.nats[t.truth]))
		}
	}
	return slope
}
