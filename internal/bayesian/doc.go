// Package bayesian reads model files of the Go libraries navossoc/bayesian and
// jbrukh/bayesian, answers as they do, and hands over their word counts so that
// a better model can be built from them.
//
//	Read(file)                  one file for the whole model   -> Classifier
//	ReadClasses(folder)         one file a class               -> Classifier
//	c.LogScores, c.ProbScores   what the library answers, NaN and all
//	c.SafeProbabilities         what it should answer where it cannot
//	c.Counts                    the integers it has learned
//
// # Scores
//
// The library is a multinomial naive Bayes without smoothing. With T(c) words
// learned in class c, n(w,c) of them the word w:
//
//	P(c)    = T(c) / sum over classes of T
//	P(w|c)  = n(w,c) / T(c), or 1e-11 when w was never seen in c
//	log     = log P(c) + sum over words of log P(w|c)
//	prob    = P(c) * product of P(w|c), divided by the sum over classes
//
// The product underflows after some 30 unseen words: prob is then NaN, of which
// the library says nothing. In a tf-idf model n(w,c) is, once converted,
//
//	sum over documents of log(1+tf) * log(1 + documents learned / T(c))
//
// with tf the word's share of the document; T(c) still counts words. These are
// the formulas of navossoc/bayesian, and of jbrukh/bayesian until it took up
// add-one smoothing; its files have stayed the same and do not say which.
//
// # What a file does not hold
//
// Documents per class (so no true priors), n-grams, the tokeniser, documents.
package bayesian
