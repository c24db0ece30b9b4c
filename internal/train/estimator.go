package train

import (
	"fmt"
)

// An Estimator turns labelled vectors into weights.
type Estimator uint8

// The estimators, preferred ones first: of two that do equally well the first
// is taken. Naive Bayes comes first because its counts can forget a text.
const (
	// MultinomialNB is naive Bayes with a multinomial event model: a weight is
	// log P(feature | label), the bias log P(label). McCallum and Nigam, "A
	// Comparison of Event Models for Naive Bayes Text Classification" (1998).
	MultinomialNB Estimator = iota
	// ComplementNB estimates each label from the documents of all others,
	// which serves labels of uneven frequency: a weight is -log P(feature |
	// not label), without a bias. Rennie et al., "Tackling the Poor
	// Assumptions of Naive Bayes Text Classifiers" (2003), section 3.1.
	ComplementNB
	// TransformedCNB is ComplementNB with weights normalised per label; with
	// TFIDF values it is the TWCNB of the same paper, section 3.
	TransformedCNB
	// NBLogistic is logistic regression on features that are worth their log
	// count ratio. Wang and Manning, "Baselines and Bigrams" (2012); Mesnil et
	// al., "Ensemble of Generative and Discriminative Techniques" (2015).
	NBLogistic
	// NBSVM is a linear SVM on such features.
	NBSVM
	// Logistic is logistic regression, one label against the others, with the
	// squared length of the weights as penalty.
	Logistic
	// SVM is a linear support vector machine with squared hinge loss, one label
	// against the others.
	SVM
	estimators = iota
)

var estimatorNames = [estimators]string{"mnb", "cnb", "twcnb", "nblr", "nbsvm", "lr", "svm"}

// String is the estimator's name in flags and reports.
func (e Estimator) String() string {
	if e < estimators {
		return estimatorNames[e]
	}
	return fmt.Sprintf("Estimator(%d)", uint8(e))
}

// ParseEstimator is the inverse of String.
func ParseEstimator(s string) (Estimator, error) {
	for e, name := range estimatorNames {
		if s == name {
			return Estimator(e), nil
		}
	}
	return 0, fmt.Errorf("estimator %q: want one of %v", s, estimatorNames)
}

// linear reports whether e is fitted to texts one by one; otherwise it is
// computed from counts.
func (e Estimator) linear() bool { return e >= NBLogistic }

// A lesson is what candidates of one space are fitted to.
type lesson struct {
	docs   *vectors
	texts  []int // the documents to train on, whose truth is at least 0
	truth  []int // per document
	counts *Counts
	size   vocabularySize
	need   []bool // rows that will be asked for; nil for all
}

// fit trains the candidate.
func (c candidate) fit(l *lesson) table {
	if !c.Estimator.linear() {
		return bayes(l.counts, l.size, c.Estimator, c.Strength, l.need)
	}
	p := &linearProblem{
		docs: l.docs, texts: l.texts, truth: l.truth, labels: l.counts.labels, rows: l.counts.rows(),
		logistic: c.Estimator == NBLogistic || c.Estimator == Logistic,
		cost:     c.Strength, balanced: c.Balanced,
	}
	if c.Estimator == NBLogistic || c.Estimator == NBSVM {
		p.ratio = logCountRatios(l.counts, l.size, p)
	}
	return p.solve()
}

// score writes the scores of document i to scores, one per label.
func (t *table) score(scores []float32, docs *vectors, i int) {
	rows, values := docs.of(i)
	t.scoreVector(scores, rows, values)
}

// scoreVector writes the scores of the document that has these values.
func (t *table) scoreVector(scores []float32, rows []uint32, values []float32) {
	n := len(t.bias)
	copy(scores, t.bias)
	for j, row := range rows {
		x := values[j]
		for l, w := range t.weights[int(row)*n:][:n] {
			scores[l] += float32(w * x)
		}
	}
}
