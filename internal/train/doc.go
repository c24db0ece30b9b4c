// Package train turns labelled texts into a model file and says how good it
// is.
//
// A training run reads from top to bottom (train.go):
//
//	examples    sorted by content, so that the order of files does not matter
//	corpus      texts -> features, by the extractor that will serve requests
//	folds       sources and near-duplicates stay on one side of every split
//	search      every candidate judged by grouped cross-validation
//	calibration a temperature fitted on scores of texts not trained on
//	weights     integer counts -> log-probabilities -> 16-bit integers
//	model, report
//
// Everything countable is an integer, candidates and labels have a fixed
// order, and floats go through package exact: the same examples and
// configuration give the same bytes on every machine.
package train
