// Package model turns a text into decisions: one label per head, each with a
// calibrated probability and an exact explanation.
//
// The request path reads from top to bottom:
//
//	folding     text -> lower case, runs of words            (fold.go)
//	tokens      runs -> words with offsets and hashes        (token.go)
//	features    tokens -> 64-bit feature ids                 (grams.go)
//	scores      ids -> rows of the table -> integer sums     (table.go, classify.go)
//	calibration integer sums -> probabilities                (classify.go)
//	decision    probabilities -> a label or why there is none (decide.go)
//	evidence    which words made the score                   (explain.go)
//
// A [Model] is one file (format.go). The trainer's [Extractor] reads texts
// by the same steps, so a text cannot be read in two ways.
package model
