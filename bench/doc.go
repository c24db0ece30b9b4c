// Package bench measures the whole path: from text to decision, from labelled
// rows to a model, and from a call to its answer, on the paragraphs of the
// built-in corpus.
//
//	go test -bench . ./bench
//
// It also tells the commands below it what they take.
package bench
