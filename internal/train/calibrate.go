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
// temperature: the sum of the true label's score minus the expected score.
func likelihoodSlope(texts []scoredText, inverse float64) float64 {
	slope := 0.0
	p := make([]float64, len(texts[0].nats))
	for _, t := range texts {
		exact.Softmax(p, t.nats, inverse)
		for i := range p {
			slope += float64(p[i] * (t.nats[t.truth] - t.nats[i]))
		}
	}
	return slope
}
