// Package judge measures how good a classifier's answers are: accuracy, F1,
// calibration, what is gained by abstaining, and whether one classifier is
// better than another. It knows nothing of models and texts: a Judgement is an
// answer beside the truth.
//
// Everything is a pure function of its arguments: random draws are seeded by
// constants, ties have an order, exp and log are those of internal/exact.
//
// The unit of all statistics is the source, not the row: rows of one source
// stand or fall together. Intervals and tests take sources as a sample of those
// to come; with a single source there is nothing to tell how others would do,
// and an interval is the whole range of its measure.
package judge
