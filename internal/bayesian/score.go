package bayesian

import (
	"math"
	"slices"
)

// unseen is the library's probability of a word that a class has not seen.
const unseen = 1e-11

// An Answer is what one of the score functions says of a text.
type Answer struct {
	// Scores has one score a class, in the order of Classifier.Classes. The
	// library's may be NaN or infinite. There are none of an Unconverted model,
	// for which the library panics.
	Scores []float64
	// Best is the class with the highest score, the first of equals. The library
	// says 0 when all scores are NaN. -1 when there are no scores.
	Best int
	// Strict is true when no other class has as high a score; also, in the
	// library, when all are NaN.
	Strict bool

	lost bool // a sum left the range in which float64 is precise
}

// newAnswer finds the highest score as the library does.
func newAnswer(scores []float64) Answer {
	a := Answer{Scores: scores, Strict: true}
	for i := 1; i < len(scores); i++ {
		switch {
		case scores[i] > scores[a.Best]:
			a.Best, a.Strict = i, true
		case scores[i] == scores[a.Best]:
			a.Strict = false
		}
	}
	return a
}

// Defined reports whether the answer means anything. It is false when a score is
// NaN, when not even the best is finite, when probabilities were lost to
// underflow, and when there are no scores.
func (a Answer) Defined() bool {
	return len(a.Scores) > 0 && !a.lost &&
		!slices.ContainsFunc(a.Scores, math.IsNaN) && !math.IsInf(a.Scores[a.Best], 0)
}

// LogScores returns what the library's LogScores returns: logarithms of prior
// times likelihood.
func (c *Classifier) LogScores(words []string) Answer {
	if c.kind == Unconverted {
		return Answer{Best: -1}
	}
	scores := make([]float64, len(c.classes))
	for i, class := range c.classes {
		scores[i] = math.Log(c.priors[i])
		for _, w := range words {
			scores[i] += math.Log(class.probability(w))
		}
	}
	return newAnswer(scores)
}

// ProbScores returns what the library's ProbScores returns: probabilities of the
// classes, multiplied up without care for underflow.
func (c *Classifier) ProbScores(words []string) Answer {
	if c.kind == Unconverted {
		return Answer{Best: -1}
	}
	scores := make([]float64, len(c.classes))
	sum := 0.0
	for i, class := range c.classes {
		scores[i] = c.priors[i]
		for _, w := range words {
			scores[i] *= class.probability(w)
		}
		sum += scores[i]
	}
	for i := range scores {
		scores[i] /= sum
	}
	a := newAnswer(scores)
	// Every product is exact to 2^-1074 times the number of factors, so that the
	// shares are exact enough if the sum is no less than the least float64 of
	// full precision.
	const leastNormal = 0x1p-1022
	a.lost = !(sum >= leastNormal && sum <= math.MaxFloat64)
	return a
}

// probability returns P(w|c) as the library has it.
func (c *Class) probability(word string) float64 {
	frequency, found := c.find(word)
	if !found {
		return unseen
	}
	return frequency / float64(c.total)
}

// SafeProbabilities returns the probabilities of the classes under the library's
// model, computed in logarithms: the answer is always Defined. They are the
// priors when no word is known, and equal when there are no priors. A word with
// frequency 0, for which the library has probability 0 or NaN, counts as unseen;
// without such words they agree with ProbScores where that is Defined. An
// Unconverted model answers as a plain one.
func (c *Classifier) SafeProbabilities(words []string) Answer {
	logs := make([]float64, len(c.classes))
	for i, prior := range c.priors {
		logs[i] = math.Log(prior)
	}
	for _, w := range words {
		c.addWord(logs, w)
	}
	return newAnswer(softmax(logs))
}

// addWord adds log P(w|c) for each class. A word that no class has seen adds the
// same everywhere: it is left out, which keeps the priors what they are.
func (c *Classifier) addWord(logs []float64, word string) {
	probabilities := make([]float64, len(c.classes))
	known := false
	for i, class := range c.classes {
		probabilities[i] = unseen
		if n, found := class.find(word); found && n > 0 {
			probabilities[i], known = n/float64(class.total), true
		}
	}
	for i, p := range probabilities {
		if known {
			logs[i] += math.Log(p)
		}
	}
}

// softmax turns logarithms into shares of their sum; equal ones when all are -Inf.
func softmax(logs []float64) []float64 {
	best := slices.Max(logs)
	shares := make([]float64, len(logs))
	sum := 0.0
	for i, l := range logs {
		shares[i] = 1
		if !math.IsInf(best, -1) {
			shares[i] = math.Exp(l - best)
		}
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}
