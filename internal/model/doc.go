// Package model turns a text into decisions: one label per head, each with a
// calibrated probability and an exact explanation.
//
// The request path reads from top to bottom:
//
//	tokens      text -> folded words with offsets            (token.go)
//	features    tokens -> 64-bit feature ids                 (feature.go)
//	scores      ids -> rows of the table -> integer sums     (table.go, classify.go)
//	calibration integer sums -> probabilities                (classify.go)
//	decision    probabilities -> a label or why there is none (decide.go)
//	evidence    which words made the score                   (explain.go)
//
// A [Model] is one file (format.go). The trainer calls the same [Extractor]
// that serves requests, so a text cannot be read in two ways.
package model
