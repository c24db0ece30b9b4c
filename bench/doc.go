// Package bench measures the whole path: from text to decision, from labelled
// rows to a model, and from a call to its answer, on the paragraphs of the
// built-in corpus.
//
//	go test -bench . ./bench
//
// It also runs the command lines of the programs below it, and tells them what
// they take.
package bench
