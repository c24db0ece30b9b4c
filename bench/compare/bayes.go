package main

import (
	"math"
	"strings"
)

// A bayes scores as the library navossoc/bayesian does, whose formulas package
// internal/bayesian documents: for every word of a text and every class it looks
// the word up in the map of the class and takes a logarithm.
type bayes struct {
	classes []bayesClass
	learned float64 // words of all classes
}

type bayesClass struct {
	counts map[string]float64
	total  float64
}

// unseen is the probability of a word that a class has not seen.
const unseen = 1e-11

func newBayes(classes int) *bayes {
	b := &bayes{classes: make([]bayesClass, classes)}
	for i := range b.classes {
		b.classes[i].counts = map[string]float64{}
	}
	return b
}

// learn counts the words of a text.
func (b *bayes) learn(class int, words []string) {
	c := &b.classes[class]
	for _, w := range words {
		c.counts[w]++
	}
	c.total += float64(len(words))
	b.learned += float64(len(words))
}

// scores returns the logarithms of prior times likelihood.
func (b *bayes) scores(words []string) []float64 {
	scores := make([]float64, len(b.classes))
	for i, c := range b.classes {
		scores[i] = math.Log(c.total / b.learned)
		for _, w := range words {
			scores[i] += math.Log(c.probability(w))
		}
	}
	return scores
}

func (c *bayesClass) probability(word string) float64 {
	n, found := c.counts[word]
	if !found {
		return unseen
	}
	return n / c.total
}

// classify returns the class with the highest score, of equals the first.
func (b *bayes) classify(text string) int {
	best := 0
	scores := b.scores(strings.Fields(text))
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	return best
}
